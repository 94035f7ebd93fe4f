//! Every format that comes from outside: sound files of it, and the way in which the program reads one.

use std::fs;
use std::path::{Path, PathBuf};

use engine::FloatDType;
use engine::checkpoint::{Checkpoint, CheckpointError, TensorFiles};
use engine::classifier::{self, Start};
use engine::device::Device;
use engine::models::{NetworkFiles, Source};
use engine::shapes::{Role, Shapes};
use engine::training::{History, State};
use ensayo::config::{self, Look, Settings, System};
use ensayo::data::{Tokenizer, read, read_texts};
use ensayo::grid;
use ensayo::record::{self, MetricRow, PlanFile, RunFile};
use ensayo::report;
use ensayo::tasks::checkpoint;

use crate::ROOT;

/// A format.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Where in a folder a file of it stands.
    pub file: &'static str,
    /// Sound files.
    pub sound: fn() -> Vec<Vec<u8>>,
    /// Puts what else is needed into a folder.
    pub prepare: fn(&Path),
    /// Reads the file in its folder, whatever is in it, and says whether it was of use.
    pub read: fn(&Path) -> bool,
    /// Whether its header is worth changing alone.
    pub has_header: bool,
    /// Bytes that reading may take beside the file's: for the program's own tables, or a model that is loaded beside it.
    pub allowance: usize,
    /// Bytes that reading may take for each byte of the file.
    pub multiple: usize,
    /// Broken files that the tests read.
    pub cases: usize,
}

impl Format {
    /// A folder with everything but the file itself.
    pub fn folder(&self) -> tempfile::TempDir {
        // Hundreds of thousands of files are no work for a disk.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = tempfile::Builder::new()
            .prefix("ensayo-mutated-")
            .tempdir_in(place)
            .unwrap();
        (self.prepare)(folder.path());
        folder
    }
}

