//! The ways in which an NVIDIA card can be unusable, recognised by the errors of a trial, each with
//! its cure.

use std::fmt;

use super::failure::DeviceFailure;
use super::toolkit::INSTALL;

/// Why a card cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CudaTrouble {
    /// There is a driver in the kernel, but not its library.
    NoLibrary,
    /// The driver lacks what this program calls, or cannot run what NVRTC compiles.
    OldDriver,
    /// The driver's library and its part in the kernel are of different versions.
    DriverMismatch,
    /// There is no NVRTC, CUDA's compiler.
    NoCompiler,
    /// NVRTC lacks what this program calls.
    OldCompiler,
    /// NVRTC does not know the card.
    UnknownCard,
    /// CUDA's headers are missing.
    NoHeaders,
    /// The driver sees no card.
    NoCard,
    /// The card's number is beyond those there are.
    NoSuchCard,
    /// Another process has the card for itself.
    Busy,
    /// Not even the trial fits into the card's memory.
    NoMemory,
    /// The card compiles and runs the trial, and fails at it.
    Fails(String),
}

/// The error of each case, in the order in which to look: the first of these that occurs names the
/// trouble.
///
/// The words are those of cudarc 0.19 (`lib.rs`, `driver/sys`, `driver/result.rs`), cubecl-cuda
/// 0.10 (`lib.rs`, `compute/context.rs`), cubecl-runtime 0.10 (`server/base.rs`) and NVRTC.
const SIGNS: &[(&str, CudaTrouble)] = &[
    (
        "Unable to dynamically load the \"cuda\" shared library",
        CudaTrouble::NoLibrary,
    ),
    (
        "Unable to dynamically load the \"nvrtc\" shared library",
        CudaTrouble::NoCompiler,
    ),
    ("Missing symbol cu", CudaTrouble::OldDriver),
    ("Missing symbol nvrtc", CudaTrouble::OldCompiler),
    ("CUDA_ERROR_STUB_LIBRARY", CudaTrouble::NoLibrary),
    (
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        CudaTrouble::DriverMismatch,
    ),
    (
        "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
        CudaTrouble::OldDriver,
    ),
    ("CUDA_ERROR_UNSUPPORTED_PTX_VERSION", CudaTrouble::OldDriver),
    ("CUDA_ERROR_NO_DEVICE", CudaTrouble::NoCard),
    ("CUDA_ERROR_INVALID_DEVICE", CudaTrouble::NoSuchCard),
    ("CUDA_ERROR_DEVICE_UNAVAILABLE", CudaTrouble::Busy),
    ("CUDA_ERROR_OUT_OF_MEMORY", CudaTrouble::NoMemory),
    ("can't allocate buffer of size", CudaTrouble::NoMemory),
    ("CUDA installation not found", CudaTrouble::NoHeaders),
    ("cannot open source file", CudaTrouble::NoHeaders),
    (
        "invalid value for --gpu-architecture",
        CudaTrouble::UnknownCard,
    ),
    ("CUDA_ERROR_NO_BINARY_FOR_GPU", CudaTrouble::UnknownCard),
];

/// Characters of the trial's output that a message repeats at most.
const LONGEST: usize = 500;

impl CudaTrouble {
    /// Recognises the trouble from what the trial wrote to its standard error; `ended` is how it
    /// ended, used where nothing else is known.
    #[must_use]
    pub fn recognise(said: &str, ended: &str) -> Self {
        if let Some((_, trouble)) = SIGNS.iter().find(|(sign, _)| said.contains(sign)) {
            return trouble.clone();
        }
        let failure = DeviceFailure::recognise(said).map(|failure| failure.to_string());
        let words = failure.or_else(|| essence(said));
        Self::Fails(words.unwrap_or_else(|| ended.to_owned()))
    }
}

/// The first lines that mean something, without what Rust writes around a panic.
fn essence(said: &str) -> Option<String> {
    let noise =
        |line: &&str| line.is_empty() || line.starts_with("note:") || line.starts_with("thread ");
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !noise(line))
        .take(3)
        .collect();
    let text: String = lines.join(" ").chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

