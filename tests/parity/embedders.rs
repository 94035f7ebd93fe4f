//! Embedders against sentence-transformers, and Jina BERT against a reference of our own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use engine::FloatDType;
use engine::device::Device;
use engine::models::Source;
use ensayo::retrieval::{Embedder, Embeddings, Given, LoadedEmbedder, Side};

use crate::fixture::{Fixture, assert_close, path};

const KINDS: [&str; 5] = ["bert", "roberta", "xlm-roberta", "mpnet", "jina-bert"];

fn open(folder: &Path) -> LoadedEmbedder {
    let embedder = Embedder::open(Source::Folder(folder), Given::default()).unwrap();
    load(embedder, FloatDType::F32)
}

fn load(embedder: Embedder, format: FloatDType) -> LoadedEmbedder {
    embedder.load(format, Device::Cpu).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    path("embedders").join(name)
}

fn texts() -> Vec<String> {
    serde_json::from_str(&fs::read_to_string(fixture("texts.json")).unwrap()).unwrap()
}

fn embed(embedder: &LoadedEmbedder, texts: &[String], budget: usize) -> Embeddings {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    embedder
        .embed_in_batches(Side::Document, &texts, Some(budget), |_| ())
        .unwrap()
}

/// A copy of a fixture's folder that a test may change.
fn copy(name: &str) -> tempfile::TempDir {
    let (from, to) = (fixture(name), tempfile::tempdir().unwrap());
    for entry in walkdir::WalkDir::new(&from).min_depth(1) {
        let entry = entry.unwrap();
        let target = to.path().join(entry.path().strip_prefix(&from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    to
}

fn refused(folder: &Path) -> String {
    let error = Embedder::open(Source::Folder(folder), Given::default()).unwrap_err();
    error.to_string()
}

#[test]
fn every_kind_with_every_pooling_gives_the_references_vectors() {
    let texts = texts();
    for kind in KINDS {
        let expected = Fixture::read(&format!("embedders/{kind}/expected.safetensors"));
        for pooling in ["mean", "cls", "max"] {
            let folder = copy(kind);
            let file = folder.path().join("1_Pooling/config.json");
            fs::write(file, format!(r#"{{"pooling_mode": "{pooling}"}}"#)).unwrap();
            let found = embed(&open(folder.path()), &texts, 500);
            let vectors = expected.floats(pooling);
            let scale = vectors
                .iter()
                .fold(1.0_f32, |scale, value| scale.max(value.abs()));
            assert_close(
                &format!("{kind} {pooling}"),
                &found.values,
                &vectors,
                1e-5 * scale,
            );
            assert_eq!(found.values.len(), texts.len() * found.width);
            let whole: Vec<usize> = found.tokens.iter().map(|text| text.whole).collect();
            let kept: Vec<usize> = found.tokens.iter().map(|text| text.kept).collect();
            assert_eq!(whole, expected.integers("tokens"), "{kind}");
            assert_eq!(kept, expected.integers("kept"), "{kind}");
            assert!(whole.iter().zip(&kept).any(|(whole, kept)| whole > kept));
        }
    }
}

#[test]
fn a_batch_gives_what_its_rows_give_alone() {
    let texts = texts();
    for kind in KINDS {
        let embedder = open(&fixture(kind));
        let together = embed(&embedder, &texts, 100_000);
        let alone = embed(&embedder, &texts, 1);
        assert_close(kind, &together.values, &alone.values, 1e-5);
        assert_eq!(together.tokens, alone.tokens);
    }
}

#[test]
fn vectors_in_16_bits_are_those_of_f32_as_far_as_16_bits_go() {
    let texts = texts();
    for kind in KINDS {
        let folder = fixture(kind);
        let exact = embed(&open(&folder), &texts, 500);
        for (format, tolerance) in [(FloatDType::F16, 0.02), (FloatDType::BF16, 0.15)] {
            let embedder = Embedder::open(Source::Folder(&folder), Given::default()).unwrap();
            let half = embed(&load(embedder, format), &texts, 500);
            let difference: Vec<f32> = half
                .values
                .iter()
                .zip(&exact.values)
                .map(|(a, b)| a - b)
                .collect();
            let norm =
                |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
            let share = norm(&difference) / norm(&exact.values);
            assert!(
                share > 1e-5 && share < tolerance,
                "{kind} {format:?}: {share}"
            );
        }
    }
}

#[test]
fn a_folder_without_sentence_transformers_files_is_pooled_by_the_mean_and_says_so() {
    let folder = copy("roberta");
    fs::remove_file(folder.path().join("modules.json")).unwrap();
    fs::remove_file(folder.path().join("config_sentence_transformers.json")).unwrap();
    let embedder = open(folder.path());
    assert!(embedder.files().notes(Side::Document)[0].contains("no modules.json"));
    assert!(
        open(&fixture("roberta"))
            .files()
            .notes(Side::Query)
            .is_empty()
    );
    let expected = Fixture::read("embedders/roberta/expected.safetensors");
    let found = embed(&embedder, &texts(), 500);
    assert_close("roberta", &found.values, &expected.floats("mean"), 1e-5);
}

#[test]
fn do_lower_case_puts_texts_into_lower_case() {
    let texts = texts();
    let lower: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    let folder = copy("roberta");
    let as_it_is = embed(&open(folder.path()), &texts, 500);
    let of_lower = embed(&open(folder.path()), &lower, 500);
    let file = folder.path().join("sentence_bert_config.json");
    fs::write(file, r#"{"do_lower_case": true}"#).unwrap();
    let found = embed(&open(folder.path()), &texts, 500);
    assert_eq!(found, of_lower);
    assert_ne!(found, as_it_is);
}

#[test]
fn weights_drawn_from_a_seed_are_the_same_for_the_same_seed() {
    let texts = texts();
    for kind in KINDS {
        let vectors = |seed| {
            let config = fixture(kind).join("config.json");
            let source = Source::Random {
                config: &config,
                seed,
            };
            let embedder = Embedder::open(source, Given::default()).unwrap();
            embed(&load(embedder, FloatDType::F32), &texts, 500).values
        };
        let first = vectors(1);
        assert_eq!(first, vectors(1));
        assert_ne!(first, vectors(2));
        assert!(first.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let cases = [
        (
            "1_Pooling/config.json",
            r#"{"pooling_mode": "lasttoken"}"#,
            "pooling `lasttoken`",
        ),
        (
            "1_Pooling/config.json",
            r#"{"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}"#,
            "the poolings cls, max together",
        ),
        (
            "1_Pooling/config.json",
            r#"{"pooling_mode": "mean", "stride": 3}"#,
            "`stride`: 3",
        ),
        (
            "1_Pooling/config.json",
            r#"{"pooling_mode""#,
            "EOF while parsing",
        ),
        ("modules.json", "[]", "a list of 0 modules"),
        (
            "modules.json",
            r#"[{"path": "", "type": "a.Transformer"}, {"path": "1_Pooling", "type": "a.Pooling"}, {"path": "2", "type": "a.LSTM"}]"#,
            "module 2, a `a.LSTM`",
        ),
        (
            "sentence_bert_config.json",
            r#"{"max_seq_length": 65}"#,
            "end after 64 tokens",
        ),
        (
            "sentence_bert_config.json",
            r#"{"max_seq_length": 2}"#,
            "none is left for the text",
        ),
        (
            "sentence_bert_config.json",
            r#"{"transformer_task": "fill-mask"}"#,
            "`transformer_task`: fill-mask",
        ),
        (
            "2_Dense/config.json",
            r#"{"in_features": 32, "out_features": 20, "activation_function": "torch.nn.GELU"}"#,
            "the activation `GELU`",
        ),
        (
            "2_Dense/config.json",
            r#"{"in_features": 31, "out_features": 20}"#,
            "a layer for vectors of 31 values follows one of 32",
        ),
        (
            "config.json",
            r#"{"model_type": "gpt2"}"#,
            "model_type `gpt2` is not supported as an embedder",
        ),
        (
            "config_sentence_transformers.json",
            r#"{"default_prompt_name": "query"}"#,
            "`default_prompt_name` is `query`",
        ),
    ];
    for (file, content, expected) in cases {
        let folder = copy("bert");
        fs::write(folder.path().join(file), content).unwrap();
        let message = refused(folder.path());
        assert!(message.contains(expected), "{file}: {message}");
        let name = file.rsplit('/').next().unwrap();
        let place = message.contains(name) || message.contains(folder.path().to_str().unwrap());
        assert!(place, "{file}: {message}");
    }
    let folder = copy("bert");
    fs::remove_file(folder.path().join("1_Pooling/config.json")).unwrap();
    assert!(refused(folder.path()).contains("1_Pooling/config.json: cannot be read"));
}

#[test]
fn prompts_of_a_checkpoint_go_before_questions_and_chunks_as_in_sentence_transformers() {
    #[derive(serde::Deserialize)]
    struct Cases {
        texts: Vec<String>,
        cases: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        config: serde_json::Value,
        given: BTreeMap<String, String>,
        query: Vec<f32>,
        document: Vec<f32>,
    }
    let cases = fs::read_to_string(fixture("prompts.json")).unwrap();
    let Cases { texts, cases } = serde_json::from_str(&cases).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut different = 0;
    for case in &cases {
        let folder = copy("bert");
        let file = folder.path().join("config_sentence_transformers.json");
        fs::write(file, case.config.to_string()).unwrap();
        let given = Given {
            query: case.given.get("query").map(String::as_str),
            document: case.given.get("document").map(String::as_str),
            name: None,
        };
        let embedder = Embedder::open(Source::Folder(folder.path()), given).unwrap();
        let embedder = load(embedder, FloatDType::F32);
        for (side, expected) in [(Side::Query, &case.query), (Side::Document, &case.document)] {
            let found = embedder.embed(side, &texts, |_| ()).unwrap();
            let name = format!("{} {side:?}", case.config);
            assert_close(&name, &found.values, expected, 1e-5);
        }
        different += usize::from(case.query != case.document);
    }
    assert!(cases.len() > 5 && different > 3);
}

/// A folder with the real all-MiniLM-L6-v2, and the manual; where one is absent, says that the test is skipped.
fn minilm_and_manual() -> Option<(PathBuf, String)> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let shared = variable("SHARED_DIR")
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let cache = variable("HOME").map(|home| home.join(".cache/all-MiniLM-L6-v2"));
    let model = variable("MINILM").or(cache)?;
    let manual = shared.join("data/manual_bash.txt");
    if let Some(absent) = [&model, &manual].into_iter().find(|path| !path.exists()) {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: {} is absent", absent.display());
        }
        return None;
    }
    Some((model, fs::read_to_string(manual).unwrap()))
}

#[test]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn the_real_minilm_embeds_500_chunks_of_the_manual_as_sentence_transformers_does() {
    let Some((model, manual)) = minilm_and_manual() else {
        return;
    };
    let expected = Fixture::read("embedders/minilm.safetensors");
    let words: Vec<&str> = manual.split_whitespace().collect();
    assert_eq!([words.len()][..], expected.integers("words")[..]);
    let chunks = (0..500).map(|index| words[190 * index..190 * index + 240].join(" "));
    let found = embed(&open(&model), &chunks.collect::<Vec<_>>(), 2048);
    let whole: Vec<f32> = (0..4)
        .flat_map(|index| found.values[index * 125 * 384..][..384].to_vec())
        .collect();
    assert_close("whole vectors", &whole, &expected.floats("whole"), 1e-5);
    let projected = found.values.chunks(found.width).flat_map(|vector| {
        (1..9).map(|row| {
            let terms = vector.iter().zip(1..).map(|(&value, feature)| {
                f64::from(value) * (0.7 * f64::from(feature) * f64::from(row)).cos()
            });
            (terms.sum::<f64>() * (2.0 / vector.len() as f64).sqrt()) as f32
        })
    });
    let projected: Vec<f32> = projected.collect();
    assert_close(
        "projections",
        &projected,
        &expected.floats("projected"),
        1e-5,
    );
}
