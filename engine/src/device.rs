//! The devices a run can execute on. With `nn::ops`, the only place that names a backend.

mod failure;
mod toolkit;
mod trouble;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use burn::backend::cuda::CudaDevice;
use burn::backend::flex::FlexDevice;
use burn::backend::{Cuda, Flex};
use burn::tensor::FloatDType;
use burn::tensor::backend::Backend;
use cubecl::Runtime;
use cubecl::config::cache::CacheConfig;
use cubecl::config::profiling::ProfilingLogLevel;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use cubecl::cuda::CudaRuntime;
use cubecl::ir::{ElemType, FloatKind, StorageType};
use cudarc::driver::result as driver;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::nn::ops::{NAME_KERNELS, Operations, names_kernels, trial, watch_kernels};
use failure::candidates_that_do_not_compile;
pub use failure::{DeviceFailure, lacks_a_name, named};
pub use toolkit::{INSTALL, Places, Toolkit, ToolkitError};
pub use trouble::CudaTrouble;

/// A device that is known to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// An NVIDIA card, by its number.
    Cuda(usize),
}

/// What a card said of itself when it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its model.
    pub name: String,
    /// The number formats that it computes in, as settings name them.
    pub formats: Vec<String>,
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
    /// CUDA's compiler or its headers are missing.
    #[error("there is an NVIDIA driver, but {0}\nOr use --device cpu to run without the card")]
    Toolkit(#[from] ToolkitError),
    /// The trial of the card could not be started.
    #[error("cannot start the trial of cuda:{index} in a process of its own: {source}")]
    Trial {
        /// The card's number.
        index: usize,
        /// Why.
        source: std::io::Error,
    },
    /// The card has no units for a number format.
    #[error("{device} has no {format} arithmetic; use \"auto\", \"f16\" or \"f32\"")]
    Format {
        /// The device.
        device: Device,
        /// The number format.
        format: &'static str,
    },
}

/// The variables of a process that is started once more to learn which kernel fails: cubecl names them, and the driver waits for each.
pub const NAMING: [(&str, &str); 2] = [(NAME_KERNELS, "1"), ("CUDA_LAUNCH_BLOCKING", "1")];

/// The exit code of a process that leaves since memory ran out.
pub const OUT_OF_MEMORY: u8 = 12;

/// The exit code of a process that leaves since a card failed; its last words are [`CARD_FAILED`] and what it is.
pub const DEVICE_FAILURE: u8 = 13;

