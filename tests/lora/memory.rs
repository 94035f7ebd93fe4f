//! What decides how much memory a run takes, and what becomes of one that has not enough.

use std::fmt::Write as _;
use std::process::Command;

use crate::place::{CONFIG, Left, Place};

/// A network whose memory is its activations.
fn wide() -> Place {
    let place = Place::new();
    let config = CONFIG
        .replace("\"intermediate_size\": 48", "\"intermediate_size\": 8192")
        .replace("\"initializer_range\": 0.2", "\"initializer_range\": 0.02");
    place.model("wide", &config);
    let mut rows = "text,label\n".to_owned();
    for row in 0..128_usize {
        let words: Vec<&str> = (0..26)
            .map(|place| ["the", "game", "is", "fun", "a", "level"][(row * 7 + place * 5) % 6])
            .collect();
        writeln!(rows, "{} {row},{}", words.join(" "), row % 2).unwrap();
    }
    place.write("long.csv", &rows);
    place
}

const INPUTS: &str = r#"model.random.config = "../wide/config.json"
data.path = "../long.csv"
data.test_size = 0.1"#;

const RUNS: &str = r#"
[[runs]]
name = "whole"
[[runs]]
name = "halves"
training.micro_batch_size = 32
[[runs]]
name = "checkpointed"
training.gradient_checkpointing = true
"#;

/// The other tests' settings, with a large batch and one epoch.
fn set(place: &Place, name: &str) {
    place.experiment_on(name, INPUTS, RUNS);
    let path = place.path(&format!("experiments/{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("batch_size = 8\n", "batch_size = 64\n");
    std::fs::write(path, text.replace("epochs = 2\n", "epochs = 1\n")).unwrap();
}

fn measured(left: &Left, metric: &str) -> f64 {
    let record = left.record();
    let mut rows = record.measurements.iter();
    rows.find(|row| row.metric == metric).unwrap().value
}

#[test]
fn micro_batches_and_checkpointing_need_less_memory_for_nearly_the_same_losses() {
    let place = wide();
    set(&place, "trial");
    place.complete(&[]);
    let left = |run: &str| place.left(&format!("trial/{run}@1"));
    let whole = measured(&left("whole"), "peak_memory_bytes");
    for run in ["halves", "checkpointed"] {
        let other = measured(&left(run), "peak_memory_bytes");
        assert!(other < 0.9 * whole, "{run}: {other} {whole}");
        let loss = left(run).metric("test", "loss");
        assert!((loss - left("whole").metric("test", "loss")).abs() < 1e-4);
    }
    assert_eq!(measured(&left("whole"), "micro_batch_size"), 64.0);
    assert_eq!(measured(&left("halves"), "micro_batch_size"), 32.0);
    assert_eq!(measured(&left("halves"), "memory_restarts"), 0.0);
    assert_eq!(left("halves").record().notes, left("whole").record().notes);
}

/// The memory limit of a shell counts what a process may write to, on Linux alone.
#[cfg(target_os = "linux")]
#[test]
fn a_run_with_memory_for_half_a_batch_ends_as_one_that_was_told_to_take_halves() {
    let place = wide();
    set(&place, "free");
    place.complete(&["free/whole", "free/halves"]);
    let peak = |run: &str| measured(&place.left(&format!("free/{run}@1")), "peak_memory_bytes");
    let (whole, halves) = (peak("whole"), peak("halves"));
    let limit = f64::midpoint(whole, halves) / 1024.0;

    set(&place, "tight");
    let said = Command::new("sh")
        .args(["-c", &format!("ulimit -d {limit:.0} && exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_ensayo"))
        .args(["run", "--device", "cpu", "tight/whole", "--force"])
        .env("RAYON_NUM_THREADS", "2")
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let talk = String::from_utf8(said.stderr).unwrap();
    assert!(said.status.success(), "{talk}");
    let text = "ran out of memory; it goes on with at most 32 rows at once";
    assert!(talk.contains(text), "{talk}");
    let left = place.left("tight/whole@1");
    let notes = left.record().notes;
    assert!(
        notes.iter().any(|note| note.starts_with("memory ran out")),
        "{notes:?}"
    );
    assert_eq!(measured(&left, "micro_batch_size"), 32.0);
    assert_eq!(measured(&left, "memory_restarts"), 1.0);
    let halves = place.left("free/halves@1");
    for file in [
        "predictions.csv",
        "training_log.csv",
        "epochs.csv",
        "metrics.csv",
    ] {
        assert!(left.read(file) == halves.read(file), "{file}");
    }
}

#[test]
fn half_precision_trains_on_the_processor_and_the_record_says_so() {
    let place = Place::new();
    place.experiment(
        "trial",
        r#"
[[runs]]
name = "f32"
[[runs]]
name = "bf16"
model.precision = "bf16"
[[runs]]
name = "f16"
model.precision = "f16"
"#,
    );
    place.complete(&[]);
    let left = |run: &str| place.left(&format!("trial/{run}@1"));
    let exact = left("f32");
    assert_eq!(exact.record().environment.precision, "f32");
    for (run, tolerance) in [("bf16", 0.05), ("f16", 0.01)] {
        let left = left(run);
        assert_eq!(left.record().environment.precision, run);
        let difference = left.metric("test", "loss") - exact.metric("test", "loss");
        assert!(
            difference != 0.0 && difference.abs() < tolerance,
            "{run}: {difference}"
        );
    }
    assert_eq!(left("f16").metric("run", "skipped_steps"), 0.0);
    assert_eq!(left("f16").metric("run", "loss_scale"), 65_536.0);
    for run in ["f32", "bf16"] {
        assert!(!left(run).read("metrics.csv").contains("loss_scale"));
    }
    let said = place.ensayo_with(&["predict", "trial/f16@1", "great fun"], 2, "");
    assert_eq!(said.code, 0, "{}", said.talk);
}

#[test]
fn formats_of_fewer_bits_are_refused_for_encoders() {
    let place = Place::new();
    place.experiment(
        "trial",
        "[[runs]]\nname = \"x\"\nmodel.precision = \"nf4\"\n",
    );
    let said = place.run(&[]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk.contains("encoders are held in 32 or 16 bits"),
        "{}",
        said.talk
    );
}