/// All of them.
pub static FORMATS: [Format; 13] = [
    Format {
        name: "toml",
        file: "experiments/trial.toml",
        sound: sound_experiments,
        prepare: prepare_experiments,
        read: read_toml,
        has_header: false,
        allowance: 8 << 20,
        multiple: 1000,
        cases: 8_000,
    },
    Format {
        name: "csv",
        file: "rows.csv",
        sound: || {
            vec![
                b"text,label\ngood,1\n\"bad, \"\"very\"\"\",0\r\n\"two\nlines\",1\n".to_vec(),
                root("data/quickstart-reviews.csv")[..2000].to_vec(),
            ]
        },
        prepare: nothing,
        read: |folder| {
            let path = folder.join("rows.csv");
            let _ = read_texts(&path, "text");
            read(&path, "text", "label", None).is_ok()
        },
        has_header: false,
        allowance: 1 << 20,
        multiple: 64,
        cases: 20_000,
    },
    Format {
        name: "jsonl",
        file: "rows.jsonl",
        sound: || {
            vec![b"{\"text\": \"good\", \"label\": 1}\n\n{\"text\": \"b\\u0061d\", \"label\": \"no\", \"more\": [1, {\"a\": null}]}\n".to_vec()]
        },
        prepare: nothing,
        read: |folder| read(&folder.join("rows.jsonl"), "text", "label", None).is_ok(),
        has_header: false,
        allowance: 1 << 20,
        multiple: 128,
        cases: 20_000,
    },
    Format {
        name: "config.json",
        file: "config.json",
        sound: || {
            vec![
                reference("bert/checkpoint/config.json"),
                reference("roberta/checkpoint/config.json"),
                reference("xlm-roberta/checkpoint/config.json"),
                reference("deberta/p2c/checkpoint/config.json"),
            ]
        },
        prepare: nothing,
        read: |folder| {
            let Ok(text) = fs::read_to_string(folder.join("config.json")) else {
                return false;
            };
            let Ok(shapes) = Shapes::read(&text, 3) else {
                return false;
            };
            let _ = (
                shapes.total_parameters(),
                shapes.trainable_parameters(8, &["query".into()]),
            );
            true
        },
        has_header: false,
        allowance: 8 << 20,
        multiple: 64,
        cases: 15_000,
    },
    Format {
        name: "tokenizer.json",
        file: "tokenizer.json",
        sound: || {
            vec![
                parity("tokenizer/word-piece/tokenizer.json"),
                parity("tokenizer/byte-level/tokenizer.json"),
                UNIGRAM.into(),
                UNIGRAM.replace(PRECOMPILED, "").into(),
            ]
        },
        prepare: nothing,
        read: read_tokeniser,
        has_header: false,
        allowance: 8 << 20,
        multiple: 256,
        cases: 4_000,
    },
    Format {
        name: "spm.model",
        file: "spm.model",
        sound: || {
            vec![
                parity("sentencepiece/rules/spm.model"),
                parity("sentencepiece/ties/spm.model"),
            ]
        },
        prepare: nothing,
        read: read_tokeniser,
        has_header: false,
        allowance: 2 << 20,
        multiple: 256,
        cases: 20_000,
    },
    Format {
        name: "safetensors",
        file: "model.safetensors",
        sound: || {
            vec![
                reference("pytorch-bin/odd.safetensors"),
                reference("bert/bare/expected.safetensors"),
            ]
        },
        prepare: nothing,
        read: |folder| read_tensors(folder.join("model.safetensors")),
        has_header: true,
        allowance: 1 << 20,
        multiple: 64,
        cases: 20_000,
    },
    Format {
        name: "safetensors index",
        file: "model.safetensors.index.json",
        sound: || vec![reference("bert/sharded/model.safetensors.index.json")],
        prepare: |folder| {
            for name in [
                "config.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ] {
                fs::write(
                    folder.join(name),
                    reference(&format!("bert/sharded/{name}")),
                )
                .unwrap();
            }
        },
        read: |folder| {
            let text = fs::read_to_string(folder.join("config.json")).unwrap();
            let shapes = Shapes::read(&text, 2).unwrap();
            Checkpoint::open(folder, &shapes.tensors, shapes.spelling).is_ok()
        },
        has_header: false,
        allowance: 1 << 20,
        multiple: 64,
        cases: 8_000,
    },
    Format {
        name: "bin",
        file: "pytorch_model.bin",
        sound: || {
            ["odd", "plain-dict", "protocol-4"]
                .map(|name| reference(&format!("pytorch-bin/{name}.bin")))
                .to_vec()
        },
        prepare: nothing,
        read: |folder| read_tensors(folder.join("pytorch_model.bin")),
        has_header: false,
        allowance: 1 << 20,
        multiple: 128,
        cases: 15_000,
    },
    Format {
        name: "adapter_config.json",
        file: "adapter_config.json",
        sound: || {
            vec![
                reference("adapters/patterns/adapter/adapter_config.json"),
                reference("adapters/expression/adapter/adapter_config.json"),
                reference("adapters/pooler-saved/adapter/adapter_config.json"),
            ]
        },
        prepare: |folder| {
            fs::write(
                folder.join("adapter_model.safetensors"),
                reference("adapters/patterns/adapter/adapter_model.safetensors"),
            )
            .unwrap();
        },
        read: read_adapter,
        has_header: false,
        allowance: 48 << 20,
        multiple: 64,
        cases: 3_000,
    },
    Format {
        name: "adapter_model.safetensors",
        file: "adapter_model.safetensors",
        sound: || {
            vec![reference(
                "adapters/patterns/adapter/adapter_model.safetensors",
            )]
        },
        prepare: |folder| {
            fs::write(
                folder.join("adapter_config.json"),
                reference("adapters/patterns/adapter/adapter_config.json"),
            )
            .unwrap();
        },
        read: read_adapter,
        has_header: true,
        allowance: 48 << 20,
        multiple: 64,
        cases: 3_000,
    },
    Format {
        name: "checkpoint.safetensors",
        file: "checkpoint.safetensors",
        sound: sound_checkpoint,
        prepare: nothing,
        read: |folder| checkpoint::read(folder, "identity").is_some(),
        has_header: true,
        allowance: 1 << 20,
        multiple: 64,
        cases: 15_000,
    },
    Format {
        name: "record.json",
        file: "x/base/seed-1/record.json",
        sound: || vec![RECORD.into()],
        prepare: |folder| fs::create_dir_all(folder.join("x/base/seed-1")).unwrap(),
        read: read_record,
        has_header: false,
        allowance: 4 << 20,
        multiple: 160,
        cases: 10_000,
    },
];