/// What a process says before the card and its failure.
pub const CARD_FAILED: &str = "failed on ";

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

    /// The device for `auto`, `cpu` or `cuda:N`, not tried yet. `auto` takes the first card if there is a driver, and the processor if there is none; a driver
    /// that cannot be used is an error later, never a silent run on the processor.
    ///
    /// # Errors
    /// When the words name no device, or a card without a driver.
    pub fn choose(asked: &str) -> Result<Self, DeviceError> {
        match Self::meant(asked)? {
            Self::Cuda(index) if !has_driver() => Err(DeviceError::NoDriver { index }),
            device => Ok(device),
        }
    }

    /// Tries a card in a process of its own, and says what it is; the processor needs no trial.
    ///
    /// # Errors
    /// When the card cannot be used.
    pub fn tried(self) -> Result<Option<Card>, DeviceError> {
        match self {
            Self::Cpu => Ok(None),
            Self::Cuda(index) => try_card(index).map(Some),
        }
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

    /// The card's model, as its driver calls it. Loads the driver's library.
    #[must_use]
    pub fn card(self) -> Option<String> {
        match self {
            Self::Cpu => None,
            Self::Cuda(index) => {
                driver::init().ok()?;
                let card = driver::device::get(index.try_into().ok()?).ok()?;
                driver::device::get_name(card).ok()
            }
        }
    }

    /// To be called before the first work on a device; nothing on the processor. burn's choices of kernels are remembered below `cache`, for this model of card
    /// and this driver, and launches are watched ([`watch_kernels`]) until somebody ends that. Returns whether nothing is remembered yet, so that the first
    /// steps will take minutes.
    pub fn prepare(self, cache: &Path) -> bool {
        let Some(folder) = self.tuning_folder(cache) else {
            return false;
        };
        let is_first = !folder.exists();
        remember_tuning(&folder);
        CARD.get_or_init(|| format!("{self}, {}", self.card().unwrap_or_default()));
        watch_kernels(true);
        is_first
    }

    /// Candidates of matrix products that did not compile when burn chose among them; [`candidates_that_do_not_compile`].
    #[must_use]
    pub fn left_out(self, cache: &Path) -> BTreeMap<String, String> {
        let folder = self.tuning_folder(cache);
        folder.map_or_else(BTreeMap::new, |folder| {
            candidates_that_do_not_compile(&folder)
        })
    }

    /// Where a card's choices of kernels are kept.
    fn tuning_folder(self, cache: &Path) -> Option<PathBuf> {
        let words = [self.card()?, self.driver().unwrap_or_default()].join(" ");
        let words = words.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Some(cache.join("autotune").join(words.join("-")))
    }

    /// The number format for frozen weights and activations where the settings leave it to the device: on a card the best one that its matrix units have.
    #[must_use]
    pub fn own_format(self) -> FloatDType {
        let formats = [FloatDType::BF16, FloatDType::F16];
        let has_units = |format: &FloatDType| self.has_units(*format);
        match self {
            Self::Cpu => FloatDType::F32,
            Self::Cuda(_) => formats
                .into_iter()
                .find(has_units)
                .unwrap_or(FloatDType::F32),
        }
    }

    /// Whether the device computes in a number format; the processor converts what it lacks.
    ///
    /// # Errors
    /// When the card cannot.
    pub fn computes_in(self, format: FloatDType) -> Result<(), DeviceError> {
        let known = match self {
            Self::Cpu => true,
            // cubecl believes that every card has bf16; on one without it, most kernels would not compile.
            Self::Cuda(_) if format == FloatDType::BF16 => self.has_units(format),
            Self::Cuda(index) => <Cuda>::supports_dtype(&CudaDevice::new(index), format.into()),
        };
        known.then_some(()).ok_or(DeviceError::Format {
            device: self,
            format: format_name(format),
        })
    }

    /// Whether the device has matrix units for a number format.
    fn has_units(self, format: FloatDType) -> bool {
        let Self::Cuda(index) = self else {
            return false;
        };
        // cubecl lists bf16 for every card with matrix units. Those that can came together with TF32, which it lists for them alone.
        let kind = match format {
            FloatDType::F16 => FloatKind::F16,
            FloatDType::BF16 => FloatKind::TF32,
            FloatDType::F64 | FloatDType::F32 | FloatDType::Flex32 => return false,
        };
        let operand = StorageType::from(ElemType::Float(kind));
        let client = CudaRuntime::client(&CudaDevice::new(index));
        let mut products = client.properties().features.matmul.cmma.iter();
        products.any(|product| product.a_type == operand)
    }

    /// [`Operations::may_use_tf32`].
    #[must_use]
    pub fn may_use_tf32(self) -> Option<bool> {
        match self {
            Self::Cpu => None,
            Self::Cuda(index) => <Cuda>::may_use_tf32(&CudaDevice::new(index)),
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
fn try_card(index: usize) -> Result<Card, DeviceError> {
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

/// Tries a card: compiles a few kernels, runs them and compares what they compute. Panics in CUDA's own words where that fails. For [`PROBE`] only.
///
/// # Errors
/// What came out wrong.
pub fn probe(index: usize) -> Result<Card, String> {
    // What cubecl would keep in the current folder, from whatever program and card, must not decide what is tried.
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
    })
}

/// The variables that this process lacks to find CUDA's compiler and headers, which it only can have from its start; none where it finds them.
///
/// # Errors
/// When they are not installed.
pub fn missing_variables() -> Result<Vec<(&'static str, OsString)>, ToolkitError> {
    let toolkit = Toolkit::find(&Places::of_this_process())?;
    Ok(toolkit.missing_variables(|name| std::env::var_os(name)))
}

/// A number format as settings and records call it.
#[must_use]
pub fn format_name(format: FloatDType) -> &'static str {
    match format {
        FloatDType::F64 => "f64",
        FloatDType::F32 | FloatDType::Flex32 => "f32",
        FloatDType::F16 => "f16",
        FloatDType::BF16 => "bf16",
    }
}

/// Makes the process leave at a panic of any thread. cubecl's threads panic when a card is full or fails, and the thread that waits for them may wait for
/// ever, or see a later and different error. The exit code is [`OUT_OF_MEMORY`], [`DEVICE_FAILURE`] or a panic's own.
///
/// The processor's allocator aborts the process instead, with words that [`says_out_of_memory`] knows.
pub fn leave_at_a_panic() {
    /// Rust's own.
    const PANIC: i32 = 101;
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        before(panic);
        let said = panic.payload_as_str().unwrap_or_default();
        let code = if says_out_of_memory(said) {
            i32::from(OUT_OF_MEMORY)
        } else if let Some(failure) = DeviceFailure::recognise(said) {
            // Where nobody listens any more, nothing is lost.
            if names_kernels() {
                // cubecl names kernels from a thread of its own.
                std::thread::sleep(Duration::from_millis(200));
            }
            let card = CARD.get().map_or("the card", String::as_str);
            let _ = writeln!(io::stderr(), "{CARD_FAILED}{card}: {failure}");
            i32::from(DEVICE_FAILURE)
        } else {
            PANIC
        };
        std::process::exit(code);
    }));
}

