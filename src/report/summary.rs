//! `summary.csv`: a line for each run and seed, with everything that can be compared.

use super::experiment::{ExperimentReport, RunReport};
use super::seed::SeedReport;
use super::views::{self, number};
use crate::record::CsvWriter;

/// The file's content.
///
/// Columns: `run`, `seed`, `status`, the settings that vary under their dotted keys, `evaluation`
/// and what was measured in it (`rows`, `accuracy` with its 95 % interval and what that
/// covers, `macro_f1`, `loss`); where some run has several seeds, the number of the run's complete `seeds` and the mean
/// over them with its 95 % interval (`accuracy_mean`, `accuracy_mean_low`, `accuracy_mean_high`,
/// likewise `macro_f1` and `loss`), the same on each line of the run; `wall_seconds`, figures of
/// the run under their names, all others as `<evaluation>.<metric>`, then `error`. What a run does
/// not have is empty; where some results are of other settings than the experiment has now, `stale`
/// says in what they differ. Runs that search have none of the columns of an accuracy; a figure of all
/// questions together stands under its plain name, one of a single question as
/// `<question>.<metric>`.
///
/// # Errors
/// Those of the CSV writer.
pub(super) fn csv(experiment: &ExperimentReport) -> csv::Result<Vec<u8>> {
    let view = views::of(&experiment.kind);
    let others = others(experiment);
    let mut header = vec!["run", "seed", "status"];
    header.extend(experiment.varying.iter().map(String::as_str));
    header.extend(view.summary(experiment));
    header.push("wall_seconds");
    header.extend(others.iter().map(|figure| figure.column.as_str()));
    header.push("error");
    let has_stale = experiment.runs.iter().any(|run| run.stale.is_some());
    if has_stale {
        header.push("stale");
    }
    let mut writer = CsvWriter::new(Vec::new());
    writer.write_record(&header)?;
    for (run, seed) in experiment.seeds() {
        let mut line = line(experiment, run, seed, &others);
        if has_stale {
            line.push(seed.stale.clone().unwrap_or_default());
        }
        writer.write_record(line)?;
    }
    writer.into_inner()
}

fn line(
    experiment: &ExperimentReport,
    run: &RunReport,
    seed: &SeedReport,
    others: &[Figure],
) -> Vec<String> {
    let mut line = vec![
        run.name.clone(),
        seed.seed.to_string(),
        seed.status().to_owned(),
    ];
    line.extend(
        experiment
            .varying
            .iter()
            .map(|key| seed.settings.get(key).cloned().unwrap_or_default()),
    );
    line.extend(views::of(&experiment.kind).summarise(experiment, run, seed));
    line.push(number(
        seed.record.as_ref().map(|record| record.wall_seconds),
    ));
    line.extend(
        others
            .iter()
            .map(|figure| number(seed.metric(&figure.evaluation, &[&figure.metric]))),
    );
    line.push(
        seed.record
            .as_ref()
            .and_then(|record| record.error.clone())
            .unwrap_or_default(),
    );
    line
}

/// A figure with a column of its own.
struct Figure {
    evaluation: String,
    metric: String,
    column: String,
}

/// The figures of single metrics in the order in which runs first have them.
fn others(experiment: &ExperimentReport) -> Vec<Figure> {
    let view = views::of(&experiment.kind);
    let mut others: Vec<Figure> = Vec::new();
    for (_, seed) in experiment.seeds() {
        for row in seed.record.iter().flat_map(|record| &record.metrics) {
            let known = others
                .iter()
                .any(|figure| figure.evaluation == row.evaluation && figure.metric == row.metric);
            if known {
                continue;
            }
            let column = view.summary_column(experiment, &row.evaluation, &row.metric);
            others.extend(column.map(|column| Figure {
                evaluation: row.evaluation.clone(),
                metric: row.metric.clone(),
                column,
            }));
        }
    }
    others
}
