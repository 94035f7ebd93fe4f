//! Whether there is an NVIDIA driver, and whether a card can be used: it is tried in a process of
//! its own.

use std::path::Path;
use std::process::{Command, Stdio};

use burn::backend::cuda::CudaDevice;
use burn::tensor::FloatDType;
use cubecl::cuda::CudaRuntime;
use serde::{Deserialize, Serialize};

use super::tuning::remember_tuning;
use super::{CudaTrouble, Device, DeviceError, format_name};
use crate::nn::ops::{trial, watch_kernels};

/// The name of the hidden subcommand that tries a card in a process of its own, since CUDA's
/// failures end the process they happen in.
pub const PROBE: &str = "probe-cuda";

/// What a trial found out about a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its model.
    pub name: String,
    /// The number formats that it computes in, as settings name them.
    pub formats: Vec<String>,
    /// The one among them that it is given where the settings leave the choice to it.
    pub own_format: String,
}

/// Where Linux's NVIDIA driver shows its version.
pub(super) const DRIVER_VERSION: &str = "/proc/driver/nvidia/version";

/// Whether an NVIDIA driver is installed: natively, in a container, or in Windows' subsystem for
/// Linux.
pub(super) fn has_driver() -> bool {
    [DRIVER_VERSION, "/dev/nvidiactl", "/dev/dxg"]
        .iter()
        .any(|path| Path::new(path).exists())
}

/// Tries a card in a child process.
pub(super) fn try_card(index: usize) -> Result<Card, DeviceError> {
    let program = std::env::current_exe();
    let output = program.and_then(|program| {
        Command::new(program)
            .args([PROBE, &index.to_string()])
            .stdin(Stdio::null())
            .output()
    });
    let output = output.map_err(|source| DeviceError::Trial { index, source })?;
    if output.status.success()
        && let Ok(card) = serde_json::from_slice(&output.stdout)
    {
        return Ok(card);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let trouble = CudaTrouble::recognise(&said, &output.status.to_string());
    Err(DeviceError::Unusable { index, trouble })
}

/// Tries a card: compiles a few kernels, runs them and compares what they compute. Panics in CUDA's
/// own words where that fails. For [`PROBE`] only.
///
/// # Errors
/// What came out wrong.
pub fn probe(index: usize) -> Result<Card, String> {
    // What cubecl would keep in the current folder, from whatever program and card, must not decide
    // what is tried.
    let choices = tempfile::tempdir().map_err(|error| error.to_string())?;
    remember_tuning(choices.path());
    watch_kernels(true);
    trial::<CudaRuntime>(&CudaDevice::new(index))?;
    let device = Device::Cuda(index);
    let formats = [FloatDType::F32, FloatDType::F16, FloatDType::BF16];
    let formats = formats
        .into_iter()
        .filter(|&format| device.computes_in(format).is_ok());
    Ok(Card {
        name: device.card().unwrap_or_default(),
        formats: formats
            .map(|format| format_name(format).to_owned())
            .collect(),
        own_format: format_name(device.own_format()).to_owned(),
    })
}
