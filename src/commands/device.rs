//! `--device`: which device a command runs on, said aloud; and `ensayo probe-cuda`, the trial in a process of its own.

use engine::device::{self, Device};

use super::{CommandError, Ended, say};

/// The device for `auto`, `cpu` or `cuda:N`, tried.
///
/// # Errors
/// When it cannot be used.
pub fn choose(asked: &str) -> Result<Device, CommandError> {
    let device = Device::choose(asked).map_err(CommandError::input)?;
    if asked == "auto" {
        match device {
            Device::Cpu => say("device: cpu (this machine has no NVIDIA driver)"),
            Device::Cuda(_) => say(format_args!("device: {device}")),
        }
    }
    Ok(device)
}

/// Tries a card.
///
/// # Errors
/// When it computes nonsense; where it cannot be used at all, CUDA's own panic ends the process.
pub fn probe(index: usize) -> Result<Ended, CommandError> {
    if device::probe(index) {
        return Ok(Ended::Done);
    }
    Err(CommandError::Unexpected(format!(
        "cuda:{index} computes a wrong product"
    )))
}
