//! The program on a card of software: the processor's losses, and what it says when the card or the compiler fails. Skipped, with words, where there is
//! no compiler or CUDA's are missing: see `tests/cuda/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
#![allow(clippy::print_stderr, reason = "what a test has to say")]

#[path = "cuda/card.rs"]
#[allow(dead_code, reason = "shared with the engine's tests")]
mod card;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use card::{Card, Mode};
pub use engine::device::{Places, Toolkit};

/// A few steps of a run of the quick start.
const RUN: &str = "quickstart/rank=4,targets=query+value";
const SHORT: [&str; 8] = [
    "--set",
    "training.epochs=1",
    "--set",
    "training.logging_steps=1",
    "--set",
    "training.max_length=32",
    "--set",
    "data.limit=40",
];

/// A card in a state, and a folder for its results.
struct Try<'a> {
    card: &'a Card,
    mode: Mode,
    architecture: u32,
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl<'a> Try<'a> {
    fn new(card: &'a Card, name: &str, mode: Mode, architecture: u32) -> Self {
        Self {
            card,
            mode,
            architecture,
            folder: card.folder(name),
            variables: Vec::new(),
        }
    }

    fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.push((variable, value.to_owned()));
        self
    }

    fn run(&self, device: &str, settings: &[&str]) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_ensayo"));
        let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let mut command = self
            .card
            .command(program, self.mode, self.architecture, &self.folder);
        command
            .args(["run", RUN, "--device", device, "--experiments"])
            .arg(experiments)
            .arg("--results")
            .arg(self.folder.join(device.replace(':', "-")))
            .args(SHORT)
            .args(settings);
        for (name, value) in &self.variables {
            command.env(name, value);
            if value.is_empty() {
                command.env_remove(name);
            }
        }
        command.output().unwrap()
    }

    fn run_folder(&self, device: &str) -> PathBuf {
        let results = self.folder.join(device.replace(':', "-"));
        results.join(RUN).join("seed-42")
    }

    /// The record that a run on the card left, if it left one.
    fn record(&self) -> Option<serde_json::Value> {
        let text = fs::read_to_string(self.run_folder("cuda:0").join("record.json")).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    fn error(&self) -> String {
        self.record().unwrap()["error"].as_str().unwrap().to_owned()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The numbers of a column of a table that a run left.
fn column(folder: &Path, table: &str, name: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(folder.join(table)).unwrap();
    let at = reader
        .headers()
        .unwrap()
        .iter()
        .position(|header| header == name)
        .unwrap();
    let rows = reader
        .records()
        .map(|row| row.unwrap()[at].parse().unwrap());
    rows.collect()
}

fn assert_close(what: &str, actual: &[f64], expected: &[f64]) {
    assert!(
        !expected.is_empty() && actual.len() == expected.len(),
        "{what}"
    );
    for (actual, expected) in actual.iter().zip(expected) {
        assert!(
            (actual - expected).abs() <= 1e-4,
            "{what}: {actual} where {expected} is right"
        );
    }
}

#[test]
fn a_training_on_a_card_has_the_losses_of_the_processor() {
    let Some(card) = Card::get() else {
        return;
    };
    let place = Try::new(card, "losses", Mode::Run, 61);
    for device in ["cpu", "cuda:0"] {
        let output = place.run(device, &[]);
        assert!(output.status.success(), "{device}: {}", said(&output));
    }
    let (card, processor) = (place.run_folder("cuda:0"), place.run_folder("cpu"));
    for (table, name) in [
        ("training_log.csv", "loss"),
        ("training_log.csv", "gradient_norm"),
        ("epochs.csv", "validation_loss"),
        ("predictions.csv", "probability_1"),
    ] {
        assert_close(
            name,
            &column(&card, table, name),
            &column(&processor, table, name),
        );
    }
    // What burn chose is kept for this model of card.
    let choices = place.folder.join("cuda-0/.cache/autotune");
    let kept: Vec<_> = fs::read_dir(choices).unwrap().flatten().collect();
    assert!(
        kept.len() == 1 && kept[0].file_name().to_string_lossy().contains("61"),
        "{kept:?}"
    );
    let record = place.record().unwrap();
    assert_eq!(record["environment"]["device"], "cuda:0");
    assert!(
        record["environment"]["card"]
            .as_str()
            .unwrap()
            .contains("61"),
        "{record}"
    );
}

#[test]
fn a_kernel_that_does_not_compile_fails_the_run_by_name() {
    let Some(card) = Card::get() else {
        return;
    };
    let place = Try::new(card, "norm", Mode::Run, 61).with("CARD_FAIL_COMPILE", "norm_kernel");
    let output = place.run("cuda:0", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let error = place.error();
    for part in [
        "failed on cuda:0, ",
        "the kernel `norm_kernel",
        "does not compile",
        "#error",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(
        said(&output).contains("does not compile"),
        "{}",
        said(&output)
    );
    assert!(column(&place.run_folder("cuda:0"), "training_log.csv", "loss").is_empty());
}

#[test]
fn a_launch_that_fails_fails_the_run_by_name() {
    let Some(card) = Card::get() else {
        return;
    };
    let place = Try::new(card, "launch", Mode::Run, 61).with("CARD_FAIL_LAUNCH", "norm_kernel");
    let output = place.run("cuda:0", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let error = place.error();
    for part in [
        "failed on cuda:0, ",
        "the kernel `norm_kernel` failed",
        "CUDA_ERROR_LAUNCH_FAILED",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

/// Burn's own launches say no name: a second process finds it.
#[test]
fn a_launch_of_burns_that_fails_is_named_too() {
    let Some(card) = Card::get() else {
        return;
    };
    let place = Try::new(card, "burns", Mode::Run, 61).with("CARD_FAIL_LAUNCH", "elemwise_fuse");
    let output = place.run("cuda:0", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let error = place.error();
    assert!(error.contains("CUDA_ERROR_LAUNCH_FAILED"), "{error}");
    assert!(
        error.contains("kernel") && error.to_lowercase().contains("fuse"),
        "{error}"
    );
}

#[test]
fn a_card_whose_trial_fails_is_refused_before_anything_runs() {
    let Some(card) = Card::get() else {
        return;
    };
    let place = Try::new(card, "trial", Mode::Run, 61).with("CARD_FAIL_COMPILE", "gelu_kernel");
    let output = place.run("cuda:0", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let said = said(&output);
    assert!(said.contains("the kernel `gelu_kernel"), "{said}");
    assert!(said.contains("does not compile"), "{said}");
    assert!(place.record().is_none());
}

#[test]
fn slower_products_are_said_once() {
    let Some(card) = Card::get() else {
        return;
    };
    // Without those that work in shared memory, there are simpler ones left.
    let place = Try::new(card, "products", Mode::Run, 61)
        .with("CARD_FAIL_COMPILE", "matmul_entry")
        .with("CARD_FAIL_SOURCE", "dynamic_shared_mem");
    let output = place.run("cuda:0", &[]);
    assert!(output.status.success(), "{}", said(&output));
    let record = place.record().unwrap();
    let notes: Vec<&str> = record["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect();
    let slower = notes
        .iter()
        .filter(|note| note.contains("products may be slower"));
    assert_eq!(slower.count(), 1, "{notes:?}");
    assert_eq!(said(&output).matches("products may be slower").count(), 1);
}

/// Compute capability 7.5 has no bf16. The wheels are found in a Python environment that is active, with no other variable set.
#[test]
fn bf16_is_refused_where_the_card_lacks_it_and_wheels_are_found_in_an_active_environment() {
    let Some(card) = Card::get() else {
        return;
    };
    let Some(environment) = &card.wheels else {
        eprintln!("skipped: needs CUDA's wheels");
        return;
    };
    let place = Try::new(card, "bf16", Mode::Check, 75)
        .with("CUDA_PATH", "")
        .with("VIRTUAL_ENV", environment.to_str().unwrap());
    let output = place.run("cuda:0", &["--set", "model.precision=bf16"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("model.precision is bf16, which this card"),
        "{said}"
    );
    assert!(said.contains("f32, f16"), "{said}");
    assert!(place.record().is_none());
}

/// With kernels that are neither compiled nor run: only whether each part goes through is asked.
#[test]
fn the_benchmark_for_cards_goes_through() {
    let Some(card) = Card::get() else {
        return;
    };
    let folder = card.folder("benchmark");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/card.sh");
    let output = card
        .command(Path::new("bash"), Mode::Check, 80, &folder)
        .env_remove("CARD_NVRTC")
        .env("ENSAYO", env!("CARGO_BIN_EXE_ensayo"))
        .arg(script)
        .args(["--dry-run", "--without-python", "--out"])
        .arg(folder.join("out"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let table = fs::read_to_string(folder.join("out/card.csv")).unwrap();
    for part in ["parity", "training", "embedding", "memory"] {
        assert!(
            table.lines().any(|line| line.starts_with(part)),
            "{part}: {table}"
        );
    }
}
