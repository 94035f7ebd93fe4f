//! From a document to the fragments that answer a question: chunks, lexical scores, texts' vectors,
//! what is relevant, and answers made of their sentences. The engine finds the nearest vectors.
//! Takes plain arguments; knows nothing of settings, records or runs.

mod bm25;
mod chunks;
mod citation;
mod embedder;
mod extract;
mod families;
mod fold;
mod judgement;
mod language;
mod prefixes;
mod relevance;
mod scripts;
mod sentences;
mod tfidf;
mod vocabulary;

pub use bm25::Bm25;
pub use chunks::{by_sentences, by_words};
pub use citation::citation_in;
pub use embedder::{Embedder, EmbedderError, Embeddings, LoadedEmbedder, TextTokens};
pub use extract::{Passage, Phrases, extract};
pub use fold::{fold, has_pairs, terms};
pub use judgement::{Bench, Judgement};
pub use prefixes::{Given, Side};
pub use relevance::{Patterns, RelevanceError};
pub use scripts::count_words;
pub use sentences::sentences;
pub use tfidf::TfIdf;
