//! From a document to the fragments that answer a question: chunks, lexical and neural scores, the exact best of them, what is relevant, and
//! answers made of their sentences. Takes plain arguments; knows nothing of settings, records or runs.

mod bm25;
mod chunks;
mod embedder;
mod extract;
mod fold;
mod pooling;
mod relevance;
mod sentence_files;
mod sentences;
mod similarity;
mod tfidf;
mod top;
mod vectors;
mod vocabulary;

pub use bm25::Bm25;
pub use chunks::{by_sentences, by_words};
pub use embedder::{
    Embedder, EmbedderError, EmbedderSource, Embeddings, LoadedEmbedder, TextTokens,
};
pub use extract::{NOTHING_FOUND, Passage, extract};
pub use fold::{fold, terms};
pub use relevance::{Patterns, RelevanceError};
pub use sentence_files::{Pooling, SentenceFilesError, SentenceSettings, Step};
pub use sentences::sentences;
pub use similarity::{Metric, Search};
pub use tfidf::TfIdf;
pub use top::{Hit, best};
pub use vectors::Vectors;
