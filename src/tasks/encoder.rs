//! From a `[model]` table to an encoder classifier on a device.

use std::path::{Path, PathBuf};

use burn::tensor::FloatDType;
use thiserror::Error;

use crate::config::{Model, Precision};
use crate::device::{Device, DeviceError};
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
    /// A number format of fewer than 16 bits.
    #[error(
        "model.precision {precision:?} is not for encoders; use \"auto\", \"f32\", \"bf16\" or \"f16\""
    )]
    Precision {
        /// As in the settings.
        precision: Precision,
    },
    /// A number format that the device has not.
    #[error("model.precision: {0}")]
    Device(#[from] DeviceError),
}

/// The number format of an encoder's frozen weights and activations on a device.
///
/// # Errors
/// When the settings ask for one that cannot be had.
pub fn format(precision: Precision, device: Device) -> Result<FloatDType, EncoderError> {
    let format = match precision {
        Precision::Auto => device.own_format(),
        Precision::F32 => FloatDType::F32,
        Precision::Bf16 => FloatDType::BF16,
        Precision::F16 => FloatDType::F16,
        Precision::Int8 | Precision::Fp4 | Precision::Nf4 => {
            return Err(EncoderError::Precision { precision });
        }
    };
    device.computes_in(format)?;
    Ok(format)
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

    /// Loads the weights, all of them frozen, in a number format that [`format`] gave.
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
