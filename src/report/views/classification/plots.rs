//! The plots of classifiers: accuracies, the course of training, confusion.

use crate::record::EpochRow;
use crate::report::compared::Beside;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::plots::courses::{self, Course, Measure};
use crate::report::plots::final_metric::Dots;
use crate::report::plots::{Plot, confusion, curves, epochs, final_metric};
use crate::report::seed::SeedReport;
use crate::report::views::judged::{self, Judged};

/// Stems of the plots that compare runs.
pub(super) const STEMS: [&str; 7] = [
    "final-accuracy",
    "accuracy-by-epoch",
    "loss-by-epoch",
    judged::STEMS[0],
    judged::STEMS[1],
    judged::STEMS[2],
    BESIDE,
];
const BESIDE: &str = "beside-others";

/// A figure of an epoch.
type OfEpoch = fn(&EpochRow) -> f64;

/// The figures that compare an experiment's runs.
pub(super) fn of_experiment(experiment: &ExperimentReport) -> Vec<Plot> {
    let mut plots = Vec::new();
    let name = &experiment.name;
    plots.extend(accuracies(experiment));
    plots.extend(beside(experiment));
    plots.extend(judged::plots(experiment, &accuracy(experiment)));
    let split = split(experiment);
    let warning = if split == "validation" {
        ""
    } else {
        " Choosing an epoch by it would be selection on the test set."
    };
    let measures: [(&str, &str, &str, OfEpoch); 2] = [
        (STEMS[1], "accuracy", " (share of rows)", |row| row.accuracy),
        (STEMS[2], "loss", " (nats)", |row| row.validation_loss),
    ];
    for (stem, what, unit, value) in measures {
        let measure = Measure {
            name: format!("{split} {what}{unit}"),
            place: "epoch",
            judged: true,
            share: what == "accuracy",
        };
        let courses = courses(experiment, value);
        let title = format!("{name}: {split} {what} by epoch");
        if let Some(scene) = epochs::draw(&title, &courses, &measure) {
            let ends = courses::in_words(&courses, &measure);
            plots.push(Plot {
                stem: stem.to_owned(),
                caption: format!(
                    "{} on the {split} split after each epoch.{ends}{warning}",
                    if measure.share { "Accuracy" } else { "Loss" }
                ),
                scene,
            });
        }
    }
    plots
}

/// What classifiers are judged by.
fn accuracy(experiment: &ExperimentReport) -> Judged<'_> {
    let evaluation = &experiment.evaluation;
    Judged {
        name: format!("accuracy on {evaluation}"),
        unit: "share of rows",
        of: Box::new(|seed| seed.accuracy(evaluation)),
    }
}

fn accuracies(experiment: &ExperimentReport) -> Option<Plot> {
    let evaluation = &experiment.evaluation;
    let runs: Vec<&RunReport> = experiment.current().collect();
    let (names, shared) = judged::short_names(&runs);
    let bars = runs
        .iter()
        .zip(names)
        .map(|(run, name)| bar(run, name, evaluation));
    let bars: Vec<final_metric::Bar> = bars.collect();
    let mut notes = final_metric::intervals(&bars);
    notes.extend(shared);
    let scene = final_metric::draw(&Dots {
        title: format!("{}: accuracy of each run", experiment.name),
        axis: format!("accuracy on {evaluation} (share of rows)"),
        bars: &bars,
        chance: experiment.largest_class(),
        judged: true,
        notes,
    })?;
    Some(Plot {
        stem: STEMS[0].to_owned(),
        caption: format!(
            "Accuracy of each run on “{evaluation}”, with 95 % intervals.{}",
            conclusion(&bars)
        ),
        scene,
    })
}

/// The best run of each of the experiments that `[compare]` names together.
fn beside(experiment: &ExperimentReport) -> Option<Plot> {
    let asked = experiment.compare.as_ref()?;
    let found = &experiment.beside;
    if found.len() < 2 {
        return None;
    }
    let bar = |one: &Beside| final_metric::Bar {
        name: format!("{}: {}", one.experiment, one.run),
        result: Ok(one.accuracy),
        seeds: one.others.clone(),
    };
    let bars: Vec<final_metric::Bar> = found.iter().map(bar).collect();
    let mut notes: Vec<String> = final_metric::intervals(&bars);
    notes.retain(|note| !note.starts_with("Several seeds"));
    if found.iter().any(|one| !one.others.is_empty()) {
        notes.push("Small dots: the other runs of the same experiment.".to_owned());
    }
    let mut rows: Vec<u64> = found.iter().filter_map(|one| one.rows).collect();
    rows.sort_unstable();
    rows.dedup();
    if rows.len() > 1 {
        let each = found.iter().filter_map(|one| {
            Some(format!(
                "{} on {}",
                one.experiment,
                figures::group(&one.rows?.to_string())
            ))
        });
        let each: Vec<String> = each.collect();
        notes.push(format!("Not on the same rows: {}.", each.join(", ")));
    }
    let evaluation = &asked.evaluation;
    let scene = final_metric::draw(&Dots {
        title: format!("{}: the best run of each experiment", experiment.name),
        axis: format!("accuracy on {evaluation} (share of rows)"),
        bars: &bars,
        chance: None,
        judged: true,
        notes,
    })?;
    Some(Plot {
        stem: BESIDE.to_owned(),
        caption: format!(
            "The best run of each of {} experiments on “{evaluation}”, with 95 % intervals.{}",
            found.len(),
            conclusion(&bars)
        ),
        scene,
    })
}

/// Which run is the best, and how many may be as good.
fn conclusion(bars: &[final_metric::Bar]) -> String {
    let judged = bars
        .iter()
        .filter_map(|bar| Some((&bar.name, bar.result.as_ref().ok()?)));
    let judged: Vec<_> = judged
        .filter(|(_, estimate)| estimate.value.is_finite())
        .collect();
    let Some((name, best)) = judged
        .iter()
        .max_by(|one, other| one.1.value.total_cmp(&other.1.value))
    else {
        return String::new();
    };
    if judged.len() < 2 {
        return String::new();
    }
    let near = judged
        .iter()
        .filter(|(_, other)| other.value >= best.low)
        .count()
        - 1;
    let others = judged.len() - 1;
    let unsure = match near {
        _ if best.low >= best.value => String::new(),
        0 => " No other run lies within its interval.".to_owned(),
        near => format!(
            " {} within its interval.",
            figures::others_lie(near, others)
        ),
    };
    format!(" Highest: {name}, {:.4}.{unsure}", best.value)
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

fn bar(run: &RunReport, name: String, evaluation: &str) -> final_metric::Bar {
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
        name,
        result: run.accuracy(evaluation).ok_or_else(missing),
        seeds: if seeds.len() > 1 { seeds } else { Vec::new() },
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
    let runs: Vec<&RunReport> = experiment.current().collect();
    let (names, _) = judged::short_names(&runs);
    let course = |(run, name): (&&RunReport, String)| Course {
        name,
        standing: None,
        seeds: run.seeds.iter().map(seed_points).collect(),
        remark: run.status(&experiment.evaluation),
    };
    runs.iter().zip(names).map(course).collect()
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
