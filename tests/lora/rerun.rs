//! Finished runs are repeated from their records alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ensayo::plan;
use ensayo::record;

use crate::place::{Place, Said};

/// A place with a finished run `trial/base@1`.
fn finished() -> Place {
    let place = Place::new();
    place.experiment("trial", "");
    place.complete(&[]);
    place
}

fn rerun(place: &Place, arguments: &[&str]) -> Said {
    place.ensayo_with(&[&["rerun"], arguments].concat(), 2, "")
}

/// Every file of the results with its content and the time when it was written.
fn tree(results: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let entries = walkdir::WalkDir::new(results).into_iter();
    let files = entries.map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| {
            let written = fs::metadata(&path).unwrap().modified().unwrap();
            let content = fs::read(&path).unwrap();
            (path, (content, written))
        })
        .collect()
}

#[test]
fn a_run_repeats_byte_for_byte_and_its_results_are_not_touched() {
    let place = finished();
    let before = tree(&place.path("results"));
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 0, "{}{}", said.output, said.talk);
    assert!(
        said.output.starts_with("trial/base@1: identical\n")
            && said.output.contains("; 8 of 8 files the same\n")
            && said.output.contains("  the same inputs: data "),
        "{}",
        said.output
    );
    assert!(!said.output.contains("not the same"), "{}", said.output);
    assert!(before == tree(&place.path("results")));

    // What is kept is a results folder of its own.
    let said = rerun(&place, &["trial/base@1", "--keep", "again", "--json"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let verdict: serde_json::Value = serde_json::from_str(&said.output).unwrap();
    assert_eq!(verdict["verdict"], "identical");
    assert_eq!(verdict["files"].as_array().unwrap().len(), 8);
    let left = |results: &str| {
        let path = place.path(&format!("{results}/trial/base/seed-1/predictions.csv"));
        fs::read(path).unwrap()
    };
    assert!(left("results") == left("again"));
    for (keep, message) in [
        ("again", "there is something already"),
        ("results/again", "inside the results folder"),
    ] {
        let said = rerun(&place, &["trial", "--keep", keep]);
        assert_eq!(said.code, 2, "{keep}");
        assert!(said.talk.contains(message), "{}", said.talk);
    }
    assert!(before == tree(&place.path("results")));
}

#[test]
fn inputs_are_found_from_any_folder_and_named_where_they_are_not_what_they_were() {
    let place = finished();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .args(["rerun", "trial", "--results"])
        .arg(place.path("results"))
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("trial/base@1: identical\n"), "{text}");

    let reviews = fs::read_to_string(place.path("reviews.csv")).unwrap();
    place.write("reviews.csv", &format!("{reviews}one more,1\n"));
    let said = rerun(&place, &["trial"]);
    assert_eq!((said.code, said.output.as_str()), (2, ""));
    assert!(
        said.talk.contains("the content of data.path"),
        "{}",
        said.talk
    );
    fs::remove_file(place.path("reviews.csv")).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk.contains("data.path") && said.talk.contains("not there any more"),
        "{}",
        said.talk
    );
    place.write("reviews.csv", &reviews);
    assert_eq!(rerun(&place, &["trial"]).code, 0);
}

