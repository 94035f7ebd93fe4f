//! From a `[model]` table to an encoder classifier on a device.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::{Model, Precision};
use crate::models::{Checkpoint, CheckpointError, EncoderClassifier, Weights, spelling};
use crate::nn::ops::Operations;
use crate::shapes::{EncoderConfig, Shapes, ShapesError};

/// Why a model cannot be made.
#[derive(Debug, Error)]
pub enum EncoderError {
    /// The checkpoint's files.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint's configuration.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ShapesError,
    },
    /// A model of the hub.
    #[error(
        "`{id}` is a model of the hub, which cannot be fetched yet; download its folder and give it as model.path"
    )]
    Hub {
        /// Its id.
        id: String,
    },
    /// A number format that cannot be used yet.
    #[error(
        "model.precision {precision:?} is not supported for encoders yet; use \"auto\" or \"f32\""
    )]
    Precision {
        /// As in the settings.
        precision: Precision,
    },
}

/// A model's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct Encoder {
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

impl Encoder {
    /// Opens the model of a `[model]` table for a number of classes. `seed` draws what a checkpoint lacks.
    ///
    /// # Errors
    /// When files are missing or broken, or the model is not supported.
    pub fn open(model: &Model, classes: usize, seed: u64) -> Result<Self, EncoderError> {
        if !matches!(model.precision, Precision::Auto | Precision::F32) {
            return Err(EncoderError::Precision {
                precision: model.precision,
            });
        }
        let path = match (&model.path, &model.random, &model.id) {
            (Some(folder), _, _) => folder.join("config.json"),
            (_, Some(random), _) => random.config.clone(),
            (_, _, id) => {
                return Err(EncoderError::Hub {
                    id: id.clone().unwrap_or_default(),
                });
            }
        };
        let text = std::fs::read_to_string(&path).map_err(|source| CheckpointError::Read {
            path: path.clone(),
            source,
        })?;
        let wrong = |source| EncoderError::Config {
            path: path.clone(),
            source,
        };
        let mut config = EncoderConfig::read(&text).map_err(wrong)?;
        let shapes = config.shapes(classes);
        if let Some(probability) = model.dropout {
            config.override_dropout(probability);
        }
        let checkpoint = match &model.path {
            Some(folder) => Some(Checkpoint::open(
                folder,
                &shapes.tensors,
                spelling(&config),
            )?),
            None => None,
        };
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let base_seed = model.random.as_ref().map_or(seed, |random| random.seed);
        Ok(Self {
            folder,
            shapes,
            config,
            checkpoint,
            classes,
            seed: base_seed,
            head_seed: seed,
        })
    }

    /// Loads the weights, all of them frozen.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn load<B: Operations>(
        &self,
        device: &B::Device,
    ) -> Result<EncoderClassifier<B>, CheckpointError> {
        let weights = Weights {
            checkpoint: self.checkpoint.as_ref(),
            seed: self.seed,
            head_seed: self.head_seed,
            deviation: self.config.initializer_range(),
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
