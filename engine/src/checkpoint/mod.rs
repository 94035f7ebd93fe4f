//! What lies in a checkpoint's folder: weights in safetensors files and PyTorch's archives,
//! sentence-transformers' settings, adapters in PEFT's format.
//!
//! Nothing in a file is executed, and headers are checked before anything is believed. Knows no
//! tensors of a device.

mod adapter;
mod error;
mod folder;
mod pickle;
mod safetensors;
mod sentence;
mod tensor_files;

pub use adapter::{
    ALL_LINEAR, AdapterConfig, AdapterError, AdapterTensors, Base, Card, Patterns, Rules,
    TargetModules, divisor, suffixes, write as write_adapter,
};
pub use error::CheckpointError;
pub use folder::Checkpoint;
pub use sentence::{DenseFiles, Pooling, SentenceFilesError, SentenceSettings, Step};
pub use tensor_files::{Number, TensorFiles};
