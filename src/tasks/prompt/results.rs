//! From predictions to metrics, reports and the file of predictions.

use std::path::Path;

use super::rows::Rows;
use super::written::Written;
use crate::record::{self, MetricRow, PREDICTIONS_FILE, PredictionRow};
use crate::runner::{ExecuteError, Outcome};
use crate::tasks::scores::{judge, metric};

/// What a set's texts were taken for.
pub(super) struct Predicted {
    /// The class of each; none where there is no answer.
    pub(super) classes: Vec<Option<usize>>,
    /// The probability of each class for each text, where there are probabilities.
    pub(super) probabilities: Option<Vec<Vec<f64>>>,
}

/// Writes predictions and reports, and adds the figures of all sets to the outcome.
#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
pub(super) fn write(
    folder: &Path,
    rows: &Rows,
    predicted: &[Predicted],
    outcome: &mut Outcome,
) -> Result<(), ExecuteError> {
    let classes = rows.labels.names();
    let mut reports = Vec::new();
    for ((name, examples), predicted) in rows.sets.iter().zip(predicted) {
        let labels: Vec<usize> = examples.iter().map(|example| example.label).collect();
        // What is no class counts as wrong.
        let chosen = predicted.classes.iter();
        let chosen: Vec<usize> = chosen.map(|class| class.unwrap_or(usize::MAX)).collect();
        let loss = predicted.probabilities.as_ref().map(|probabilities| {
            let of_label = labels.iter().zip(probabilities);
            let sum: f64 = of_label.map(|(&label, shares)| -shares[label].ln()).sum();
            sum / labels.len() as f64
        });
        let (metrics, report) = judge(name, &labels, &chosen, loss, classes);
        outcome.metrics.extend(metrics);
        if predicted.probabilities.is_none() {
            let without = predicted.classes.iter().filter(|class| class.is_none());
            let count = without.count() as f64;
            outcome.metrics.push(metric(name, "unanswered_rows", count));
        }
        reports.extend(report);
    }
    record::write_rows(folder, &reports)?;
    predictions(folder, rows, predicted)
}

fn predictions(folder: &Path, rows: &Rows, predicted: &[Predicted]) -> Result<(), ExecuteError> {
    let classes = rows.labels.names();
    let probable = predicted.iter().all(|set| set.probabilities.is_some());
    let columns = if probable { classes } else { &[] };
    record::write_in_parts(&folder.join(PREDICTIONS_FILE), &|file| {
        let mut writer = record::CsvWriter::new(file);
        writer.write_record(record::prediction_columns(columns))?;
        for ((name, examples), predicted) in rows.sets.iter().zip(predicted) {
            for (place, example) in examples.iter().enumerate() {
                let class = predicted.classes[place];
                let row = PredictionRow {
                    evaluation: name,
                    row: example.row as u64,
                    label: &classes[example.label],
                    prediction: class.map_or("", |class| &classes[class]),
                    text: &example.text,
                };
                let shares = predicted.probabilities.as_ref().filter(|_| probable);
                let shares = shares.map_or(&[][..], |all| &all[place]);
                writer.write_record(row.cells(shares))?;
            }
        }
        writer.flush()
    })?;
    Ok(())
}

/// The figures that belong to no set. `tries` are answers to chunks in all, and chunks that got none
/// of the wanted form.
#[expect(clippy::cast_precision_loss, reason = "counts")]
pub(super) fn run_metrics(
    rows: &Rows,
    prompts: &[Written],
    tries: Option<(usize, usize)>,
) -> Vec<MetricRow> {
    let lengths = prompts.iter().map(|prompt| prompt.tokens.len());
    let mut named = vec![
        ("prompts", prompts.len() as f64),
        ("prompt_tokens", lengths.clone().sum::<usize>() as f64),
        ("longest_prompt_tokens", lengths.max().unwrap_or(0) as f64),
        ("examples", rows.examples.len() as f64),
        ("classified_examples", rows.shown as f64),
    ];
    if let Some((tries, failed)) = tries {
        named.push(("tries", tries as f64));
        named.push(("failed_chunks", failed as f64));
    }
    let rows = named.into_iter();
    rows.map(|(name, value)| metric("run", name, value))
        .collect()
}