#[test]
fn doctored_results_come_out_different_and_doctored_records_cannot_be_repeated() {
    let place = finished();
    let left = place.left("trial/base@1");
    let (metrics, record) = (left.read("metrics.csv"), left.read("record.json"));
    let accuracy = left.metric("test", "accuracy");
    let better = |text: &str, before: &str| {
        let doctored = text.replace(&format!("{before}{accuracy:?}"), &format!("{before}0.9876"));
        assert_ne!(doctored, text);
        doctored
    };

    // The file alone: its hash is not the record's.
    let file = left.0.join("metrics.csv");
    fs::write(&file, better(&metrics, "test,accuracy,")).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.output.starts_with("trial/base@1: different\n")
            && said.output.contains("  different: metrics.csv: it was changed after the run; the rerun made what the run had left\n"),
        "{}",
        said.output
    );
    fs::remove_file(&file).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 3);
    assert!(
        said.output
            .contains("metrics.csv: it is missing from the results"),
        "{}",
        said.output
    );
    fs::write(&file, &metrics).unwrap();

    // The record's own copy of the figure.
    let mut doctored = left.record();
    for row in &mut doctored.metrics {
        if (row.evaluation.as_str(), row.metric.as_str()) == ("test", "accuracy") {
            row.value = 0.9876;
        }
    }
    doctored.write(&left.0).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 3);
    let line = format!("  different: test accuracy 0.9876 -> {accuracy}\n");
    assert!(said.output.contains(&line), "{}", said.output);

    // Settings that are not those that the results were made with.
    fs::write(
        left.0.join("record.json"),
        record.replace("\"0.005\"", "\"0.006\""),
    )
    .unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!((said.code, said.output.as_str()), (2, ""));
    assert!(said.talk.contains("contradicts itself"), "{}", said.talk);
    fs::write(left.0.join("record.json"), &record).unwrap();
    let settings = left.read("run.toml");
    let other = settings.replace("learning_rate = 0.005", "learning_rate = 0.006");
    assert_ne!(settings, other);
    fs::write(left.0.join("run.toml"), other).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!((said.code, said.output.as_str()), (2, ""));
    assert!(
        said.talk.contains("training.learning_rate"),
        "{}",
        said.talk
    );
}

#[test]
fn another_version_and_its_arithmetic_are_named_and_judged_by_what_comes_out() {
    let place = finished();
    let left = place.left("trial/base@1");
    let mut older = left.record();
    let numerics = older.identity_parts["numerics"].clone();
    older.identity_parts.insert("numerics".into(), "0".into());
    older.identity = plan::of_parts(&older.identity_parts);
    older.environment.version = "0.0.9".into();
    older.environment.commit = None;
    older.environment.threads = 99;
    older.write(&left.0).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 0, "{}{}", said.output, said.talk);
    for line in [
        "trial/base@1: identical\n".to_owned(),
        format!("  not the same: ensayo's arithmetic (version 0 -> {numerics})\n"),
        "  not the same: ensayo 0.0.9 -> ensayo ".to_owned(),
        "  not the same: 99 threads -> ".to_owned(),
    ] {
        assert!(said.output.contains(&line), "{line}{}", said.output);
    }

    // What came out a little otherwise then, as from a card.
    let log = left.read("training_log.csv");
    let first = log.lines().nth(1).unwrap();
    let loss: f64 = first.split(',').nth(2).unwrap().parse().unwrap();
    let drifted = |share: f64| log.replace(&loss.to_string(), &(loss * (1.0 + share)).to_string());
    for (share, code, verdict) in [(1e-5, 0, "within tolerance"), (0.5, 3, "different")] {
        fs::write(left.0.join("training_log.csv"), drifted(share)).unwrap();
        let mut older = left.record();
        let file = older.files.get_mut("training_log.csv").unwrap();
        let path = left.0.join("training_log.csv");
        file.bytes = fs::metadata(&path).unwrap().len();
        file.sha256 = ensayo::content::sha256(&path).unwrap();
        older.write(&left.0).unwrap();
        let said = rerun(&place, &["trial"]);
        assert_eq!(said.code, code, "{}{}", said.output, said.talk);
        let head = format!("trial/base@1: {verdict}\n");
        let line = format!("  {verdict}: training_log.csv: 1 number, by at most ");
        assert!(
            said.output.starts_with(&head) && said.output.contains(&line),
            "{}",
            said.output
        );
    }
}

#[test]
fn what_is_no_finished_run_cannot_be_repeated() {
    let place = finished();
    for (run, message) in [
        ("trail", "did you mean `trial`?"),
        ("trial/base@2", "the seeds are 1"),
    ] {
        let said = rerun(&place, &[run]);
        assert_eq!((said.code, said.output.as_str()), (2, ""), "{run}");
        assert!(said.talk.contains(message), "{}", said.talk);
    }
    let left = place.left("trial/base@1");
    let mut failed = left.record();
    failed.status = record::Status::Failed;
    failed.write(&left.0).unwrap();
    let said = rerun(&place, &["trial"]);
    assert_eq!(said.code, 2);
    assert!(said.talk.contains("did not complete"), "{}", said.talk);
}
