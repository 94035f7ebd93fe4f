//! Comparisons on made-up results trees: what a person reads.

use std::fmt::Write;
use std::path::Path;

use insta::assert_snapshot;

use super::*;
use crate::record::{PlanFile, PlannedComparison, run_folder};
use crate::report::build;
use crate::report::sample::{Sample, write_plan};

fn sample(experiment: &'static str, run: &str, accuracy: f64, seed: u64) -> Sample {
    Sample {
        accuracy,
        seed,
        rows: 400,
        epochs: 1,
        steps: 10,
        ..Sample::new(experiment, run)
    }
}

fn contender(results: &Path, experiment: &str, run: &str, seeds: &[u64]) -> Contender {
    let folders: Vec<_> = seeds
        .iter()
        .map(|&seed| (seed, run_folder(results, experiment, run, seed)))
        .collect();
    Contender::read(&format!("{experiment}/{run}"), &folders).unwrap()
}

/// A comparison in words, cell by cell.
fn in_words(compared: &Compared) -> String {
    let mut text = String::new();
    for said in &compared.verdict {
        writeln!(text, "{said}").unwrap();
    }
    for table in &compared.tables {
        writeln!(text, "# {}", table.title).unwrap();
        for row in &table.rows {
            writeln!(text, "{}", row.join(" | ")).unwrap();
        }
    }
    for remark in &compared.remarks {
        writeln!(text, "{remark}").unwrap();
    }
    for row in &compared.rows {
        writeln!(text, "{}", row.join(",")).unwrap();
    }
    text
}

#[test]
fn two_runs_are_told_apart_or_not_in_words() {
    let results = tempfile::tempdir().unwrap();
    for (run, accuracy) in [("good", 0.9), ("bad", 0.7), ("also good", 0.93)] {
        sample("x", run, accuracy, 1).write(results.path());
    }
    let one = |run| contender(results.path(), "x", run, &[1]);
    assert_snapshot!(in_words(&two(&one("good"), &one("bad"), None).unwrap()));
    let near = two(&one("good"), &one("also good"), None).unwrap();
    assert!(
        near.remarks[0].contains("cannot be told apart (p = "),
        "{:?}",
        near.remarks
    );
}

#[test]
fn runs_that_hardly_differ_are_said_to_differ_on_too_few_rows() {
    let results = tempfile::tempdir().unwrap();
    let few = |run, accuracy| {
        Sample {
            rows: 8,
            ..sample("x", run, accuracy, 1)
        }
        .write(results.path());
        contender(results.path(), "x", run, &[1])
    };
    let compared = two(&few("right", 1.1), &few("wrong", 0.7), None).unwrap();
    assert!(
        compared.remarks[0].contains("of 8, and fewer than 6 are never enough"),
        "{:?}",
        compared.remarks
    );
    // Without an interval, the difference stands alone.
    assert!(!compared.tables[1].rows[1][4].contains('['));
}

#[test]
fn several_seeds_decide_together_over_rows_and_over_seeds() {
    let results = tempfile::tempdir().unwrap();
    for seed in [1, 2, 3] {
        sample("x", "steady", 0.9, seed).write(results.path());
        sample("x", "other", 0.7, seed).write(results.path());
        let unsteady = [0.95, 0.6, 0.75][usize::try_from(seed).unwrap() - 1];
        sample("x", "unsteady", unsteady, seed).write(results.path());
    }
    let all = |run| contender(results.path(), "x", run, &[1, 2, 3]);
    assert_snapshot!(in_words(&two(&all("steady"), &all("other"), None).unwrap()));
    let unsteady = two(&all("steady"), &all("unsteady"), None).unwrap();
    assert!(
        unsteady.remarks[0].contains("since their seeds differ among themselves by as much"),
        "{:?}",
        unsteady.remarks
    );
}

#[test]
fn all_pairs_are_corrected_and_the_best_is_named_with_a_warning() {
    let results = tempfile::tempdir().unwrap();
    let runs = [("a", 0.80), ("b", 0.91), ("c", 0.93), ("d", 0.6)];
    let contenders: Vec<Contender> = runs
        .iter()
        .map(|&(run, accuracy)| {
            sample("x", run, accuracy, 1).write(results.path());
            contender(results.path(), "x", run, &[1])
        })
        .collect();
    assert_snapshot!(in_words(&all_pairs(&contenders, None).unwrap()));
}

#[test]
fn many_runs_are_set_against_the_best_or_a_baseline_with_the_verdict_first() {
    let results = tempfile::tempdir().unwrap();
    let runs = [("a", 0.80), ("b", 0.91), ("c", 0.93), ("d", 0.6)];
    let contenders: Vec<Contender> = runs
        .iter()
        .map(|&(run, accuracy)| {
            sample("x", run, accuracy, 1).write(results.path());
            contender(results.path(), "x", run, &[1])
        })
        .collect();
    let best = against(&contenders, None, None).unwrap();
    assert_snapshot!(in_words(&best));
    let baseline = against(&contenders, Some(0), None).unwrap();
    assert_snapshot!(baseline.verdict.join("\n"));
    // A head and three pairs, not six, and no table of pairs beside that of the runs.
    for compared in [best, baseline] {
        assert_eq!((compared.rows.len(), compared.tables.len()), (4, 1));
    }
}

