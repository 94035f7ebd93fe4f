//! From tokens to the chunks nearest to a question: pooling, vectors, similarity, the exact best. Takes plain arguments; knows nothing of settings, records or
//! runs.

mod embedder;
mod pooling;
mod sentence_files;
mod similarity;
mod top;
mod vectors;

pub use embedder::{EmbedderError, EmbedderFiles, LoadedEmbedder};
pub use sentence_files::{Pooling, SentenceFilesError, SentenceSettings, Step};
pub use similarity::{Metric, Search};
pub use top::{Hit, best};
pub use vectors::Vectors;
