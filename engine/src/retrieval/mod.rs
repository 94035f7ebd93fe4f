//! From tokens to the chunks nearest to a question: pooling, vectors, similarity, the exact best.
//! Takes plain arguments; knows nothing of settings, records or runs.

mod embedder;
mod pooling;
mod similarity;
mod top;
mod vectors;

pub use crate::checkpoint::{Pooling, SentenceSettings, Step};
pub use embedder::{EmbedderError, EmbedderFiles, LoadedEmbedder};
pub use similarity::{Metric, Search};
pub use top::{Hit, best};
pub use vectors::Vectors;