#[test]
fn a_baseline_on_other_rows_than_all_others_is_refused() {
    let results = tempfile::tempdir().unwrap();
    let odd = Sample {
        rows: 300,
        ..sample("x", "odd", 0.9, 1)
    };
    odd.write(results.path());
    for run in ["a", "b"] {
        sample("x", run, 0.9, 1).write(results.path());
    }
    let contenders: Vec<Contender> = ["odd", "a", "b"]
        .iter()
        .map(|run| contender(results.path(), "x", run, &[1]))
        .collect();
    let error = against(&contenders, Some(0), None).unwrap_err().to_string();
    assert!(error.contains("400 rows against 300"), "{error}");
    let compared = against(&contenders, Some(1), None).unwrap();
    assert!(
        compared.remarks[0].starts_with("x/odd@1 is left out"),
        "{:?}",
        compared.remarks
    );
}

#[test]
fn runs_on_other_rows_are_refused() {
    let results = tempfile::tempdir().unwrap();
    sample("x", "a", 0.9, 1).write(results.path());
    Sample {
        rows: 300,
        ..sample("x", "b", 0.9, 1)
    }
    .write(results.path());
    let one = |run| contender(results.path(), "x", run, &[1]);
    assert_snapshot!(two(&one("a"), &one("b"), None).unwrap_err());
    assert_snapshot!(two(&one("a"), &one("a"), Some("custom")).unwrap_err());
    let folders = [
        (1, run_folder(results.path(), "x", "a", 1)),
        (2, run_folder(results.path(), "x", "b", 1)),
    ];
    let error = Contender::read("x/a", &folders).unwrap_err().to_string();
    assert!(error.starts_with("x/a@1 and x/a@2 were not"), "{error}");
    let nothing = [(1, results.path().join("nowhere"))];
    let error = Contender::read("x/n", &nothing).unwrap_err().to_string();
    assert!(error.contains("x/n@1 left no predictions"), "{error}");
}

#[test]
fn of_several_runs_those_on_other_rows_than_most_are_left_out_by_name() {
    let results = tempfile::tempdir().unwrap();
    for (run, rows) in [("odd", 300), ("a", 400), ("b", 400)] {
        Sample {
            rows,
            ..sample("x", run, 0.9, 1)
        }
        .write(results.path());
    }
    let runs = |names: &[&str]| -> Vec<Contender> {
        let names = names.iter();
        names
            .map(|run| contender(results.path(), "x", run, &[1]))
            .collect()
    };
    let compared = all_pairs(&runs(&["odd", "a", "b"]), None).unwrap();
    assert_eq!(
        compared.remarks[0],
        "x/odd@1 is left out: it was evaluated on other rows of `test` than the rest (300 rows against 400)."
    );
    assert_eq!(compared.rows.len(), 2);
    let error = all_pairs(&runs(&["odd", "a"]), None).unwrap_err();
    assert!(
        error.to_string().contains("300 rows against 400"),
        "{error}"
    );
}

/// Two experiments, the first of which names the second and a third without results.
fn study(results: &Path) {
    for (run, accuracy) in [("first", 0.8), ("second", 0.86)] {
        for seed in [1, 2] {
            sample("x", run, accuracy, seed).write(results);
        }
    }
    sample("y", "only", 0.85, 1).write(results);
    write_plan(
        results,
        "x",
        &[("first", 1), ("first", 2), ("second", 1), ("second", 2)],
    );
    let mut plan = PlanFile::read(results, "x").unwrap().unwrap();
    plan.compare = Some(PlannedComparison {
        experiments: vec!["y".into(), "z".into()],
        metric: "accuracy".into(),
        evaluation: "test".into(),
    });
    plan.write(results).unwrap();
    for (experiment, run, seed) in [("x", "second", 1), ("x", "second", 2), ("y", "only", 1)] {
        add_custom(&run_folder(results, experiment, run, seed), seed);
    }
}

/// Adds an evaluation of two rows, one of which depends on the seed.
fn add_custom(folder: &Path, seed: u64) {
    let file = folder.join(crate::record::PREDICTIONS_FILE);
    let mut text = std::fs::read_to_string(&file).unwrap();
    let second = if seed == 1 { "negative" } else { "positive" };
    text.push_str("custom,0,positive,positive,0.5,0.5,\"I would <buy> it\nagain, and again, and once more after that, and then again.\"\n");
    writeln!(text, "custom,1,negative,{second},0.5,0.5,Never").unwrap();
    std::fs::write(&file, text).unwrap();
    let mut record = crate::record::read(folder).unwrap().unwrap();
    record.metrics.push(crate::record::MetricRow {
        evaluation: "custom".into(),
        metric: "accuracy".into(),
        value: 1.0,
    });
    record.write(folder).unwrap();
}

#[test]
fn experiments_that_name_others_are_set_beside_them() {
    let results = tempfile::tempdir().unwrap();
    study(results.path());
    let report = build(results.path(), &[]).unwrap();
    assert!(report.comparison("y").is_none());
    assert_snapshot!(in_words(report.comparison("x").unwrap()));
    let written = report.write(results.path()).unwrap();
    let page = std::fs::read_to_string(written.page).unwrap();
    assert!(page.contains("<h3>Compared with y, z</h3>"));
    assert!(page.contains("I would &lt;buy&gt; it again") && !page.contains("<buy>"));
    let csv = std::fs::read_to_string(results.path().join("x/comparison.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(!results.path().join("y/comparison.csv").exists());
}

#[test]
fn a_comparison_with_nothing_yet_says_what_is_missing() {
    let results = tempfile::tempdir().unwrap();
    study(results.path());
    std::fs::remove_dir_all(results.path().join("y")).unwrap();
    let report = build(results.path(), &[]).unwrap();
    let compared = report.comparison("x").unwrap();
    assert!(compared.tables.is_empty() && compared.rows.is_empty());
    assert_eq!(compared.remarks.len(), 2, "{:?}", compared.remarks);
    assert!(compared.remarks[0].contains("`y` has no results yet"));
}
