//! Tests of `estimate`, on made-up results trees.

use std::path::Path;

use super::*;
use crate::report::chosen::best as of_experiment;
use crate::report::experiment::ExperimentReport;
use crate::report::read_experiment;
use crate::report::sample::{Sample, write_plan};

fn small(run: &str, seed: u64, accuracy: f64) -> Sample {
    Sample {
        seed,
        accuracy,
        rows: 300,
        epochs: 1,
        steps: 10,
        ..Sample::new("x", run)
    }
}

fn experiment(results: &Path) -> ExperimentReport {
    read_experiment(results, "x").unwrap()
}

fn width(estimate: Estimate) -> f64 {
    estimate.high - estimate.low
}

#[test]
fn a_share_of_few_rows_has_a_wide_interval() {
    let estimate = Estimate::of_share(0.5, 4);
    assert_eq!(estimate.basis, Basis::Rows(4));
    assert!(
        (estimate.low - 0.150).abs() < 1e-3 && (estimate.high - 0.850).abs() < 1e-3,
        "{estimate:?}"
    );
    assert_eq!(Estimate::of_share(0.5, 0).basis, Basis::None);
    assert!(Estimate::of_share(f64::NAN, 10).value.is_nan());
}

#[test]
fn three_seeds_have_the_interval_of_their_mean() {
    let estimate = Estimate::of_seeds(&[0.8, 0.9, 1.0]).unwrap();
    // t(0.975, 2) = 4.303, standard error 0.1 / sqrt(3).
    assert!(
        (estimate.high - (0.9 + 4.303 * 0.057_735)).abs() < 1e-4,
        "{estimate:?}"
    );
    assert_eq!(estimate.basis, Basis::Seeds(3));
    assert_eq!(
        Estimate::of_seeds(&[f64::NAN; 3]).unwrap().basis,
        Basis::None
    );
}

#[test]
fn one_seed_everywhere_covers_other_texts_alone() {
    let results = tempfile::tempdir().unwrap();
    small("a", 1, 0.8).write(results.path());
    small("b", 1, 0.7).write(results.path());
    let experiment = experiment(results.path());
    for run in &experiment.runs {
        let accuracy = run.accuracy("test").unwrap();
        assert_eq!(accuracy.basis, Basis::Rows(300));
        assert_eq!(run.seeds[0].estimate("test"), Some(accuracy));
        let macro_f1 = run.figure("test", Figure::MacroF1).unwrap();
        assert_eq!(macro_f1.basis, Basis::None);
    }
}

#[test]
fn seeds_are_pooled_over_runs_and_single_ones_know_it() {
    let results = tempfile::tempdir().unwrap();
    for run in ["a", "b", "c", "d"] {
        small(run, 1, 0.8).write(results.path());
        small(run, 2, 0.82).write(results.path());
    }
    small("single", 1, 0.81).write(results.path());
    let experiment = experiment(results.path());
    let of = |name: &str| experiment.runs.iter().find(|run| run.name == name).unwrap();
    let (double, single) = (of("a"), of("single"));
    let accuracy = double.accuracy("test").unwrap();
    assert_eq!(accuracy.basis, Basis::Both(300));
    assert!(width(accuracy) < 0.2, "{accuracy:?}");
    let alone = single.accuracy("test").unwrap();
    assert_eq!(alone.basis, Basis::Both(300));
    assert!(width(alone) > width(accuracy));
    let noise = &double.seeds[0].noise;
    let seeds = noise.on("test").unwrap().accuracy.seeds().unwrap();
    assert_eq!((seeds.freedom, seeds.runs), (4, 4));
    assert_eq!(noise.on("test").unwrap().accuracy.looked_up(), 4);
    let loss = double.figure("test", Figure::Loss).unwrap();
    assert_eq!(loss.basis, Basis::Seeds(2));
    let macro_f1 = double.figure("test", Figure::MacroF1).unwrap();
    assert_eq!(macro_f1.basis, Basis::Both(300));
    assert!(noise.on("nowhere").is_none());
}

#[test]
fn without_predictions_intervals_are_wider_not_missing() {
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for results in [&with, &without] {
        for run in ["a", "b", "c", "d", "e"] {
            for seed in [1, 2] {
                small(run, seed, 0.8).write(results.path());
            }
        }
    }
    for seed in experiment(without.path()).seeds() {
        std::fs::remove_file(seed.1.folder().join(crate::record::PREDICTIONS_FILE)).unwrap();
    }
    let accuracy = |results: &Path| experiment(results).runs[0].accuracy("test").unwrap();
    let (known, unknown) = (accuracy(with.path()), accuracy(without.path()));
    assert_eq!(unknown.basis, Basis::Both(300));
    assert!(width(unknown) > width(known), "{unknown:?} {known:?}");
}

#[test]
fn the_best_of_many_is_corrected_and_the_rest_is_said() {
    let results = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..12).map(|run| format!("r{run}")).collect();
    for name in &names {
        small(name, 1, 0.8).write(results.path());
    }
    let fresh = of_experiment(&experiment(results.path()), "test").unwrap();
    assert_eq!((fresh.among, fresh.resampled), (12, 12));
    let corrected = fresh.corrected.unwrap();
    assert!(
        corrected.value < fresh.seen.value - 0.01 && corrected.value > 0.75,
        "{fresh:?}"
    );
    assert_eq!(corrected.basis, Basis::Rows(300));
    let text = fresh.text("test");
    assert!(
        text.contains("is the best of 12 runs on “test”: 0.")
            && text.contains("; on fresh rows about 0."),
        "{text}"
    );
    for name in &names {
        let folder = crate::record::run_folder(results.path(), "x", name, 1);
        std::fs::remove_file(folder.join(crate::record::PREDICTIONS_FILE)).unwrap();
    }
    let fresh = of_experiment(&experiment(results.path()), "test").unwrap();
    assert_eq!(fresh.corrected, None);
    assert!(fresh.text("test").contains("partly luck"));
}

#[test]
fn runs_on_other_rows_and_stale_ones_are_no_contenders() {
    let results = tempfile::tempdir().unwrap();
    for run in ["a", "b"] {
        small(run, 1, 0.8).write(results.path());
    }
    small("gone", 1, 0.99).write(results.path());
    Sample {
        rows: 200,
        ..small("odd", 1, 0.5)
    }
    .write(results.path());
    write_plan(results.path(), "x", &[("a", 1), ("b", 1), ("odd", 1)]);
    let fresh = of_experiment(&experiment(results.path()), "test").unwrap();
    assert_eq!((fresh.among, fresh.resampled), (3, 2));
    assert!(fresh.best != "gone");
    assert!(fresh.corrected.is_some());
}
