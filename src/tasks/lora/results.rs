//! From predictions to metrics, reports and the file of predictions.

use std::path::Path;
use std::time::Duration;

use engine::classifier::AdaptedClassifier;
use engine::device::peak_memory_bytes;
use engine::training::{History, Predictions};

use super::sets::Set;
use crate::record::{self, MeasurementRow, MetricRow, PREDICTIONS_FILE, PredictionRow, ReportRow};
use crate::runner::ExecuteError;
use crate::tasks::scores;

/// The scalars and the classification report of one evaluation.
pub(super) fn judge(
    set: &Set<'_>,
    predictions: &Predictions,
    classes: &[String],
) -> (Vec<MetricRow>, Vec<ReportRow>) {
    let labels: Vec<usize> = set.examples.iter().map(|example| example.label).collect();
    let loss = Some(predictions.loss());
    scores::judge(&set.name, &labels, &predictions.classes(), loss, classes)
}

pub(super) fn write_predictions(
    folder: &Path,
    classes: &[String],
    results: &[(&Set<'_>, Predictions)],
) -> Result<(), ExecuteError> {
    let chosen: Vec<Vec<usize>> = results
        .iter()
        .map(|(_, predictions)| predictions.classes())
        .collect();
    // Row by row: with a thousand classes the file is many times as large as the data.
    record::write_in_parts(&folder.join(PREDICTIONS_FILE), &|file| {
        let mut writer = record::CsvWriter::new(file);
        writer.write_record(record::prediction_columns(classes))?;
        for ((set, predictions), chosen) in results.iter().zip(&chosen) {
            let rows = set
                .examples
                .iter()
                .zip(&set.texts)
                .zip(chosen.iter().zip(&predictions.probabilities));
            for ((example, text), (&class, probabilities)) in rows {
                let row = PredictionRow {
                    evaluation: &set.name,
                    row: example.row as u64,
                    label: &classes[example.label],
                    prediction: &classes[class],
                    text,
                };
                writer.write_record(row.cells(probabilities))?;
            }
        }
        writer.flush()
    })?;
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
pub(super) fn measurements(
    history: &History,
    load: Duration,
    evaluation: Duration,
    evaluated: usize,
    predicted_memory: u64,
) -> Vec<MeasurementRow> {
    let steps = history.step_time.as_secs_f64();
    let mut rows = vec![
        ("load_seconds", load.as_secs_f64()),
        ("train_seconds", steps),
        ("evaluation_seconds", evaluation.as_secs_f64()),
        (
            "evaluation_samples_per_second",
            evaluated as f64 / evaluation.as_secs_f64(),
        ),
        ("predicted_peak_memory_bytes", predicted_memory as f64),
    ];
    if history.steps > 0 {
        rows.push(("train_samples_per_second", history.examples as f64 / steps));
        rows.push(("train_tokens_per_second", history.tokens as f64 / steps));
        rows.push(("train_steps_per_second", history.steps as f64 / steps));
    }
    rows.extend(peak_memory_bytes().map(|bytes| ("peak_memory_bytes", bytes as f64)));
    rows.into_iter()
        .map(|(metric, value)| MeasurementRow {
            metric: metric.to_owned(),
            value,
        })
        .collect()
}

/// How many rows went through the network at once, and how often that was halved for lack of
/// memory.
#[allow(clippy::cast_precision_loss)]
pub(super) fn memory_rows(history: &History, asked: usize) -> [MeasurementRow; 2] {
    let rows = history.micro_batch_size;
    let halvings = (0..usize::BITS).find(|halvings| asked >> halvings <= rows);
    [
        ("micro_batch_size", rows as f64),
        ("memory_restarts", f64::from(halvings.unwrap_or(0))),
    ]
    .map(|(metric, value)| MeasurementRow {
        metric: metric.to_owned(),
        value,
    })
}

/// The memory of a device that has its own, at the end of the run: `device_memory_in_use_bytes` and
/// `device_memory_reserved_bytes`.
#[allow(clippy::cast_precision_loss)]
pub(super) fn device_memory(model: &dyn AdaptedClassifier) -> Vec<MeasurementRow> {
    let rows = model.device_memory().map(|memory| {
        [
            ("device_memory_in_use_bytes", memory.in_use_bytes),
            ("device_memory_reserved_bytes", memory.reserved_bytes),
        ]
    });
    rows.into_iter()
        .flatten()
        .map(|(metric, bytes)| MeasurementRow {
            metric: metric.to_owned(),
            value: bytes as f64,
        })
        .collect()
}
