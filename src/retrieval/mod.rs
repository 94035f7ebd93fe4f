//! From texts to vectors. Takes plain arguments; knows nothing of settings, records or runs.

mod embedder;
mod pooling;
mod sentence_files;

pub use embedder::{
    Embedder, EmbedderError, EmbedderSource, Embeddings, LoadedEmbedder, TOKEN_BUDGET, TextTokens,
};
pub use sentence_files::{Pooling, SentenceFilesError, SentenceSettings, Step};
