//! What all classifiers show: accuracy, F1 and loss, their intervals, classification reports and
//! confusion.

mod plots;
mod remarks;

use super::{Cell, Detail, Score, View, number};
use crate::record::ReportRow;
use crate::report::estimate::{Basis, Estimate, Figure};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::plots::Plot;
use crate::report::seed::SeedReport;

/// Figures of the main evaluation that have columns under their plain names.
const MAIN: [&str; 4] = ["rows", "accuracy", "macro_f1", "loss"];

/// Columns of `summary.csv`.
const COLUMNS: [&str; 8] = [
    "evaluation",
    "rows",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "accuracy_covers",
    "macro_f1",
    "loss",
];

/// Columns of the means over seeds.
const MEANS: [&str; 9] = [
    "accuracy_mean",
    "accuracy_mean_low",
    "accuracy_mean_high",
    "macro_f1_mean",
    "macro_f1_mean_low",
    "macro_f1_mean_high",
    "loss_mean",
    "loss_mean_low",
    "loss_mean_high",
];

/// How a kind whose runs classify is shown.
pub(super) struct Classification {
    /// Columns of its own beside accuracy, F1 and loss.
    pub scores: fn() -> Vec<Score<'static>>,
    /// What its runs cost.
    pub costs: fn() -> Vec<Score<'static>>,
}

impl View for Classification {
    fn evaluations(&self) -> &'static [&'static str] {
        &["test", "validation"]
    }

    fn scores<'a>(&self, _: &'a ExperimentReport, evaluation: &'a str) -> Vec<Score<'a>> {
        let on = |title: &str| format!("{title} on {evaluation}");
        let accuracy = Score::new("accuracy", |run| {
            run.accuracy(evaluation)
                .map(|estimate| figures::with_interval(&estimate))
        });
        let macro_f1 = Score::new("macro F1", |run| {
            run.figure(evaluation, Figure::MacroF1)
                .map(|estimate| figures::give_or_take(&estimate))
        });
        let loss = Score::new("loss", |run| {
            run.figure(evaluation, Figure::Loss)
                .map(|estimate| figures::give_or_take(&estimate))
        });
        let mut scores = vec![
            Score {
                interval: true,
                ..accuracy.page(on("accuracy")).compared(on("accuracy"))
            },
            macro_f1.compared(on("macro F1")).dispensable(2),
            loss.compared(on("loss")).dispensable(8),
        ];
        scores.extend((self.scores)());
        scores
    }

    fn costs<'a>(&self) -> Vec<Score<'a>> {
        (self.costs)()
    }

    fn summary(&self, experiment: &ExperimentReport) -> Vec<&'static str> {
        let mut columns = COLUMNS.to_vec();
        if experiment.has_several_seeds() {
            columns.push("seeds");
            columns.extend(MEANS);
        }
        columns
    }

    fn summarise(
        &self,
        experiment: &ExperimentReport,
        run: &RunReport,
        seed: &SeedReport,
    ) -> Vec<String> {
        let evaluation = &experiment.evaluation;
        let rows = seed.rows(evaluation);
        let interval = rows.and_then(|_| seed.estimate(evaluation));
        let judged = seed.record.is_some();
        let mut cells = vec![
            if judged {
                evaluation.clone()
            } else {
                String::new()
            },
            rows.map(|rows| rows.to_string()).unwrap_or_default(),
            number(seed.accuracy(evaluation)),
            number(interval.map(|interval| interval.low)),
            number(interval.map(|interval| interval.high)),
            interval
                .map_or("", |interval| interval.basis.text())
                .to_owned(),
            number(seed.macro_f1(evaluation)),
            number(seed.metric(evaluation, &["loss"])),
        ];
        if experiment.has_several_seeds() {
            cells.extend(over_seeds(experiment, run));
        }
        cells
    }

    fn summary_column(
        &self,
        experiment: &ExperimentReport,
        evaluation: &str,
        metric: &str,
    ) -> Option<String> {
        if evaluation == "run" {
            Some(metric.to_owned())
        } else if evaluation == experiment.evaluation && MAIN.contains(&metric) {
            None
        } else {
            Some(format!("{evaluation}.{metric}"))
        }
    }

    fn remarks(&self, experiment: &ExperimentReport) -> Vec<String> {
        remarks::remarks(experiment)
    }

    fn stems(&self) -> &'static [&'static str] {
        &plots::STEMS
    }

    fn plots(&self, experiment: &ExperimentReport) -> Vec<Plot> {
        plots::of_experiment(experiment)
    }

    fn plots_of_seed(
        &self,
        experiment: &ExperimentReport,
        run: &RunReport,
        seed: &SeedReport,
    ) -> Vec<Plot> {
        plots::of_seed(experiment, run, seed)
    }

    fn details(&self, seed: &SeedReport) -> Vec<Detail> {
        let mut evaluations: Vec<&str> = seed
            .classes()
            .iter()
            .map(|row| row.evaluation.as_str())
            .collect();
        evaluations.dedup();
        let report = |evaluation| classification_report(seed, evaluation);
        evaluations.into_iter().map(report).collect()
    }

    fn headline(&self, seed: &SeedReport, evaluation: &str) -> Option<(&'static str, Estimate)> {
        Some(("accuracy", seed.estimate(evaluation)?))
    }

    fn best_by(&self, seed: &SeedReport, metric: &str, evaluation: &str) -> Option<f64> {
        match metric {
            "accuracy" => seed.accuracy(evaluation),
            "macro_f1" => seed.macro_f1(evaluation),
            "loss" => seed.metric(evaluation, &["loss"]).map(|loss| -loss),
            other => seed.metric(evaluation, &[other]),
        }
    }
}

/// The columns of several seeds: how many are complete, and [`MEANS`].
fn over_seeds(experiment: &ExperimentReport, run: &RunReport) -> Vec<String> {
    let evaluation = &experiment.evaluation;
    let mut cells = vec![run.complete().count().to_string()];
    let means = [
        run.accuracy(evaluation)
            .filter(|estimate| !matches!(estimate.basis, Basis::Rows(_))),
        run.figure(evaluation, Figure::MacroF1),
        run.figure(evaluation, Figure::Loss),
    ];
    for mean in means {
        // A single seed has a value, but nothing is known of others.
        let several = mean.filter(|mean| mean.basis != Basis::None);
        let ends = [
            several.map(|mean| mean.value),
            several.map(|mean| mean.low),
            several.map(|mean| mean.high),
        ];
        cells.extend(ends.map(number));
    }
    cells
}

fn classification_report(seed: &SeedReport, evaluation: &str) -> Detail {
    let numbers = ["precision", "recall", "F1", "rows"].map(|title| Cell::of("number", title));
    let row = |row: &ReportRow| {
        let scores = [row.precision, row.recall, Some(row.f1_score)]
            .map(|value| Cell::of("number", value.map(figures::decimal).unwrap_or_default()));
        let support = Cell::of("number", figures::group(&row.support.to_string()));
        std::iter::once(Cell::of("setting", row.class.clone()))
            .chain(scores)
            .chain([support])
            .collect()
    };
    Detail {
        title: format!("Classification report: {evaluation}"),
        head: std::iter::once(Cell::plain("class"))
            .chain(numbers)
            .collect(),
        rows: seed.classes_of(evaluation).map(row).collect(),
        note: seed.estimate(evaluation).map(|estimate| {
            let covered = estimate.basis.text();
            let accuracy = figures::with_interval(&estimate);
            if covered.is_empty() {
                format!("Accuracy {accuracy}")
            } else {
                format!("Accuracy {accuracy}: 95 % interval, {covered}")
            }
        }),
    }
}
