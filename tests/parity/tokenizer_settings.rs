//! What stands beside a tokeniser counts as in transformers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ensayo::data::Tokenizer;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    name: String,
    /// The folder whose `tokenizer.json` it uses.
    copy: Option<String>,
    files: BTreeMap<String, Value>,
    max_length: usize,
    ids: Vec<Vec<u32>>,
    pad_id: Option<u32>,
    vocab_size: usize,
}

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<String>,
    cases: Vec<Case>,
}

fn parity() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

fn write(folder: &Path, case: &Case) {
    if let Some(copy) = &case.copy {
        let from = parity().join(copy).join("tokenizer.json");
        fs::copy(from, folder.join("tokenizer.json")).unwrap();
    }
    for (name, content) in &case.files {
        let text = content
            .as_str()
            .map_or_else(|| content.to_string(), str::to_owned);
        fs::write(folder.join(name), text).unwrap();
    }
}

fn check(fixture: &Fixture) {
    let texts: Vec<&str> = fixture.texts.iter().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for case in &fixture.cases {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), case);
        let tokenizer = Tokenizer::from_folder(folder.path(), case.max_length)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let encoded = tokenizer.encode(&texts).unwrap();
        assert_eq!(encoded.len(), case.ids.len());
        let rows = texts.iter().zip(&encoded).zip(&case.ids);
        let different: Vec<_> = rows
            .filter(|((_, ids), expected)| ids != expected)
            .collect();
        if let Some(((text, ids), expected)) = different.first() {
            wrong.push(format!(
                "{}: {} of {} texts, the first: {text:?}: {ids:?} instead of {expected:?}",
                case.name,
                different.len(),
                texts.len()
            ));
        }
        let facts = (tokenizer.pad_id(), tokenizer.vocab_size());
        if facts != (case.pad_id, case.vocab_size) {
            let expected = (case.pad_id, case.vocab_size);
            wrong.push(format!("{}: {facts:?} instead of {expected:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn settings_count_as_in_transformers() {
    let text = include_str!("tokenizer-settings/cases.json");
    check(&serde_json::from_str(text).unwrap());
}

/// The generator makes the file from any CSV of texts, which are too many to keep.
#[test]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn settings_are_obeyed_on_real_texts() {
    let Some(path) = std::env::var_os("ENSAYO_TOKENIZER_CASES") else {
        eprintln!("skipped: ENSAYO_TOKENIZER_CASES names no file that the generator made");
        return;
    };
    check(&serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
}

/// A folder with a small BERT's tokeniser and these settings.
fn with(settings: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = parity().join("tokenizer/word-piece/tokenizer.json");
    fs::copy(from, folder.path().join("tokenizer.json")).unwrap();
    let path = folder.path().join("tokenizer_config.json");
    fs::write(path, settings.to_string()).unwrap();
    folder
}

#[test]
fn what_cannot_be_obeyed_is_refused_by_name() {
    for (settings, key) in [
        (json!({"do_lower_case": "yes"}), "do_lower_case"),
        (json!({"do_lower_case": null}), "do_lower_case"),
        (json!({"strip_accents": 1}), "strip_accents"),
        (
            json!({"tokenize_chinese_chars": "no"}),
            "tokenize_chinese_chars",
        ),
        (json!({"add_prefix_space": []}), "add_prefix_space"),
        (json!({"truncation_side": "middle"}), "truncation_side"),
        (
            json!({"added_tokens_decoder": {"x": {"content": "y"}}}),
            "added_tokens_decoder",
        ),
        (
            json!({"added_tokens_decoder": {"5": 3}}),
            "added_tokens_decoder",
        ),
    ] {
        let mut settings = settings;
        settings["tokenizer_class"] = json!("BertTokenizer");
        let error = Tokenizer::from_folder(with(&settings).path(), 16).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("tokenizer_config.json") && error.contains(&format!("`{key}`")),
            "{settings}: {error}"
        );
    }
    // A class whose rules are not known here has to agree with its file.
    for (key, value, agrees) in [
        ("do_lower_case", true, true),
        ("do_lower_case", false, false),
        ("strip_accents", true, true),
        ("strip_accents", false, false),
        ("tokenize_chinese_chars", false, false),
        ("add_prefix_space", true, false),
        ("split_by_punct", true, false),
    ] {
        let settings = json!({"tokenizer_class": "SomeTokenizer", key: value});
        let read = Tokenizer::from_folder(with(&settings).path(), 16);
        assert_eq!(read.is_ok(), agrees, "{settings}");
        if let Err(error) = read {
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}

#[test]
fn broken_companions_are_named() {
    for name in [
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
    ] {
        let folder = with(&json!({}));
        fs::write(folder.path().join(name), "[").unwrap();
        let error = Tokenizer::from_folder(folder.path(), 16).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("config.json"), r#"{"model_type": "roberta"}"#).unwrap();
    fs::write(path("vocab.json"), "{\"a\": 0}").unwrap();
    let error = Tokenizer::from_folder(folder.path(), 16).unwrap_err();
    assert!(error.to_string().contains("merges.txt"), "{error}");
    fs::write(path("merges.txt"), "a b c\n").unwrap();
    let error = Tokenizer::from_folder(folder.path(), 16).unwrap_err();
    assert!(error.to_string().contains("vocab.json"), "{error}");
    fs::write(path("merges.txt"), "").unwrap();
    // The letter and five special tokens.
    let tokenizer = Tokenizer::from_folder(folder.path(), 16).unwrap();
    assert_eq!(tokenizer.vocab_size(), 6);
}

#[test]
fn the_checkpoints_length_is_told() {
    let length = |settings: &Value| {
        let tokenizer = Tokenizer::from_folder(with(settings).path(), 16).unwrap();
        tokenizer.model_max_length()
    };
    assert_eq!(length(&json!({"model_max_length": 128})), Some(128));
    assert_eq!(length(&json!({"max_len": 64})), Some(64));
    assert_eq!(length(&json!({"model_max_length": 1e30})), None);
    assert_eq!(length(&json!({})), None);
}

#[test]
fn a_class_that_changes_its_file_is_noted() {
    let note = |settings: &Value| {
        let tokenizer = Tokenizer::from_folder(with(settings).path(), 16).unwrap();
        tokenizer.note().map(str::to_owned)
    };
    let cased = json!({"tokenizer_class": "BertTokenizer", "do_lower_case": false});
    let said = note(&cased).unwrap();
    assert!(
        said.contains("`lowercase` is true there and false here"),
        "{said}"
    );
    assert_eq!(note(&json!({"tokenizer_class": "BertTokenizer"})), None);
}

#[test]
fn pieces_are_cut_on_the_side_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let model = parity().join("sentencepiece/nmt-nfkc/spm.model");
    fs::copy(model, folder.path().join("spm.model")).unwrap();
    let ids = |length| {
        let tokenizer = Tokenizer::from_folder(folder.path(), length).unwrap();
        tokenizer.encode(&["a great game"]).unwrap().remove(0)
    };
    let whole = ids(64);
    let config = folder.path().join("tokenizer_config.json");
    fs::write(config, r#"{"truncation_side": "left"}"#).unwrap();
    assert_eq!(ids(64), whole);
    let expected = [&whole[..1], &whole[whole.len() - 4..]].concat();
    assert_eq!(ids(5), expected);
}