fn nothing(_: &Path) {}

fn root(path: &str) -> Vec<u8> {
    fs::read(Path::new(ROOT).join(path)).unwrap()
}

fn parity(path: &str) -> Vec<u8> {
    root(&format!("tests/parity/{path}"))
}

/// A fixture of the engine's.
fn reference(path: &str) -> Vec<u8> {
    root(&format!("engine/tests/parity/{path}"))
}

fn sound_experiments() -> Vec<Vec<u8>> {
    let bundled = ["quickstart", "minilm-lora"].map(|name| {
        let text = root(&format!("experiments/{name}.toml"));
        let text = String::from_utf8(text).unwrap();
        text.replace(&format!("\"{name}\""), "\"trial\"")
    });
    let mut all: Vec<Vec<u8>> = bundled.map(String::into_bytes).into();
    all.extend([RAG, LORA].map(|text| text.as_bytes().to_vec()));
    all
}

/// The quick start's model and data, where its experiment looks for them.
fn prepare_experiments(folder: &Path) {
    fs::create_dir(folder.join("experiments")).unwrap();
    for file in [
        "models/quickstart-encoder/config.json",
        "models/quickstart-encoder/tokenizer.json",
        "data/quickstart-reviews.csv",
    ] {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, root(file)).unwrap();
    }
}

/// Experiments as `ensayo check` reads them, and what it says of them.
fn read_toml(folder: &Path) -> bool {
    let loaded = config::load(
        &folder.join("experiments"),
        &["training.epochs=1".to_owned()],
    )
    .unwrap();
    let study = grid::expand(loaded, &System);
    let said = study.problems.render(Look::Plain, 100);
    study.problems.is_empty() && !said.is_empty()
}

/// Whether a tokeniser has tokens for texts of every sort.
fn read_tokeniser(folder: &Path) -> bool {
    let Ok(tokenizer) = Tokenizer::from_folder(folder, 16) else {
        return false;
    };
    tokenizer
        .encode(&[
            "good game",
            "",
            "[MASK] \u{1f600} aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
            "e\u{301}\0\n ﬁ",
        ])
        .is_ok()
}

/// All tensors of a file of weights, which hold what they say.
fn read_tensors(path: PathBuf) -> bool {
    let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    let Ok(files) = TensorFiles::open(vec![path]) else {
        return false;
    };
    for name in files.names() {
        let values = match files.read(name) {
            Ok(values) => values.unwrap(),
            // Any byte may make a number endless, which is an error of its own.
            Err(CheckpointError::NotFinite { .. }) => return false,
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(
            values.len(),
            files.shape(name).unwrap().iter().product::<usize>()
        );
        assert!(values.len() <= size, "more than was stored");
    }
    true
}

/// An adapter on the model that it was made for, and as the start of an experiment.
fn read_adapter(folder: &Path) -> bool {
    let config = format!("{ROOT}/engine/tests/parity/bert/checkpoint/config.json");
    let source = Source::Random {
        config: Path::new(&config),
        seed: 1,
    };
    let model = NetworkFiles::open(source, Role::Classifier { classes: 2 }, None, 1).unwrap();
    let init = format!("[lora]\ninit = \"{}\"", folder.display());
    let text = LORA.replace("[lora]\ntargets = [\"query\", \"value\"]", &init);
    let text = text.replace("../models/quickstart-encoder/config.json", &config);
    let loaded = config::read_all(&[("trial.toml".into(), text)], &[]);
    let _ = grid::expand(loaded, &System)
        .problems
        .render(Look::Plain, 100);
    let start = Start::Folder(folder);
    classifier::load(&model, start, FloatDType::F32, Device::Cpu).is_ok()
}

fn sound_checkpoint() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let state = State {
        history: History {
            steps: 3,
            mean_loss: 0.3,
            ..History::default()
        },
        losses: vec![0.7, 1.0 / 3.0, 0.1],
        parameters: vec![vec![1.0, -0.0], vec![f32::MIN_POSITIVE]],
        moments: vec![[vec![0.1, 0.2], vec![0.3, 0.4]], [vec![0.5], vec![0.6]]],
        kept: Some(vec![vec![9.0, 8.0], vec![7.0]]),
    };
    checkpoint::write(folder.path(), "identity", &state).unwrap();
    vec![fs::read(folder.path().join(record::CHECKPOINT_FILE)).unwrap()]
}

