//! The devices a run can execute on. With `nn::ops`, the only place that names a backend.

mod failure;
mod leaving;
mod memory;
mod toolkit;
mod trial;
mod trouble;
mod tuning;

use std::fmt;

use burn::backend::cuda::CudaDevice;
use burn::backend::flex::FlexDevice;
use burn::backend::{Cuda, Flex};
use burn::tensor::FloatDType;
use burn::tensor::backend::Backend;
use cubecl::Runtime;
use cubecl::cuda::CudaRuntime;
use cubecl::ir::{ElemType, FloatKind, StorageType};
use cudarc::driver::result as driver;
use thiserror::Error;

use crate::nn::ops::Operations;
pub use failure::{DeviceFailure, NAMING, lacks_a_name, named};
pub use leaving::{CARD_FAILED, DEVICE_FAILURE, Panic, leave_at_a_panic};
pub use memory::{OUT_OF_MEMORY, peak_memory_bytes, says_out_of_memory};
pub use toolkit::{INSTALL, Places, Toolkit, ToolkitError, missing_variables};
pub use trial::{Card, PROBE, probe};
use trial::{DRIVER_VERSION, has_driver, try_card};
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
    #[error("`{asked}` is not a device: use auto, cpu or cuda:N, such as cuda:0")]
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
        /// What the system answered.
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

    /// The device for `auto`, `cpu` or `cuda:N`, not tried yet. `auto` takes the first card if
    /// there is a driver, and the processor if there is none; a driver that cannot be used is an
    /// error later, never a silent run on the processor.
    ///
    /// # Errors
    /// When the words name no device, or a card without a driver.
    pub fn choose(asked: &str) -> Result<Self, DeviceError> {
        match Self::resolve(asked)? {
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
    pub fn resolve(asked: &str) -> Result<Self, DeviceError> {
        match asked {
            "auto" if has_driver() => Ok(Self::Cuda(0)),
            "auto" => Ok(Self::Cpu),
            other => Self::named(other),
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

    /// The number format for frozen weights and activations where the settings leave it to the
    /// device: on a card the best one that its matrix units have.
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
            // cubecl believes that every card has bf16; on one without it, most kernels would not
            // compile.
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
        // cubecl lists bf16 for every card with matrix units. Those that can came together with
        // TF32, which it lists for them alone.
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
}
