//! The tensor side of ensayo, which compiles once: encoders, their training and their use. It knows
//! no experiments, records or people; the program gives it plain arguments and watches it through
//! observers.

pub mod checkpoint;
pub mod classifier;
pub mod decoder;
pub mod device;
pub mod embedder;
pub mod generation;
pub mod models;
pub mod nn;
pub mod pcg64;
pub mod retrieval;
pub mod shapes;
pub mod training;

/// The number formats of weights and activations.
pub use burn::tensor::FloatDType;
