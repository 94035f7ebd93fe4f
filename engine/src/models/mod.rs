//! One file per architecture, and what they share: weights from a checkpoint or a seed, the parameters that are trained, adapters.

pub mod adapter;
pub mod bert;
mod block;
mod classifier;
mod classifier_files;
pub mod deberta;
mod dense;
mod encoder;
mod encoder_classifier;
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
pub use classifier_files::ClassifierFiles;
pub use dense::{Dense, DenseFiles};
pub use encoder_classifier::{EncoderClassifier, spelling};
pub use sentence_encoder::{SentenceEncoder, SentenceFiles};
pub use source::Source;
pub use trained::{Trained, count, trained, unfreeze};
pub use weights::{Initial, Weights, draw};
