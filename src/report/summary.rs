//! `summary.csv`: a line for each run and seed, with everything that can be compared.

use super::estimate::Basis;
use super::experiment::{ExperimentReport, RunReport};
use super::seed::SeedReport;

/// Figures of the main evaluation that have columns under their plain names.
const MAIN: [&str; 4] = ["rows", "accuracy", "macro_f1", "loss"];

/// Columns of what classifies.
const CLASSIFICATION: [&str; 7] = [
    "evaluation",
    "rows",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
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

/// The file's content.
///
/// Columns: `run`, `seed`, `status`, the settings that vary under their dotted keys, `evaluation` and what was measured in it (`rows`,
/// `accuracy` with its 95 % Wilson interval, `macro_f1`, `loss`); where some run has several seeds, the number of the run's complete `seeds` and
/// the mean over them with its 95 % t-interval (`accuracy_mean`, `accuracy_mean_low`, `accuracy_mean_high`, likewise `macro_f1` and `loss`), the
/// same on each line of the run; `wall_seconds`, figures of the run under their names, all others as
/// `<evaluation>.<metric>`, then `error`. What a run does not have is empty. Runs that search have none of the columns of an accuracy; what is
/// said of all questions together stands under its plain name, and of one question as `<question>.<metric>`.
///
/// # Errors
/// Those of the CSV writer.
pub(super) fn csv(experiment: &ExperimentReport) -> csv::Result<Vec<u8>> {
    let others = others(experiment);
    let mut header = vec!["run", "seed", "status"];
    header.extend(experiment.varying.iter().map(String::as_str));
    if !experiment.is_retrieval() {
        header.extend(CLASSIFICATION);
        if experiment.has_several_seeds() {
            header.push("seeds");
            header.extend(MEANS);
        }
    }
    header.push("wall_seconds");
    let named: Vec<String> = others
        .iter()
        .map(|(evaluation, metric)| column(evaluation, metric))
        .collect();
    header.extend(named.iter().map(String::as_str));
    header.push("error");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header)?;
    for (run, seed) in experiment.seeds() {
        writer.write_record(line(experiment, run, seed, &others))?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn line(
    experiment: &ExperimentReport,
    run: &RunReport,
    seed: &SeedReport,
    others: &[(String, String)],
) -> Vec<String> {
    let evaluation = &experiment.evaluation;
    let (accuracy, rows) = (seed.accuracy(evaluation), seed.rows(evaluation));
    let interval = rows.and_then(|_| seed.estimate(evaluation));
    let mut line = vec![
        run.name.clone(),
        seed.seed.to_string(),
        seed.state.text().to_owned(),
    ];
    line.extend(
        experiment
            .varying
            .iter()
            .map(|key| seed.settings.get(key).cloned().unwrap_or_default()),
    );
    if !experiment.is_retrieval() {
        line.extend([
            if seed.record.is_some() {
                evaluation.clone()
            } else {
                String::new()
            },
            rows.map(|rows| rows.to_string()).unwrap_or_default(),
            number(accuracy),
            number(interval.map(|interval| interval.low)),
            number(interval.map(|interval| interval.high)),
            number(seed.macro_f1(evaluation)),
            number(seed.metric(evaluation, &["loss"])),
        ]);
        if experiment.has_several_seeds() {
            line.extend(over_seeds(experiment, run));
        }
    }
    line.push(number(
        seed.record.as_ref().map(|record| record.wall_seconds),
    ));
    line.extend(
        others
            .iter()
            .map(|(evaluation, metric)| number(seed.metric(evaluation, &[metric]))),
    );
    line.push(
        seed.record
            .as_ref()
            .and_then(|record| record.error.clone())
            .unwrap_or_default(),
    );
    line
}

/// The columns of several seeds: how many are complete, and [`MEANS`].
fn over_seeds(experiment: &ExperimentReport, run: &RunReport) -> Vec<String> {
    let evaluation = &experiment.evaluation;
    let mut cells = vec![run.complete().count().to_string()];
    let means = [
        run.accuracy(evaluation)
            .filter(|estimate| !matches!(estimate.basis, Basis::Rows(_))),
        run.estimate(|seed| seed.macro_f1(evaluation)),
        run.estimate(|seed| seed.metric(evaluation, &["loss"])),
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

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// (evaluation, metric) of all figures without a column of their own, in the order in which runs first have them.
fn others(experiment: &ExperimentReport) -> Vec<(String, String)> {
    let mut others: Vec<(String, String)> = Vec::new();
    for (_, seed) in experiment.seeds() {
        for row in seed.record.iter().flat_map(|record| &record.metrics) {
            let key = (row.evaluation.clone(), row.metric.clone());
            let main =
                row.evaluation == experiment.evaluation && MAIN.contains(&row.metric.as_str());
            if !main && !others.contains(&key) {
                others.push(key);
            }
        }
    }
    others
}

fn column(evaluation: &str, metric: &str) -> String {
    if evaluation == "run" || evaluation == "questions" {
        metric.to_owned()
    } else {
        format!("{evaluation}.{metric}")
    }
}
