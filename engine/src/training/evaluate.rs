//! Predictions of a trained classifier and their loss.

use super::Example;
use crate::models::Classifier;
use crate::nn::Tokens;
use crate::nn::ops::{Operations, watch_kernels};

/// A classifier's outputs for a list of texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    /// For each text, the network's output for each class.
    pub logits: Vec<Vec<f64>>,
    /// For each text, the probability of each class.
    pub probabilities: Vec<Vec<f64>>,
    /// For each text, the cross entropy with its label, in nats.
    pub losses: Vec<f64>,
}

impl Predictions {
    /// The most probable class of each text; the first of equals.
    #[must_use]
    pub fn classes(&self) -> Vec<usize> {
        let best = |row: &Vec<f64>| {
            row.iter().enumerate().fold(
                0,
                |best, (class, value)| if *value > row[best] { class } else { best },
            )
        };
        self.probabilities.iter().map(best).collect()
    }

    /// Mean cross entropy; not a number of no texts.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }
}

/// Runs a classifier over texts in batches, without dropout. `progress` gets the number of finished
/// texts after each batch and returns whether to go on.
///
/// Returns `None` if `progress` stopped it.
pub fn evaluate<B: Operations, M: Classifier<B>>(
    model: &M,
    examples: &[Example],
    batch_size: usize,
    device: &B::Device,
    mut progress: impl FnMut(usize) -> bool,
) -> Option<Predictions> {
    let mut predictions = Predictions::default();
    for batch in examples.chunks(batch_size) {
        let texts: Vec<&[u32]> = batch
            .iter()
            .map(|example| example.tokens.as_slice())
            .collect();
        let logits = model.logits(&Tokens::new(&texts, device), None);
        let classes = logits.dims()[1];
        let values: Vec<f64> = logits.into_data().iter::<f64>().collect();
        // The first batch has shown that the kernels work.
        watch_kernels(false);
        for (row, example) in values.chunks(classes).zip(batch) {
            let logarithms = log_softmax(row);
            predictions.losses.push(-logarithms[example.label]);
            predictions
                .probabilities
                .push(logarithms.into_iter().map(f64::exp).collect());
            predictions.logits.push(row.to_vec());
        }
        if !progress(predictions.losses.len()) {
            return None;
        }
    }
    Some(predictions)
}

fn log_softmax(row: &[f64]) -> Vec<f64> {
    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = row
        .iter()
        .map(|value| (value - highest).exp())
        .sum::<f64>()
        .ln()
        + highest;
    row.iter().map(|value| value - total).collect()
}
