//! One file per architecture, the loader of checkpoints, and adapters in PEFT's format.

pub mod adapter;
mod adapter_config;
pub mod bert;
mod block;
mod checkpoint;
mod classifier;
mod classifier_files;
pub mod deberta;
mod dense;
mod encoder;
mod encoder_classifier;
pub mod jina_bert;
pub mod mpnet;
mod pickle;
mod relative_encoder;
pub mod roberta;
#[cfg(test)]
pub(crate) mod sample;
mod sentence_encoder;
mod source;
mod tensor_files;
mod trained;
mod weights;

pub use checkpoint::{Checkpoint, CheckpointError, Spelling};
pub use classifier::{Classifier, NamedLinears};
pub use classifier_files::ClassifierFiles;
pub use dense::{Dense, DenseFiles};
pub use encoder_classifier::{EncoderClassifier, spelling};
pub use sentence_encoder::{SentenceEncoder, SentenceFiles};
pub use source::Source;
pub use tensor_files::TensorFiles;
pub use trained::{Trained, count, trained, unfreeze};
pub use weights::{Initial, Weights, draw};