impl fmt::Display for CudaTrouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::NoLibrary => {
                "the driver's library libcuda.so is not found. Install the whole driver; in a container, start it with `--gpus all` and NVIDIA's container \
                 toolkit; elsewhere, put the library's folder into LD_LIBRARY_PATH"
            }
            Self::OldDriver => "the driver is too old. Install R570 or later",
            Self::DriverMismatch => {
                "the driver's library and its kernel module are of different versions. Restart the machine, or in a container use the host's driver"
            }
            Self::NoCompiler => {
                return write!(
                    formatter,
                    "CUDA's compiler NVRTC is not found. Install it, with\n  {INSTALL}\nor with the CUDA 12 toolkit, 12.8 or later"
                );
            }
            Self::OldCompiler => {
                return write!(
                    formatter,
                    "CUDA's compiler NVRTC is too old. Install it, with\n  {INSTALL}\nor with the CUDA 12 toolkit, 12.8 or later"
                );
            }
            Self::UnknownCard => {
                "CUDA's compiler NVRTC does not know this card. Install a CUDA toolkit that supports it, 12.8 or later"
            }
            Self::NoHeaders => {
                return write!(
                    formatter,
                    "CUDA's headers are not found, or not all of them. Install them, with\n  {INSTALL}\nor with the CUDA 12 toolkit, 12.8 or later"
                );
            }
            Self::NoCard => {
                "the driver sees no card. Look at `nvidia-smi` and at CUDA_VISIBLE_DEVICES"
            }
            Self::NoSuchCard => {
                "there is no card with that number. `nvidia-smi -L` lists them, counted from 0; CUDA_VISIBLE_DEVICES may hide some"
            }
            Self::Busy => {
                "another process has the card for itself. Wait for it, choose another card, or reset the card's compute mode (`nvidia-smi -c 0`)"
            }
            Self::NoMemory => {
                "no memory is left on the card. `nvidia-smi` shows what holds it; end that, or choose another card"
            }
            Self::Fails(said) => {
                return write!(
                    formatter,
                    "it fails at its trial ({}). ensayo needs a driver of at least R570, and of the CUDA 12 toolkit NVRTC and the headers",
                    said.trim_end_matches('.')
                );
            }
        };
        formatter.write_str(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(said: &str) -> CudaTrouble {
        CudaTrouble::recognise(said, "exit status: 101")
    }

    /// What a panic looks like that ends the trial.
    fn panic(message: &str) -> String {
        format!(
            "\nthread 'main' (7) panicked at /registry/cubecl-cuda-0.10.0/src/runtime.rs:53:47:\n{message}\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
        )
    }

    /// How cudarc's `DriverError` is written: its name and the driver's own words.
    fn driver_error(name: &str, words: &str) -> String {
        panic(&format!(
            "called `Result::unwrap()` on an `Err` value: DriverError({name}, {words:?})"
        ))
    }

    #[test]
    fn missing_libraries_are_told_apart() {
        let missing = |name: &str| {
            panic(&format!(
                "Unable to dynamically load the {name:?} shared library - searched for library names: [\"lib{name}.so\", \"lib{name}64.so\"]. Ensure that \
                 `LD_LIBRARY_PATH` has the correct path to the installed library. If the shared library is present on the system under a different name than one \
                 of those listed above, please open a GitHub issue."
            ))
        };
        assert_eq!(recognised(&missing("cuda")), CudaTrouble::NoLibrary);
        assert_eq!(recognised(&missing("nvrtc")), CudaTrouble::NoCompiler);
    }

    #[test]
    fn missing_symbols_name_what_is_too_old() {
        let missing = |symbol: &str, library: &str| {
            panic(&format!(
                "Missing symbol {symbol}: /usr/lib/{library}: undefined symbol: {symbol}"
            ))
        };
        let old = missing("cuTensorMapEncodeIm2colWide", "libcuda.so.1");
        assert_eq!(recognised(&old), CudaTrouble::OldDriver);
        let old = missing("nvrtcGetPCHCreateStatus", "libnvrtc.so.12");
        assert_eq!(recognised(&old), CudaTrouble::OldCompiler);
    }

    #[test]
    fn the_drivers_errors_are_understood() {
        for (name, words, trouble) in [
            (
                "CUDA_ERROR_NO_DEVICE",
                "no CUDA-capable device is detected",
                CudaTrouble::NoCard,
            ),
            (
                "CUDA_ERROR_INVALID_DEVICE",
                "invalid device ordinal",
                CudaTrouble::NoSuchCard,
            ),
            (
                "CUDA_ERROR_OUT_OF_MEMORY",
                "out of memory",
                CudaTrouble::NoMemory,
            ),
            (
                "CUDA_ERROR_DEVICE_UNAVAILABLE",
                "CUDA-capable device(s) is/are busy or unavailable",
                CudaTrouble::Busy,
            ),
            (
                "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
                "system has unsupported display driver / cuda driver combination",
                CudaTrouble::DriverMismatch,
            ),
            (
                "CUDA_ERROR_STUB_LIBRARY",
                "CUDA driver is a stub library",
                CudaTrouble::NoLibrary,
            ),
        ] {
            assert_eq!(recognised(&driver_error(name, words)), trouble, "{name}");
        }
    }

    #[test]
    fn what_the_compiler_lacks_is_named() {
        let no_folder = panic(
            "\n        CUDA installation not found.\n        Please ensure that CUDA is installed and the CUDA_PATH environment variable is set correctly.\n        \
             Note: Default paths are used for Linux (/usr/local/cuda) and Windows (C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/), which may not be correct.\n    ",
        );
        assert_eq!(recognised(&no_folder), CudaTrouble::NoHeaders);
        let compilation = |log: &str| {
            panic(&format!(
                "An error happened: A compilation error happened during launch\nCaused by:\n  [Compilation Error] \n    {log}\n[Source]  \n#include <cuda_runtime.h>"
            ))
        };
        let no_header = compilation(
            "default_program(1): catastrophic error: cannot open source file \"cuda_runtime.h\"",
        );
        assert_eq!(recognised(&no_header), CudaTrouble::NoHeaders);
        let new_card = compilation("nvrtc: error: invalid value for --gpu-architecture (-arch)");
        assert_eq!(recognised(&new_card), CudaTrouble::UnknownCard);
        let old_driver = panic(
            "Unable to load the PTX: DriverError(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, \"the provided PTX was compiled with an unsupported toolchain.\")",
        );
        assert_eq!(recognised(&old_driver), CudaTrouble::OldDriver);
    }

    #[test]
    fn a_full_card_is_recognised_by_the_allocator() {
        let full = panic(
            "called `Result::unwrap()` on an `Err` value: can't allocate buffer of size: 67108864\nBackTrace",
        );
        assert_eq!(recognised(&full), CudaTrouble::NoMemory);
    }

    #[test]
    fn what_is_not_known_is_repeated_without_what_surrounds_it() {
        let said = driver_error(
            "CUDA_ERROR_ILLEGAL_ADDRESS",
            "an illegal memory access was encountered",
        );
        let CudaTrouble::Fails(repeated) = recognised(&said) else {
            panic!("taken for something known");
        };
        assert_eq!(
            repeated,
            "a kernel failed: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"
        );
        assert_eq!(
            recognised(&panic("the sky has fallen")),
            CudaTrouble::Fails("the sky has fallen".into())
        );
        assert_eq!(
            CudaTrouble::recognise("note: nothing\n", "signal: 11 (SIGSEGV)"),
            CudaTrouble::Fails("signal: 11 (SIGSEGV)".into())
        );
        let CudaTrouble::Fails(long) = recognised(&"x".repeat(10_000)) else {
            panic!("taken for something known");
        };
        assert_eq!(long.len(), LONGEST);
    }
}
