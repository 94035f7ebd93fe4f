//! The files that a classifier is made from.

use std::path::PathBuf;

use burn::tensor::FloatDType;

use super::encoder_classifier::{EncoderClassifier, spelling};
use super::source::Source;
use super::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::ops::Operations;
use crate::shapes::{EncoderConfig, Shapes};

/// A classifier's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct ClassifierFiles {
    /// The folder of configuration and tokeniser.
    pub folder: PathBuf,
    /// Its shapes for the classes at hand.
    pub shapes: Shapes,
    config: EncoderConfig,
    checkpoint: Option<Checkpoint>,
    classes: usize,
    seed: u64,
    head_seed: u64,
}

impl ClassifierFiles {
    /// Opens them for a number of classes. `dropout` takes the place of what `config.json` says; `seed` draws what a checkpoint lacks.
    ///
    /// # Errors
    /// When files are missing or broken, or the model is not supported.
    pub fn open(
        source: Source<'_>,
        dropout: Option<f64>,
        classes: usize,
        seed: u64,
    ) -> Result<Self, CheckpointError> {
        let path = match source {
            Source::Folder(folder) => folder.join("config.json"),
            Source::Random { config, .. } => config.to_owned(),
        };
        let text = std::fs::read_to_string(&path).map_err(|source| CheckpointError::Read {
            path: path.clone(),
            source,
        })?;
        let wrong = |source| CheckpointError::Config {
            path: path.clone(),
            source,
        };
        let mut config = EncoderConfig::read(&text).map_err(wrong)?;
        let shapes = config.shapes(classes);
        if let Some(probability) = dropout {
            config.override_dropout(probability);
        }
        let (checkpoint, base_seed) = match source {
            Source::Folder(folder) => {
                let checkpoint = Checkpoint::open(folder, &shapes.tensors, spelling(&config))?;
                (Some(checkpoint), seed)
            }
            Source::Random { seed, .. } => (None, seed),
        };
        Ok(Self {
            folder: source.folder(),
            shapes,
            config,
            checkpoint,
            classes,
            seed: base_seed,
            head_seed: seed,
        })
    }

    /// Loads the weights, all of them frozen. They and the activations are in `format`.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn load<B: Operations>(
        &self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<EncoderClassifier<B>, CheckpointError> {
        let weights = Weights {
            checkpoint: self.checkpoint.as_ref(),
            seed: self.seed,
            head_seed: self.head_seed,
            deviation: self.config.initializer_range(),
            format,
            device,
        };
        EncoderClassifier::new(&self.config, self.classes, &weights)
    }

    /// Tensors that the checkpoint lacks and that start afresh; none of a model that is random anyway.
    #[must_use]
    pub fn fresh(&self) -> &[String] {
        self.checkpoint.as_ref().map_or(&[], Checkpoint::fresh)
    }
}
