//! What went wrong on a card at work, found in the output of the libraries: which kernel, and the
//! compiler's line or the driver's error.

use std::collections::BTreeSet;
use std::fmt;

use crate::nn::ops::{ALL_WELL, LAUNCHED, NAME_KERNELS};

/// A failure of a card, or of the compiler for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceFailure {
    /// A kernel does not compile.
    Compilation {
        /// Its name, where the source shows it.
        kernel: Option<String>,
        /// The compiler's first error.
        line: String,
    },
    /// The driver refused a launch, or a kernel failed while it ran.
    Driver {
        /// The kernel, where it is known.
        kernel: Option<String>,
        /// The driver's error.
        error: String,
    },
    /// A kernel asks for more than the card has.
    Limit {
        /// cubecl's message.
        words: String,
    },
}

/// What cubecl 0.10 writes before the compiler's log, and between it and the source (`cubecl-cuda`,
/// `compute/context.rs`).
const LOG: &str = "[Compilation Error]";
const SOURCE: &str = "[Source]";
/// How a failure speaks of a kernel whose name it does not know.
const UNNAMED: &str = "a kernel";
/// What cubecl writes before the name of a kernel that it launched.
const EXECUTING: &str = "Executing ";
/// Longest part of a message that is repeated, in characters.
const LONGEST: usize = 400;

impl DeviceFailure {
    /// Recognises a failure in a panic's message or an error's words, which may be those of
    /// `Debug`.
    #[must_use]
    pub fn recognise(said: &str) -> Option<Self> {
        let said = said.replace("\\n", "\n").replace("\\\"", "\"");
        let launched = word_after(&said, LAUNCHED);
        if let Some((kernel, line)) = compilations(&said).next() {
            return Some(Self::Compilation {
                kernel: kernel.or(launched),
                line,
            });
        }
        if let Some(place) = said.find("CUDA_ERROR_") {
            let error = said[place..].lines().next().unwrap_or_default();
            let error = error.split(')').next().unwrap_or_default();
            return Some(Self::Driver {
                kernel: launched,
                error: shortened(&error.replace('"', "").replace(", ", ": ")),
            });
        }
        let signs = [
            "ServerUnhealthy",
            "The server is in an invalid state",
            "LaunchError",
        ];
        signs
            .iter()
            .any(|sign| said.contains(sign))
            .then(|| Self::Limit {
                words: shortened(said.trim()),
            })
    }
}

impl fmt::Display for DeviceFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |kernel: &Option<String>| match kernel {
            Some(kernel) => format!("the kernel `{kernel}`"),
            None => UNNAMED.to_owned(),
        };
        match self {
            Self::Compilation { kernel, line } => {
                write!(formatter, "{} does not compile: {line}", name(kernel))
            }
            Self::Driver { kernel, error } => {
                write!(formatter, "{} failed: {error}", name(kernel))
            }
            Self::Limit { words } => write!(formatter, "a kernel cannot be launched: {words}"),
        }
    }
}

/// The variables of a process that is started once more to learn which kernel fails: cubecl names
/// them, and the driver waits for each.
pub const NAMING: [(&str, &str); 2] = [(NAME_KERNELS, "1"), ("CUDA_LAUNCH_BLOCKING", "1")];

/// Whether words about a failure leave out which kernel it was, though that can be found out: see
/// [`named`].
#[must_use]
pub fn lacks_a_name(words: &str) -> bool {
    words.contains(&format!(": {UNNAMED} failed: "))
}

/// The words about a failure with the kernels that may have failed, from what a process said that
/// was started with [`NAMING`]: those that were launched after all had been well for the last time.
#[must_use]
pub fn named(words: &str, said: &str) -> String {
    let (_, since) = said.rsplit_once(ALL_WELL).unwrap_or(("", said));
    let names: BTreeSet<&str> = since
        .lines()
        .filter_map(|line| line.split_once(EXECUTING))
        .map(|(_, name)| name.trim())
        .collect();
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let kernels = match names.as_slice() {
        [] => return words.to_owned(),
        [name] => format!("the kernel {name}"),
        several => format!("one of the kernels {}", several.join(", ")),
    };
    words.replacen(
        &format!(": {UNNAMED} failed: "),
        &format!(": {kernels} failed: "),
        1,
    )
}

