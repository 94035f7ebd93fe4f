//! How much the loss of single rows varies, from the probabilities that a run gave them: without
//! that there is no telling how near two losses are.

use std::fs::File;

use super::ours::Subject;
use crate::metrics::standard_deviation;
use crate::record::{CsvReader, PREDICTIONS_FILE, probability_column};
use crate::report::seed::SeedReport;
use crate::study::Reference;

/// Rows that are looked at: more tell nothing new of a deviation.
const MOST_ROWS: usize = 20_000;
/// What a probability that was written as 0 stands for at most.
const LEAST: f64 = 5e-7;

/// The standard deviation of the loss over the rows of the evaluation that a value is of; of the
/// epochs' where it is of none.
pub(super) fn deviation_of(subject: &Subject<'_>, reference: &Reference) -> Option<f64> {
    let seed = subject.first()?;
    match reference {
        Reference::In { evaluation, .. } => deviation(seed, evaluation),
        _ => deviation(seed, seed.epoch_split()),
    }
}

/// The same of a run's evaluation; none without its predictions.
pub(super) fn deviation(seed: &SeedReport, evaluation: &str) -> Option<f64> {
    let file = File::open(seed.folder().join(PREDICTIONS_FILE)).ok()?;
    let mut reader = CsvReader::new(file).ok()?;
    let header = reader.header().clone();
    let column = |name: &str| header.iter().position(|title| title == name);
    let (of, label) = (column("evaluation")?, column("label")?);
    let mut losses = Vec::new();
    while let Some(row) = reader.next_row().ok()? {
        if losses.len() == MOST_ROWS {
            break;
        }
        if row.get(of) != Some(evaluation) {
            continue;
        }
        let probability = column(&probability_column(row.get(label)?))?;
        let probability: f64 = row.get(probability)?.parse().ok()?;
        losses.push(-probability.clamp(LEAST, 1.0).ln());
    }
    standard_deviation(&losses)
}