/// Whether a message tells that memory ran out.
#[must_use]
pub fn says_out_of_memory(message: &str) -> bool {
    // cubecl's `IoError::BufferTooBig`, alone or inside another error; the driver's own word; Rust's allocator.
    message.contains("can't allocate buffer of size")
        || message.contains("CUDA_ERROR_OUT_OF_MEMORY")
        || message.lines().any(|line| {
            line.starts_with("memory allocation of ") && line.ends_with(" bytes failed")
        })
}

/// The card in use, as messages name it.
static CARD: OnceLock<String> = OnceLock::new();

/// Has burn remember in `folder` which kernels it chose, since choosing takes a while on a card.
///
/// Compiled kernels are not kept: cubecl 0.10 finds them again by their names, whatever has become of their code, and whatever card they were for.
fn remember_tuning(folder: &Path) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        config.autotune.cache = CacheConfig::File(folder.to_owned());
        if names_kernels() {
            config.profiling.logger.level = ProfilingLogLevel::Minimal;
            config.profiling.logger.stderr = true;
        }
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
    use cubecl::backtrace::BackTrace;
    use cubecl::server::{IoError, ServerError};

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
    fn out_of_memory_is_told_from_other_panics_by_the_libraries_own_words() {
        let error = || IoError::BufferTooBig {
            size: 1 << 40,
            backtrace: BackTrace::capture(),
        };
        // cubecl's own `unwrap`, on an error that is one.
        #[allow(clippy::unnecessary_literal_unwrap)]
        let panic = panic::catch_unwind(|| Err::<(), _>(error()).unwrap()).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains("1099511627776"), "{message}");
        assert!(says_out_of_memory(message), "{message}");
        // As an error behind others, which is what the calling thread may see.
        let behind = ServerError::ServerUnhealthy {
            errors: vec![ServerError::Io(error())],
            backtrace: BackTrace::capture(),
        };
        assert!(says_out_of_memory(&format!("{behind}")), "{behind}");
        assert!(says_out_of_memory(&format!("{behind:?}")), "{behind:?}");
        let driver = "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")";
        assert!(says_out_of_memory(driver));
        assert!(says_out_of_memory(
            "noise\nmemory allocation of 4096 bytes failed\n"
        ));
        for other in [
            "there is no memory of that",
            "index out of bounds: the len is 3 but the index is 7",
            "memory allocation of the hub failed",
        ] {
            assert!(!says_out_of_memory(other), "{other}");
        }
        let other = IoError::UnsupportedIoOperation {
            backtrace: BackTrace::capture(),
        };
        assert!(!says_out_of_memory(&other.to_string()));
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
