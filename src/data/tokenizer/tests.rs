//! A folder's tokeniser: both kinds of files, special tokens, truncation, broken files.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    folder: String,
    max_length: usize,
    pad_id: u32,
    vocab_size: usize,
    ids: Vec<Vec<u32>>,
}

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<String>,
    cases: Vec<Case>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/tokenizer")
}

fn fixture() -> Fixture {
    let text = include_str!("../../../tests/parity/tokenizer/expected.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn ids_are_those_of_transformers() {
    let Fixture { texts, cases } = fixture();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for case in cases {
        let folder = fixtures().join(&case.folder);
        let tokenizer = Tokenizer::from_folder(&folder, case.max_length).unwrap();
        let encoded = tokenizer.encode(&texts).unwrap();
        for ((text, ids), expected) in texts.iter().zip(&encoded).zip(&case.ids) {
            assert_eq!(
                ids, expected,
                "{} {}: {text:?}",
                case.folder, case.max_length
            );
        }
        assert_eq!(encoded.len(), case.ids.len());
        assert_eq!(tokenizer.pad_id(), Some(case.pad_id));
        assert_eq!(tokenizer.vocab_size(), case.vocab_size);
    }
}

/// A folder with a small `spm.model` alone.
fn pieces() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = "tests/parity/sentencepiece/nmt-nfkc/spm.model";
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(model);
    fs::copy(model, folder.path().join("spm.model")).unwrap();
    folder
}

#[test]
fn pieces_stand_between_debertas_special_tokens() {
    let folder = pieces();
    let tokenizer = |length| Tokenizer::from_folder(folder.path(), length).unwrap();
    let texts = ["", "  ", "[SEP] a great game[MASK]"];
    let whole = tokenizer(64).encode(&texts).unwrap();
    assert_eq!(whole[..2], [[1, 2], [1, 2]]);
    let (start, end) = (whole[2][0], *whole[2].last().unwrap());
    assert_eq!((start, end), (1, 2));
    // What a text spells out is that token; `[MASK]` stands behind the 700 pieces.
    let between = tokenizer(64).encode(&[" a great game"]).unwrap();
    let spelled_out = [&[1, 2], &between[0][1..between[0].len() - 1], &[700, 2]].concat();
    assert_eq!(whole[2], spelled_out);
    for length in [3, 5, whole[2].len() - 1, whole[2].len()] {
        let cut = [&whole[2][..length - 1], &[2]].concat();
        assert_eq!(tokenizer(length).encode(&texts).unwrap()[2], cut);
    }
    let tokenizer = tokenizer(8);
    assert_eq!(tokenizer.pad_id(), Some(0));
    // [MASK] is not in the file.
    let model = fs::read(folder.path().join("spm.model")).unwrap();
    let pieces = DebertaPieces::read(&model).unwrap();
    assert_eq!(pieces.token(1), Some("[CLS]"));
    assert_eq!(tokenizer.vocab_size(), pieces.vocab_size());
    assert_eq!(
        pieces.token(u32::try_from(pieces.vocab_size()).unwrap() - 1),
        None
    );
    let error = tokenizer.for_vocabulary(4).encode(&["game"]).unwrap_err();
    assert!(matches!(
        error,
        TokenizerError::UnknownToModel { vocabulary: 4, .. }
    ));
    let error = Tokenizer::from_folder(folder.path(), 2).unwrap_err();
    assert!(matches!(error, TokenizerError::NoRoom { special: 2, .. }));
}

#[test]
fn a_tokenizer_json_counts_before_an_spm_model() {
    let folder = pieces();
    let json = fixtures().join("word-piece/tokenizer.json");
    fs::copy(json, folder.path().join("tokenizer.json")).unwrap();
    let tokenizer = Tokenizer::from_folder(folder.path(), 8).unwrap();
    assert_eq!(tokenizer.encode(&["great"]).unwrap(), [[2, 153, 3]]);
}

