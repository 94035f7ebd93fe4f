//! The devices a run can execute on. With `nn::ops`, the only place that names a backend.

mod trouble;

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use burn::backend::cuda::CudaDevice;
use burn::backend::flex::FlexDevice;
use burn::backend::{Cuda, Flex};
use burn::tensor::Tensor;
use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use thiserror::Error;

use crate::nn::ops::Operations;
pub use trouble::CudaTrouble;

/// A device that is known to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// An NVIDIA card, by its number.
    Cuda(usize),
}

/// Why a device cannot be used.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// The words do not name a device.
    #[error("`{asked}` is no device: use auto, cpu or cuda:N, such as cuda:0")]
    Unknown {
        /// What was asked for.
        asked: String,
    },
    /// There is no NVIDIA driver.
    #[error(
        "cuda:{index} was asked for, but this machine has no NVIDIA driver; install one, or use --device cpu"
    )]
    NoDriver {
        /// The card's number.
        index: usize,
    },
    /// The card cannot be used.
    #[error(
        "there is an NVIDIA driver, but cuda:{index} cannot be used: {trouble}. Or use --device cpu to run without the card"
    )]
    Unusable {
        /// The card's number.
        index: usize,
        /// What is wrong with it.
        trouble: CudaTrouble,
    },
    /// The trial of the card could not be started.
    #[error("cannot start the trial of cuda:{index} in a process of its own: {source}")]
    Trial {
        /// The card's number.
        index: usize,
        /// Why.
        source: std::io::Error,
    },
}

/// The name of the hidden subcommand that tries a card in a process of its own, since CUDA's failures end the process they happen in.
pub const PROBE: &str = "probe-cuda";

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(index) => write!(formatter, "cuda:{index}"),
        }
    }
}

impl Device {
    /// The device that `cpu` or `cuda:N` names, without trying it.
    ///
    /// # Errors
    /// When the words name none.
    pub fn named(asked: &str) -> Result<Self, DeviceError> {
        if asked == "cpu" {
            return Ok(Self::Cpu);
        }
        let number = asked
            .strip_prefix("cuda:")
            .and_then(|number| number.parse().ok());
        number.map(Self::Cuda).ok_or_else(|| DeviceError::Unknown {
            asked: asked.to_owned(),
        })
    }

    /// The device for `auto`, `cpu` or `cuda:N`, tried where it is a card. `auto` takes the first card if there is a driver, and the processor if there is none;
    /// a driver that cannot be used is an error, never a silent run on the processor.
    ///
    /// # Errors
    /// When the words name no device, or the card cannot be used.
    pub fn choose(asked: &str) -> Result<Self, DeviceError> {
        let device = Self::meant(asked)?;
        if let Self::Cuda(index) = device {
            if !has_driver() {
                return Err(DeviceError::NoDriver { index });
            }
            try_card(index)?;
        }
        Ok(device)
    }

    /// The device that `auto`, `cpu` or `cuda:N` means on this machine, without trying it.
    ///
    /// # Errors
    /// When the words name no device.
    pub fn meant(asked: &str) -> Result<Self, DeviceError> {
        match asked {
            "auto" if has_driver() => Ok(Self::Cuda(0)),
            "auto" => Ok(Self::Cpu),
            other => Self::named(other),
        }
    }

    /// The memory that there is for a run: what the system can give on the processor, all of a card's. `None` where nobody tells.
    #[must_use]
    pub fn memory_bytes(self) -> Option<u64> {
        match self {
            Self::Cpu => {
                let text = std::fs::read_to_string("/proc/meminfo").ok()?;
                kibibytes(&text, "MemAvailable:")
            }
            Self::Cuda(index) => {
                let output = Command::new("nvidia-smi")
                    .args(["--query-gpu=memory.total", "--format=csv,noheader,nounits"])
                    .args(["--id", &index.to_string()])
                    .stdin(Stdio::null())
                    .output()
                    .ok()?;
                let mebibytes: u64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
                Some(mebibytes << 20)
            }
        }
    }

