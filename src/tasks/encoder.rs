//! From a `[model]` table to the files of an encoder classifier and its number format.

use engine::FloatDType;
use engine::checkpoint::CheckpointError;
use engine::device::{Device, DeviceError};
use engine::models::NetworkFiles;
use engine::shapes::Role;
use thiserror::Error;

use super::format;
use super::snapshot::{OriginError, Snapshot};
use crate::config::{Head, Model, Precision};
use crate::hub::Wanted;

/// Why a model cannot be made.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum EncoderError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error(
        "model.precision {precision:?} is not for encoders; use \"auto\", \"f32\", \"bf16\" or \"f16\""
    )]
    Precision { precision: Precision },
    #[error("model.precision: {0}")]
    Device(#[from] DeviceError),
}

/// The number format of an encoder's frozen weights and activations on a device.
///
/// # Errors
/// When the settings ask for one that is not supported.
pub fn format(precision: Precision, device: Device) -> Result<FloatDType, EncoderError> {
    format::format(precision, device)?.ok_or(EncoderError::Precision { precision })
}

/// Opens the model of a `[model]` table for a number of classes. `seed` draws what a checkpoint
/// lacks.
///
/// # Errors
/// When files are missing or broken, or the model is not supported.
pub fn open(model: &Model, classes: usize, seed: u64) -> Result<NetworkFiles, EncoderError> {
    let snapshot = Snapshot::locate(&model.origin, Wanted::Classifier)?;
    let source = snapshot.source(&model.origin);
    let role = Role::Classifier { classes };
    let open = match model.head {
        Head::Stored => NetworkFiles::open,
        Head::Fresh => NetworkFiles::open_below_head,
    };
    Ok(open(source, role, model.dropout, seed)?)
}
