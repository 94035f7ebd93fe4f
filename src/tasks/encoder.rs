//! From a `[model]` table to the files of an encoder classifier and its number format.

use engine::FloatDType;
use engine::checkpoint::CheckpointError;
use engine::device::{Device, DeviceError};
use engine::models::{NetworkFiles, Source};
use engine::shapes::Role;
use thiserror::Error;

use crate::config::{Model, Precision};

/// Why a model cannot be made.
#[derive(Debug, Error)]
pub enum EncoderError {
    /// The checkpoint's files.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
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

/// Opens the model of a `[model]` table for a number of classes. `seed` draws what a checkpoint lacks.
///
/// # Errors
/// When files are missing or broken, or the model is not supported.
pub fn open(model: &Model, classes: usize, seed: u64) -> Result<NetworkFiles, EncoderError> {
    let source = match (&model.path, &model.random, &model.id) {
        (Some(folder), _, _) => Source::Folder(folder),
        (_, Some(random), _) => Source::Random {
            config: &random.config,
            seed: random.seed,
        },
        (_, _, id) => {
            return Err(EncoderError::Hub {
                id: id.clone().unwrap_or_default(),
            });
        }
    };
    let role = Role::Classifier { classes };
    Ok(NetworkFiles::open(source, role, model.dropout, seed)?)
}