    /// The version of the device's driver, where it has one.
    #[must_use]
    pub fn driver(self) -> Option<String> {
        match self {
            Self::Cpu => None,
            Self::Cuda(_) => {
                let text = std::fs::read_to_string(DRIVER_VERSION).ok()?;
                text.split_whitespace()
                    .find(|word| {
                        word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.')
                    })
                    .map(str::to_owned)
            }
        }
    }

    /// [`Operations::may_use_tf32`].
    #[must_use]
    pub fn may_use_tf32(self) -> Option<bool> {
        match self {
            Self::Cpu => None,
            Self::Cuda(index) => Cuda::may_use_tf32(&CudaDevice::new(index)),
        }
    }

    /// Calls `work` with the device's backend.
    pub fn run<W: OnDevice>(self, work: W) -> W::Output {
        match self {
            Self::Cpu => work.run::<Flex>(&FlexDevice),
            Self::Cuda(index) => work.run::<Cuda>(&CudaDevice::new(index)),
        }
    }
}

/// Work that any backend can do.
pub trait OnDevice {
    /// What it yields.
    type Output;

    /// Does the work on a device of a backend.
    fn run<B: Operations>(self, device: &B::Device) -> Self::Output;
}

/// Where Linux's NVIDIA driver shows its version.
const DRIVER_VERSION: &str = "/proc/driver/nvidia/version";

/// Whether an NVIDIA driver is installed: natively, in a container, or in Windows' subsystem for Linux.
fn has_driver() -> bool {
    [DRIVER_VERSION, "/dev/nvidiactl", "/dev/dxg"]
        .iter()
        .any(|path| Path::new(path).exists())
}

/// Tries a card in a child process.
fn try_card(index: usize) -> Result<(), DeviceError> {
    let program = std::env::current_exe();
    let output = program.and_then(|program| {
        Command::new(program)
            .args([PROBE, &index.to_string()])
            .stdin(Stdio::null())
            .output()
    });
    let output = output.map_err(|source| DeviceError::Trial { index, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let trouble = CudaTrouble::recognise(&said, &output.status.to_string());
    Err(DeviceError::Unusable { index, trouble })
}

/// Multiplies two small matrices on a card; panics in CUDA's own words where that fails. For [`PROBE`] only.
#[must_use]
pub fn probe(index: usize) -> bool {
    let device = CudaDevice::new(index);
    let ones = Tensor::<Cuda, 2>::ones([4, 4], &device);
    let sum: f32 = ones
        .clone()
        .matmul(ones)
        .sum()
        .into_data()
        .iter::<f32>()
        .sum();
    (sum - 64.0).abs() < 0.5
}

/// Has the choice of kernels, which takes a while on a card, remembered below `cache`, in `autotune/`. To be called before the first work on a card;
/// later calls change nothing.
///
/// Compiled kernels are not kept: cubecl 0.10 finds them again by their names, whatever has become of their code, and whatever card they were for.
pub fn remember_tuning(cache: &Path) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        config.autotune.cache = CacheConfig::File(cache.to_owned());
        // Where a client was made before, it has chosen its own place already.
        if CubeClRuntimeConfig::storage().lock().is_none() {
            CubeClRuntimeConfig::set(config);
        }
    });
}

/// The most memory this process has held, in bytes, where the system tells.
#[must_use]
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmHWM:")
}

/// The bytes on a line such as `VmHWM:   1234 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_the_names_they_are_asked_for_by() {
        for name in ["cpu", "cuda:0", "cuda:12"] {
            assert_eq!(Device::named(name).unwrap().to_string(), name);
        }
        for wrong in ["gpu", "cuda", "cuda:", "cuda:x", ""] {
            assert!(Device::named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn peak_memory_counts_what_was_held() {
        let Some(before) = peak_memory_bytes() else {
            return;
        };
        let held = vec![1_u8; 64 << 20];
        assert!(held.iter().all(|&byte| byte == 1));
        let after = peak_memory_bytes().unwrap();
        assert!(after >= before && after >= 64 << 20);
    }
}
