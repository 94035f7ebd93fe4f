//! Adapters in PEFT's format (<https://github.com/huggingface/peft>): a folder with
//! `adapter_config.json`, tensors, the classes' names and a README.

mod card;
mod config;
mod names;
mod patterns;
mod rules;
mod tensors;
mod write;

pub use card::{Base, Card};
pub use config::{ALL_LINEAR, AdapterConfig, TargetModules};
pub use names::suffixes;
pub use patterns::Patterns;
pub use rules::{Rules, divisor};
pub use tensors::AdapterTensors;
pub use write::write;

use std::path::PathBuf;

use thiserror::Error;

use super::error::CheckpointError;

/// What PEFT puts before every module name.
const PREFIX: &str = "base_model.model.";

const CONFIG_FILE: &str = "adapter_config.json";
/// The base model's `config.json` with the names of the adapter's classes.
const CLASSES_FILE: &str = "config.json";

const TENSORS_FILE: &str = "adapter_model.safetensors";

/// Why an adapter cannot be read or written.
#[derive(Debug, Error)]
pub enum AdapterError {
    /// A file that cannot be read.
    #[error(transparent)]
    Tensors(#[from] CheckpointError),
    /// A file that cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file that cannot be written.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// `adapter_config.json` asks for something that is not supported, or is broken.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The `adapter_config.json`.
        path: PathBuf,
        /// The key that is wrong, and how.
        problem: String,
    },
    /// The adapter was made for another network.
    #[error("{} does not fit the model: {problem}", path.display())]
    Mismatch {
        /// The file of tensors.
        path: PathBuf,
        /// The tensor or module that does not fit, and how.
        problem: String,
    },
}
