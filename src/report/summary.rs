//! `summary.csv`: a line for each run and seed, with everything that can be compared.

use super::estimate::Estimate;
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

/// The file's content.
///
/// Columns: `run`, `seed`, `status`, the settings that vary under their dotted keys, `evaluation` and what was measured in it (`rows`,
/// `accuracy` with its 95 % Wilson interval, `macro_f1`, `loss`), `wall_seconds`, figures of the run under their names, all others as
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
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let (accuracy, rows) = (seed.accuracy(evaluation), seed.rows(evaluation));
    let interval = accuracy
        .zip(rows)
        .and_then(|(accuracy, rows)| Estimate::of_share(&[(accuracy, Some(rows))]));
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