/// A record, taken for each of the files of its kind, and the report that is made from it.
fn read_record(folder: &Path) -> bool {
    let run = folder.join("x/base/seed-1");
    let content = fs::read(run.join("record.json")).unwrap();
    let _ = record::read_all(folder);
    fs::write(folder.join("x/plan.json"), &content).unwrap();
    let _ = PlanFile::read(folder, "x");
    fs::remove_file(folder.join("x/plan.json")).unwrap();
    fs::write(run.join("run.toml"), &content).unwrap();
    fs::write(run.join("metrics.csv"), &content).unwrap();
    let _ = RunFile::<Settings>::read(&run);
    let _ = record::read_rows::<MetricRow>(&run);
    let report = report::build(folder, &[]).unwrap();
    let _ = report.terminal_table("x", Some(80));
    record::read(&run).is_ok_and(|record| record.is_some())
}

const LORA: &str = r#"name = "trial"
kind = "lora"
seeds = [1, 2]
model.random = { config = "../models/quickstart-encoder/config.json", seed = 0 }
data.path = "../data/quickstart-reviews.csv"
data.evaluations = [{ name = "own", rows = [{ text = "good ü", label = 1 }] }]
training = { epochs = 3, max_length = 64 }
[lora]
targets = ["query", "value"]
[[runs]]
name = "short"
training.epochs = 1
[grid]
"training.batch_size" = [4, 8]
[[grid.zip]]
"training.learning_rate" = [1e-4, 2e-4]
"training.weight_decay" = [0.0, 0.01]
[[grid.exclude]]
"training.batch_size" = 8
"#;

const RAG: &str = r#"name = "trial"
kind = "rag"
document = { url = "https://example.org/x.txt", sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }
chunks = { strategy = "words", size = 300, overlap = 100 }
embedder.kind = "bm25"
retrieval.top_k = 10
generator.kind = "extractive"
[[questions]]
id = "general"
text = """¿Qué es?
"""
relevant = ["intérprete"]
[grid]
"chunks.size" = [300, 500]
"#;

/// A table that leads nowhere, at which the tokenizers crate panics.
const PRECOMPILED: &str =
    r#"{"type": "Precompiled", "precompiled_charsmap": "CAAAAAAAAABhAAAAYQA="}, "#;

const UNIGRAM: &str = r#"{"version": "1.0", "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
"padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>"},
"added_tokens": [{"id": 1, "content": "<pad>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
"normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": "CAAAAAAAAABhAAAAYQA="}, {"type": "NFKC"},
{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\s+|\\w+"}, "behavior": "Isolated", "invert": false},
{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}]},
"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<pad>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
"pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"<pad>": {"id": "<pad>", "ids": [1], "tokens": ["<pad>"]}}},
"decoder": {"type": "ByteFallback"},
"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["<pad>", 0.0], ["▁good", -2.5], ["▁", -3.0], ["game", -3.5], ["a", -4.0], ["<0x0A>", -9.0]], "byte_fallback": true}}"#;

const RECORD: &str = r#"{"schema": 1, "experiment": "x", "run": "base", "seed": 1, "kind": "lora", "status": "complete", "identity": "abc",
"identity_parts": {"lora.rank": "8", "data.path": "sha256:00"}, "overrides": ["training.epochs=1"], "started": "2026-01-01T00:00:00Z", "wall_seconds": 1.5,
"metrics": [{"evaluation": "test", "metric": "accuracy", "value": 0.75}, {"evaluation": "test", "metric": "loss", "value": "NaN"},
{"evaluation": "run", "metric": "steps", "value": 12}], "measurements": [{"metric": "wall_seconds", "value": 1.5}], "labels": ["0", "1"],
"notes": ["a note"], "environment": {"version": "0.1.0", "commit": "abc", "device": "cpu", "threads": 2, "precision": "f32", "content": {"model": "00"}}, "error": "none"}"#;