/// The kernels that did not compile, each with the compiler's first error, in cubecl's words.
pub(super) fn compilations(said: &str) -> impl Iterator<Item = (Option<String>, String)> {
    said.split(LOG).skip(1).map(|after| {
        let (log, source) = after.split_once(SOURCE).unwrap_or((after, ""));
        (kernel_of(source), first_error(log))
    })
}

/// The kernel that a source in CUDA's C++ defines.
fn kernel_of(source: &str) -> Option<String> {
    // `void __launch_bounds__(256)name (`, perhaps with the sizes of a cluster before the name.
    let (_, after) = source.split_once("__global__")?;
    let (declared, _) = after.split_once(" (")?;
    let mut words = declared.rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    words.find(|word| !word.is_empty()).map(str::to_owned)
}

/// The first line of a compiler's log that speaks of an error.
fn first_error(log: &str) -> String {
    let mut lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or_default();
    shortened(lines.find(|line| line.contains("error")).unwrap_or(first))
}

fn word_after(text: &str, sign: &str) -> Option<String> {
    let (_, after) = text.split_once(sign)?;
    after.split_whitespace().next().map(str::to_owned)
}

fn shortened(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a read finds after a kernel that does not compile, as `Debug` writes it.
    fn compilation(source: &str) -> String {
        let reason = format!(
            "[Compilation Error] \n    default_program(57): error: no operator \"-\" matches these operands\n            operand types are: - float_4\n    1 error detected\n[Source]  \n#include <cuda_runtime.h>\n\n{source}"
        );
        format!(
            "Error while reading data: ServerUnhealthy {{ errors: [Launch(CompilationError(Generic {{ reason: {reason:?} }}))] }}"
        )
    }

    #[test]
    fn a_kernel_that_does_not_compile_is_named_with_the_compilers_line() {
        for signature in [
            "extern \"C\" __global__ void __launch_bounds__(256)gelu_kernel_f32 (\n  float_4 buffer_0[]",
            "extern \"C\" __global__ void __launch_bounds__(128)__cluster_dims__(1, 1, 1) gelu_kernel_f32 (\n",
        ] {
            let failure = DeviceFailure::recognise(&compilation(signature)).unwrap();
            assert_eq!(
                failure.to_string(),
                "the kernel `gelu_kernel_f32` does not compile: default_program(57): error: no operator \"-\" matches these operands"
            );
        }
    }

    #[test]
    fn a_refused_launch_is_named_by_the_drivers_error_and_the_kernel_if_it_was_ours() {
        let said = "ServerUnhealthy { errors: [Launch(Unknown { reason: \"DriverError(CUDA_ERROR_INVALID_VALUE, \\\"invalid argument\\\")\" })] }";
        let failure = DeviceFailure::recognise(said).unwrap().to_string();
        assert_eq!(
            failure,
            "a kernel failed: CUDA_ERROR_INVALID_VALUE: invalid argument"
        );
        let said = format!("{LAUNCHED}norm_kernel\n{said}");
        let failure = DeviceFailure::recognise(&said).unwrap().to_string();
        assert!(
            failure.starts_with("the kernel `norm_kernel` failed: "),
            "{failure}"
        );
        assert_eq!(DeviceFailure::recognise("index out of bounds"), None);
    }

    #[test]
    fn kernels_of_others_are_named_by_a_second_process() {
        let words =
            "failed on cuda:0, X: a kernel failed: CUDA_ERROR_INVALID_VALUE: invalid argument";
        assert!(lacks_a_name(words));
        let said = format!("Executing a\n{ALL_WELL}\nExecuting b<f32>\nnoise\nExecuting b<f32>\n");
        let one = named(words, &said);
        assert_eq!(
            one,
            "failed on cuda:0, X: the kernel `b<f32>` failed: CUDA_ERROR_INVALID_VALUE: invalid argument"
        );
        assert!(!lacks_a_name(&one));
        let several = named(words, "Executing a\nExecuting c\n");
        assert!(
            several.contains("one of the kernels `a`, `c` failed"),
            "{several}"
        );
        assert_eq!(named(words, "nothing"), words);
    }
}
