//! `--device`: which device a command runs on, said aloud; and `ensayo probe-cuda`, the trial in a
//! process of its own.

use std::ffi::OsString;
use std::io::Write;
use std::process::Command;

use engine::device::{self, Card, Device, DeviceError, Panic};

use super::{CommandError, Ended, say};

/// The device for `auto`, `cpu` or `cuda:N`, tried, and what it is if it is a card.
///
/// # Errors
/// When it cannot be used.
pub fn choose(asked: &str) -> Result<(Device, Option<Card>), CommandError> {
    let device = Device::choose(asked).map_err(CommandError::input)?;
    if let Device::Cuda(_) = device {
        find_the_compiler()?;
    }
    let card = device.tried().map_err(CommandError::input)?;
    if asked == "auto" {
        match device {
            Device::Cpu => say("device: cpu (this machine has no NVIDIA driver)"),
            Device::Cuda(_) => {
                let name = card.as_ref().map_or("", |card| &card.name);
                say(format_args!("device: {device}, {name}"));
            }
        }
    }
    Ok((device, card))
}

/// The number format that `precision = "auto"` comes to on a device; a card is tried to know it.
///
/// # Errors
/// When the device cannot be used.
pub fn format(asked: &str) -> Result<String, CommandError> {
    let device = Device::resolve(asked).map_err(CommandError::input)?;
    let card = match device {
        Device::Cpu => None,
        Device::Cuda(_) => {
            find_the_compiler()?;
            device.tried().map_err(CommandError::input)?
        }
    };
    Ok(card.map_or_else(|| "f32".to_owned(), |card| card.own_format))
}

/// [`choose`], for a command that computes in this process: it leaves at a panic of any thread, as
/// at anything unexpected.
///
/// # Errors
/// As [`choose`].
pub fn choose_for_this_process(asked: &str) -> Result<Device, CommandError> {
    let (device, _) = choose(asked)?;
    device::leave_at_a_panic(|_| 1);
    Ok(device)
}

/// Tries a card.
///
/// # Errors
/// When it computes nonsense; where it cannot be used at all, CUDA's own panic ends the process.
pub fn probe(index: usize, output: &mut dyn Write) -> Result<Ended, CommandError> {
    device::leave_at_a_panic(Panic::exit_code);
    let card = device::probe(index).map_err(CommandError::Unexpected)?;
    let text = serde_json::to_string(&card).map_err(CommandError::unexpected)?;
    writeln!(output, "{text}")?;
    Ok(Ended::Done)
}

/// To be called before a command that computes has read, written or said anything: where the device
/// is a card, starts the program again with the variables by which CUDA's compiler and headers are
/// found, since the dynamic linker reads its path when a process starts. What stands in the way of
/// that, and whether it is needed at all, [`choose`] will say.
pub fn find_compiler_first(asked: &str) {
    if let Ok(Device::Cuda(_)) = Device::choose(asked) {
        let _ = find_the_compiler();
    }
}

fn find_the_compiler() -> Result<(), CommandError> {
    let missing = device::missing_variables().map_err(DeviceError::from);
    let missing = missing.map_err(CommandError::input)?;
    if missing.is_empty() {
        return Ok(());
    }
    let error = again(&missing);
    Err(CommandError::Unexpected(format!(
        "cannot restart with CUDA's compiler on the library path: {error}"
    )))
}

/// Lets another process of the same program and arguments take this one's place; returns only where
/// that fails.
fn again(variables: &[(&'static str, OsString)]) -> std::io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = Command::new(program);
    command
        .args(std::env::args_os().skip(1))
        .envs(variables.iter().map(|(name, value)| (name, value)));
    #[cfg(unix)]
    return std::os::unix::process::CommandExt::exec(&mut command);
    #[cfg(not(unix))]
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
