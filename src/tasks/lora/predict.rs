//! Uses what a run trained.

use std::path::Path;

use engine::classifier::{self, Start};
use engine::device::Device;

use super::sets::tokenise;
use crate::config::LoraSettings;
use crate::data::{self, Tokenizer};
use crate::record::RunRecord;
use crate::runner::ExecuteError;
use crate::tasks::{encoder, prepare};

/// What a trained run says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the most probable class.
    pub class: usize,
    /// The network's output for each class.
    pub logits: Vec<f64>,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
}

/// Predictions for several texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Class names in the order of their indices.
    pub classes: Vec<String>,
    /// One for each text.
    pub rows: Vec<Prediction>,
}

/// Classifies texts with what the run in `folder` trained.
///
/// # Errors
/// When the run's model or adapter cannot be read.
pub fn predict(
    folder: &Path,
    record: &RunRecord,
    settings: &LoraSettings,
    texts: &[String],
    device: Device,
) -> Result<Predictions, ExecuteError> {
    prepare(device, folder);
    let classes = record.labels.clone();
    let encoder = encoder::open(&settings.model, classes.len(), record.seed)?;
    let max_length = settings
        .training
        .max_length
        .min(encoder.shapes.max_positions);
    let tokenizer = Tokenizer::from_folder(&encoder.folder, max_length)?
        .for_vocabulary(encoder.shapes.vocab_size);
    let rows = texts.iter().enumerate().map(|(row, text)| data::Example {
        row,
        text: text.clone(),
        label: 0,
    });
    let examples = tokenise(
        |texts| tokenizer.encode(texts),
        &rows.collect::<Vec<_>>(),
        "given",
    )?;
    let format = encoder::format(settings.model.precision, device)?;
    let adapter = folder.join("adapter");
    let model = classifier::load(&encoder, Start::Folder(&adapter), format, device)?;
    let batch_size = settings.training.rows_at_once();
    let predictions = model
        .evaluate(&examples, batch_size, &mut |_| true)
        .unwrap_or_default();
    let rows = predictions
        .classes()
        .into_iter()
        .zip(predictions.logits)
        .zip(predictions.probabilities);
    Ok(Predictions {
        classes,
        rows: rows
            .map(|((class, logits), probabilities)| Prediction {
                class,
                logits,
                probabilities,
            })
            .collect(),
    })
}
