//! `metrics.csv`: every figure of every current run, one a line, for whatever reads tables.

use std::fmt::Display;
use std::path::Path;

use rayon::prelude::*;

use super::Seed;
use super::curves::Curves;
use crate::record::{CsvWriter, MetricRow, ReportRow, Row, read_rows, write_in_parts};
use crate::report::experiment::ExperimentReport;
use crate::report::{PAGE_FOLDER, ReportError};

const COLUMNS: [&str; 8] = [
    "experiment",
    "run",
    "seed",
    "evaluation",
    "step",
    "epoch",
    "metric",
    "value",
];

/// The evaluation that belongs to what a training says of its own rows.
const TRAIN: &str = "train";
/// The evaluation of what is measured rather than computed.
const MEASURED: &str = "measured";

/// Runs whose lines are held in memory at once.
const AT_ONCE: usize = 256;

/// Writes the table of these experiments. Figures of a whole run have neither step nor epoch.
///
/// # Errors
/// When it cannot be written.
pub(in crate::report) fn write(
    results: &Path,
    experiments: &[ExperimentReport],
) -> Result<(), ReportError> {
    let seeds: Vec<Seed<'_>> = experiments
        .iter()
        .flat_map(|experiment| Seed::all(results, experiment))
        .collect();
    let path = results.join(PAGE_FOLDER).join(MetricRow::FILE);
    write_in_parts(&path, &|file| {
        let mut head = CsvWriter::new(&mut *file);
        head.write_record(COLUMNS)?;
        head.flush()?;
        drop(head);
        for some in seeds.chunks(AT_ONCE) {
            let lines: Vec<csv::Result<Vec<u8>>> = some.par_iter().map(lines).collect();
            for lines in lines {
                file.write_all(&lines?)?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// The lines of one run with one seed.
struct Lines<'a> {
    /// What each line begins with.
    run: [&'a str; 3],
    writer: CsvWriter<Vec<u8>>,
}

impl Lines<'_> {
    fn push(
        &mut self,
        evaluation: &str,
        point: [&str; 2],
        metric: &str,
        value: f64,
    ) -> csv::Result<()> {
        let value = format!("{value:?}");
        let figure = [evaluation, point[0], point[1], metric, &value];
        self.writer
            .write_record(self.run.iter().chain(figure.iter()))
    }
}

fn lines(seed: &Seed<'_>) -> csv::Result<Vec<u8>> {
    const WHOLE: [&str; 2] = ["", ""];
    let number = seed.report.seed.to_string();
    let mut lines = Lines {
        run: [seed.experiment, seed.run, &number],
        writer: CsvWriter::new(Vec::new()),
    };
    for row in &seed.record.metrics {
        lines.push(&row.evaluation, WHOLE, &row.metric, row.value)?;
    }
    // What is wrong with a file, the report says.
    let report: Vec<ReportRow> = read_rows(&seed.folder).unwrap_or_default();
    for row in report {
        let (Some(precision), Some(recall)) = (row.precision, row.recall) else {
            // The accuracy, which is a figure of its own.
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let support = row.support as f64;
        let figures = [
            ("precision", precision),
            ("recall", recall),
            ("f1_score", row.f1_score),
            ("support", support),
        ];
        for (name, value) in figures {
            let metric = format!("{name}({})", row.class);
            lines.push(&row.evaluation, WHOLE, &metric, value)?;
        }
    }
    for row in &seed.record.measurements {
        lines.push(MEASURED, WHOLE, &row.metric, row.value)?;
    }
    if let Ok(curves) = Curves::read(seed) {
        push_curves(&mut lines, &curves, seed.report.epoch_split())?;
    }
    lines.writer.into_inner()
}

fn push_curves(lines: &mut Lines<'_>, curves: &Curves, split: &str) -> csv::Result<()> {
    for row in &curves.log {
        let (step, epoch) = (row.step.to_string(), row.epoch.to_string());
        let point = [step.as_str(), epoch.as_str()];
        lines.push(TRAIN, point, "loss", row.loss)?;
        lines.push(TRAIN, point, "learning_rate", row.learning_rate)?;
        lines.push(TRAIN, point, "gradient_norm", row.gradient_norm)?;
    }
    for row in &curves.epochs {
        let step = text(curves.end_of(row.epoch));
        let epoch = row.epoch.to_string();
        let point = [step.as_str(), epoch.as_str()];
        lines.push(TRAIN, point, "train_loss", row.train_loss)?;
        lines.push(TRAIN, point, "train_loss_mean", row.train_loss_mean)?;
        lines.push(split, point, "loss", row.validation_loss)?;
        lines.push(split, point, "accuracy", row.accuracy)?;
    }
    Ok(())
}

fn text(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