#[test]
fn an_spm_model_that_is_not_debertas_says_so() {
    let refused = |folder: &Path| {
        let error = Tokenizer::from_folder(folder, 8).unwrap_err();
        error.to_string()
    };
    let folder = pieces();
    let config = folder.path().join("tokenizer_config.json");
    fs::write(&config, r#"{"do_lower_case": true}"#).unwrap();
    let error = refused(folder.path());
    assert!(
        error.contains("tokenizer_config.json: `do_lower_case` is not supported"),
        "{error}"
    );
    fs::write(&config, r#"{"do_lower_case": false, "vocab_type": "spm"}"#).unwrap();
    assert!(Tokenizer::from_folder(folder.path(), 8).is_ok());

    let path = folder.path().join("spm.model");
    // One piece for the unknown, one of text, and the model type of byte pairs.
    let pieces = b"\x0a\x05\x0a\x01u\x18\x02\x0a\x03\x0a\x01a".to_vec();
    fs::write(&path, [&pieces[..], b"\x12\x02\x18\x02"].concat()).unwrap();
    let error = refused(folder.path());
    assert!(
        error.contains("spm.model") && error.contains("it is a BPE model"),
        "{error}"
    );
    fs::write(&path, pieces).unwrap();
    let error = refused(folder.path());
    assert!(
        error.contains("no special token `[CLS]`") && error.contains("`tokenizer.json`"),
        "{error}"
    );
}

#[test]
fn padding_of_the_file_itself_names_the_pad_token_where_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = "tokenizer.json";
    fs::copy(
        fixtures().join("word-piece").join(file),
        folder.path().join(file),
    )
    .unwrap();
    let tokenizer = Tokenizer::from_folder(folder.path(), 16).unwrap();
    // The file's `pad_id` is a decoy: transformers adds the token by its name.
    assert_eq!(tokenizer.pad_id(), Some(178));
    assert_eq!(tokenizer.vocab_size(), 179);
}

#[test]
fn tokens_unknown_to_the_model_are_refused() {
    let folder = fixtures().join("word-piece");
    let tokenizer = Tokenizer::from_folder(&folder, 16)
        .unwrap()
        .for_vocabulary(100);
    let error = tokenizer.encode(&["2", "great"]).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "token `great` has the id 153, but the model's `vocab_size` is 100: the tokeniser belongs to another model"
        ),
        "{error}"
    );
    assert!(tokenizer.for_vocabulary(178).encode(&["great"]).is_ok());
}

#[test]
fn lengths_without_room_for_a_text_are_refused() {
    let folder = fixtures().join("word-piece");
    for max_length in [0, 1, 2] {
        let error = Tokenizer::from_folder(&folder, max_length).unwrap_err();
        assert!(
            matches!(error, TokenizerError::NoRoom { special: 2, .. }),
            "{error}"
        );
    }
}

#[test]
fn missing_and_broken_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Tokenizer::from_folder(folder.path(), 16)
        .unwrap_err()
        .to_string();
    assert!(error.contains("tokenizer.json: cannot be read"), "{error}");
    assert!(
        error.ends_with("`vocab.json` and `merges.txt` of a RoBERTa, `spm.model` of a DeBERTa"),
        "{error}"
    );
    for content in ["{\"version\": ", "[]", "{\"version\": \"1.0\"}", "\u{0}"] {
        fs::write(folder.path().join("tokenizer.json"), content).unwrap();
        let error = Tokenizer::from_folder(folder.path(), 16).unwrap_err();
        assert!(matches!(error, TokenizerError::Broken { .. }), "{error}");
    }
}

/// A unigram model with one more piece, and a normaliser.
fn unigram(piece: &str, normalizer: &str) -> String {
    format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {normalizer}, "pre_tokenizer": null,
        "post_processor": null, "decoder": null, "model": {{"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["{piece}", -2.0]]}}}}"#
    )
}

#[test]
fn files_at_which_the_tokenizers_crate_dies_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let load = |content: String| {
        fs::write(folder.path().join("tokenizer.json"), content).unwrap();
        Tokenizer::from_folder(folder.path(), 16)
    };
    // As deep as is let through, in a thread with the least stack there is.
    let tokenizer = load(unigram(&"b".repeat(2048), "null")).unwrap();
    let dropped = std::thread::Builder::new().stack_size(1 << 20);
    dropped
        .spawn(move || drop(tokenizer))
        .unwrap()
        .join()
        .unwrap();
    let error = load(unigram(&"b".repeat(200_000), "null")).unwrap_err();
    assert!(error.to_string().contains("200000 bytes long"), "{error}");
    // Its table leads nowhere, which shows at the first text only, as a panic.
    let table = r#"{"type": "Precompiled", "precompiled_charsmap": "CAAAAAAAAABhAAAAYQA="}"#;
    let tokenizer = load(unigram("b", table)).unwrap();
    let error = tokenizer.encode(&["good"]).unwrap_err();
    assert!(
        matches!(error, TokenizerError::Encoding { text: 0, .. }),
        "{error}"
    );
}
