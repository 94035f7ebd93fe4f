//! From a precision in the settings to the number format of weights on a device.

use engine::FloatDType;
use engine::device::{Device, DeviceError};

use crate::config::Precision;

/// The number format of weights on a device; none where a precision has fewer than 16 bits.
///
/// # Errors
/// When the device does not compute in it.
pub(super) fn format(
    precision: Precision,
    device: Device,
) -> Result<Option<FloatDType>, DeviceError> {
    let format = match precision {
        Precision::Auto => device.own_format(),
        Precision::F32 => FloatDType::F32,
        Precision::Bf16 => FloatDType::BF16,
        Precision::F16 => FloatDType::F16,
        Precision::Int8 | Precision::Fp4 | Precision::Nf4 => return Ok(None),
    };
    device.computes_in(format)?;
    Ok(Some(format))
}
