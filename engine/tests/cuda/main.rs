//! What only CUDA runs, on a card of software: every kernel compiled by NVRTC for the cards of five
//! years, and the C++ of the kernels executed.
//!
//! `cargo test --release --features card --test cuda`, with CUDA's compiler and headers: see
//! `tests/cuda/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
#![allow(
    clippy::default_trait_access,
    reason = "the default device is the one under test"
)]
#![allow(clippy::print_stderr, reason = "what a test has to say")]

#[path = "../../../tests/cuda/card.rs"]
#[allow(dead_code, reason = "shared with the program's tests")]
mod card;
#[path = "../vulkan/decoder.rs"]
mod decoder;
#[path = "../parity/decoding.rs"]
mod decoding;
#[path = "../vulkan/encoder.rs"]
mod encoder;
#[path = "../parity/fixture.rs"]
#[allow(dead_code, reason = "shared with the target `parity`")]
mod fixture;
#[path = "../vulkan/kernels.rs"]
mod kernels;
mod launches;
#[path = "../parity/masks.rs"]
mod masks;
#[path = "../parity/ops.rs"]
mod ops;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use card::{Card, Entry, Mode, entries};
pub use engine::device::{Places, Toolkit};

/// The backend without gradients, as the program uses it.
type Accelerated = burn::backend::Cuda;

/// The backend of the shared tests.
type B = burn::backend::Autodiff<Accelerated>;

/// Whether this process is one that a test below has started with a card that computes.
fn ready() -> bool {
    std::env::var("CARD_MODE").is_ok_and(|mode| mode == "run")
}

/// Names of the kernels in `nn/ops/cube`.
const OURS: [&str; 9] = [
    "gelu_kernel",
    "gelu_gradient_kernel",
    "norm_kernel",
    "norm_gradient_kernel",
    "dropout_kernel",
    "pack_kernel",
    "unpack_kernel",
    "attention_probabilities_kernel",
    "attention_scores_gradient_kernel",
];

#[test]
fn the_kernels_here_are_those_of_the_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/nn/ops/cube");
    let texts = std::fs::read_dir(folder).unwrap().flatten();
    let texts: Vec<String> = texts
        .map(|file| std::fs::read_to_string(file.path()).unwrap())
        .collect();
    let launched: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split("watched(&client, \"").skip(1))
        .filter_map(|after| after.split('"').next())
        .collect();
    // A trial's own, which a card without matrix units never meets.
    let tested: BTreeSet<&str> = OURS.into_iter().chain(["matrix_units_kernel"]).collect();
    assert_eq!(launched, tested);
    let defined = texts.iter().flat_map(|text| text.matches("#[cube(launch"));
    assert_eq!(defined.count(), tested.len());
}

/// Runs tests of this program in a process with the card; fails as they do. Returns how many there
/// were.
fn run(card: &Card, mode: Mode, architecture: u32, log: &Path, tests: &[&str]) -> usize {
    let program = std::env::current_exe().unwrap();
    let output = card
        .command(&program, mode, architecture, log)
        .args(tests)
        .args(["--include-ignored", "--test-threads=1", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "sm_{architecture}: {}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let passed = said.split("test result: ok. ").nth(1).unwrap();
    passed.split_whitespace().next().unwrap().parse().unwrap()
}

fn text<'a>(entry: &'a Entry, name: &str) -> &'a str {
    entry[name].as_str().unwrap()
}

