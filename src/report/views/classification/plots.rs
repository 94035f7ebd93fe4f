//! The plots of classifiers: accuracies, the course of training, confusion.

use crate::record::EpochRow;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::plots::courses::{Course, Measure};
use crate::report::plots::{Plot, confusion, curves, epochs, final_metric};
use crate::report::seed::SeedReport;

/// Stems of the plots that compare runs.
pub(super) const STEMS: [&str; 3] = ["final-accuracy", "accuracy-by-epoch", "loss-by-epoch"];

/// The figures that compare an experiment's runs.
pub(super) fn of_experiment(experiment: &ExperimentReport) -> Vec<Plot> {
    let mut plots = Vec::new();
    let name = &experiment.name;
    let bars: Vec<final_metric::Bar> = experiment
        .current()
        .map(|run| bar(run, &experiment.evaluation))
        .collect();
    let axis = format!("accuracy on {} (share of rows)", experiment.evaluation);
    let title = format!("{name}: accuracy of each run");
    if let Some(scene) = final_metric::draw(&title, &axis, &bars, experiment.largest_class()) {
        plots.push(Plot {
            stem: STEMS[0].to_owned(),
            caption: format!(
                "Accuracy of each run on “{}”, with 95 % intervals.",
                experiment.evaluation
            ),
            scene,
        });
    }
    let split = split(experiment);
    let warning = if split == "validation" {
        ""
    } else {
        " Choosing an epoch by it would be selection on the test set."
    };
    let accuracy = Measure {
        name: format!("{split} accuracy (share of rows)"),
        place: "epoch",
        judged: true,
        share: true,
    };
    if let Some(scene) = epochs::draw(
        &format!("{name}: {split} accuracy by epoch"),
        &courses(experiment, |row| row.accuracy),
        &accuracy,
    ) {
        plots.push(Plot {
            stem: STEMS[1].to_owned(),
            caption: format!("Accuracy on the {split} split after each epoch.{warning}"),
            scene,
        });
    }
    let loss = Measure {
        name: format!("{split} loss (nats)"),
        place: "epoch",
        judged: true,
        share: false,
    };
    if let Some(scene) = epochs::draw(
        &format!("{name}: {split} loss by epoch"),
        &courses(experiment, |row| row.validation_loss),
        &loss,
    ) {
        plots.push(Plot {
            stem: STEMS[2].to_owned(),
            caption: format!("Loss on the {split} split after each epoch.{warning}"),
            scene,
        });
    }
    plots
}

/// The figures of one run with one seed.
pub(super) fn of_seed(
    experiment: &ExperimentReport,
    run: &RunReport,
    seed: &SeedReport,
) -> Vec<Plot> {
    let mut plots = Vec::new();
    let label = format!("{}/{} (seed {})", experiment.name, run.name, seed.seed);
    let stem = format!("{}.seed-{}", run.name, seed.seed);
    if let Some(scene) = curves::draw(&label, seed.log(), seed.epochs(), seed.epoch_split()) {
        plots.push(Plot {
            stem: format!("{stem}.curves"),
            caption: "Loss and learning rate over training.".to_owned(),
            scene,
        });
    }
    for confusion in seed.confusions() {
        let title = format!("{label}: confusion on {}", confusion.evaluation);
        if let Some(scene) = confusion::draw(&title, confusion) {
            let caption = format!("Confusion matrix on “{}”.", confusion.evaluation);
            plots.push(Plot {
                stem: format!("{stem}.confusion-{}", file_part(&confusion.evaluation)),
                caption,
                scene,
            });
        }
    }
    plots
}

fn bar(run: &RunReport, evaluation: &str) -> final_metric::Bar {
    let seeds: Vec<f64> = run
        .complete()
        .filter_map(|seed| seed.accuracy(evaluation))
        .collect();
    let missing = || {
        let state = run.state().text();
        if run.complete().next().is_some() {
            format!("no accuracy on {evaluation}")
        } else {
            state.to_owned()
        }
    };
    final_metric::Bar {
        name: run.title(),
        result: run.accuracy(evaluation).ok_or_else(missing),
        seeds,
    }
}

/// The epochs of all runs; of runs that failed on the way, too.
fn courses(experiment: &ExperimentReport, value: impl Fn(&EpochRow) -> f64) -> Vec<Course> {
    let seed_points = |seed: &SeedReport| {
        seed.epochs()
            .iter()
            .map(|row| (row.epoch, value(row)))
            .collect()
    };
    let course = |run: &RunReport| Course {
        name: run.title(),
        seeds: run.seeds.iter().map(seed_points).collect(),
        remark: run.status(&experiment.evaluation),
    };
    experiment.current().map(course).collect()
}

/// What the epochs were evaluated on, if all runs agree.
fn split(experiment: &ExperimentReport) -> &'static str {
    let mut splits = experiment
        .seeds()
        .filter(|(_, seed)| !seed.epochs().is_empty())
        .map(|(_, seed)| seed.epoch_split());
    let first = splits.next().unwrap_or("validation");
    if splits.all(|split| split == first) {
        first
    } else {
        "validation or test"
    }
}

/// An evaluation's name as part of a file name.
fn file_part(name: &str) -> String {
    name.chars()
        .take(60)
        .map(|c| {
            if c.is_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}
