//! One file per architecture, and what they share: weights from a checkpoint or a seed, the
//! parameters that are trained, adapters.

pub mod adapter;
pub mod bert;
mod block;
mod classifier;
pub mod deberta;
pub mod decoder;
mod dense;
mod encoder;
mod encoder_classifier;
mod files;
pub mod jina_bert;
pub mod mpnet;
mod relative_encoder;
pub mod roberta;
#[cfg(test)]
pub(crate) mod sample;
mod sentence_encoder;
mod source;
mod trained;
mod weights;

pub use classifier::{Classifier, NamedLinears};
pub use dense::Dense;
pub use encoder_classifier::EncoderClassifier;
pub use files::NetworkFiles;
pub use sentence_encoder::SentenceEncoder;
pub use source::Source;
pub use trained::{Trained, count, trained, unfreeze};
pub use weights::{Initial, Weights, draw};