/// Which of ours a kernel is; cubecl adds the types to the name.
fn ours(kernel: &str) -> Option<&'static str> {
    OURS.into_iter().find(|name| {
        let rest = kernel.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

/// Everything that training, embedding and decoding launch, checked for one architecture.
fn compiles(architecture: u32) {
    let Some(card) = Card::get() else {
        return;
    };
    let log = card.folder(&format!("sm-{architecture}"));
    assert_eq!(
        run(card, Mode::Check, architecture, &log, &["launches::"]),
        4
    );

    let compilations = entries(&log, "compilations");
    let refused: BTreeMap<_, _> = compilations
        .iter()
        .filter(|entry| entry["result"] != 0)
        .map(|entry| (text(entry, "kernel"), text(entry, "source")))
        .collect();
    assert!(
        refused.is_empty(),
        "sm_{architecture}: {refused:#?} in {}",
        log.display()
    );
    let launched = entries(&log, "launches");
    let wrong: Vec<_> = launched
        .iter()
        .filter(|entry| entry["within"] != true || entry["result"] != 0)
        .collect();
    assert!(wrong.is_empty(), "sm_{architecture}: {wrong:#?}");

    let seen: BTreeSet<_> = launched
        .iter()
        .filter_map(|entry| ours(text(entry, "kernel")))
        .collect();
    assert_eq!(seen, OURS.into(), "sm_{architecture}");
    let spilling: BTreeMap<_, _> = compilations
        .iter()
        .filter(|entry| entry["spill_stores"].as_i64() > Some(0))
        .map(|entry| (text(entry, "kernel"), &entry["spill_stores"]))
        .collect();
    eprintln!(
        "sm_{architecture}: {} kernels, {} launches; spilling, in bytes: {spilling:?}",
        compilations.len(),
        launched.len(),
    );
    let known: Vec<_> = compilations
        .iter()
        .filter(|entry| ours(text(entry, "kernel")).is_some())
        .collect();
    // Where ptxas says nothing, nothing is known.
    assert!(
        known.iter().all(|entry| entry["spill_stores"] == 0),
        "sm_{architecture}: {spilling:?}"
    );
    long_indices(&log, &compilations);
}

/// A tensor of more than 2^32 elements is indexed with 64 bits, every other one with 32.
fn long_indices(log: &Path, compilations: &[Entry]) {
    let source = |entry: &&Entry| std::fs::read_to_string(log.join(text(entry, "source"))).unwrap();
    for kernel in [
        "gelu_kernel",
        "norm_kernel",
        "dropout_kernel",
        "pack_kernel",
        "unpack_kernel",
    ] {
        let sources: Vec<String> = compilations
            .iter()
            .filter(|entry| ours(text(entry, "kernel")) == Some(kernel))
            .map(|entry| source(&entry))
            .collect();
        let long = sources.iter().filter(|source| source.contains("uint64 "));
        assert!((1..sources.len()).contains(&long.count()), "{kernel}");
    }
}

#[test]
fn every_kernel_compiles_for_turing() {
    compiles(75);
}

#[test]
fn every_kernel_compiles_for_ampere() {
    compiles(80);
}

#[test]
fn every_kernel_compiles_for_ada() {
    compiles(89);
}

#[test]
fn every_kernel_compiles_for_hopper() {
    compiles(90);
}

#[test]
fn the_card_of_software_passes_its_own_test() {
    let Some(card) = Card::get() else {
        return;
    };
    let log = card.folder("self-test");
    let program = card.self_test();
    let output = card
        .command(&program, Mode::Run, 61, &log)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn executed_kernels_compute_what_the_processor_computes() {
    let Some(card) = Card::get() else {
        return;
    };
    let log = card.folder("run-kernels");
    let passed = run(
        card,
        Mode::Run,
        61,
        &log,
        &["kernels::", "masks::", "ops::", "decoding::"],
    );
    assert!(passed > 10, "{passed}");
}

#[test]
fn an_executed_encoder_has_the_logits_and_gradients_of_peft_and_the_processor() {
    let Some(card) = Card::get() else {
        return;
    };
    let log = card.folder("run-encoder");
    assert_eq!(run(card, Mode::Run, 61, &log, &["encoder::"]), 2);
}

#[test]
fn an_executed_decoder_has_the_logits_and_answers_of_transformers() {
    let Some(card) = Card::get() else {
        return;
    };
    let log = card.folder("run-decoder");
    assert_eq!(run(card, Mode::Run, 61, &log, &["decoder::"]), 1);
}
