//! A document's chunks.

use std::collections::HashSet;

use crate::config::{ChunkStrategy, Chunks, RagSettings};
use crate::data::document::{self, Source, words};
use crate::retrieval::{by_sentences, by_words, terms};
use crate::runner::ExecuteError;

use super::embed::Lazy;

/// The chunks of a document, numbered from 0. None goes over the end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragments {
    pub(super) texts: Vec<String>,
    /// Files that they were cut from.
    pub(super) files: usize,
    /// Words in these files.
    pub(super) words: usize,
}

impl Fragments {
    /// Reads the document and cuts it. Where chunks are counted in tokens, the embedder's count, or
    /// the terms of a lexical one.
    pub(super) fn cut(
        settings: &RagSettings,
        embedder: Option<&Lazy<'_>>,
    ) -> Result<Self, ExecuteError> {
        let sources = document::prepare(&settings.document)?;
        let failed = std::cell::RefCell::new(None);
        let count = |text: &str| match embedder {
            None => terms(text).len(),
            Some(embedder) => tokens(embedder, text).unwrap_or_else(|error| {
                failed.borrow_mut().get_or_insert(error);
                0
            }),
        };
        let texts = cut(&sources, &settings.chunks, &count);
        if let Some(error) = failed.into_inner() {
            return Err(error);
        }
        let count_words = |source: &Source| words(&source.text).count();
        let words = sources.iter().map(count_words).sum();
        let fragments = Self {
            texts,
            files: sources.len(),
            words,
        };
        let (count, wanted) = (fragments.texts.len(), settings.retrieval.top_k);
        if wanted > count {
            return Err(ExecuteError::message(format!(
                "`retrieval.top_k` is {wanted}, but the document has only {count} chunks: lower it, or make `chunks.size` smaller"
            )));
        }
        Ok(fragments)
    }

    /// Chunks that say the same as one before.
    pub(super) fn duplicates(&self) -> usize {
        self.texts.len() - self.texts.iter().collect::<HashSet<_>>().len()
    }

    pub(super) fn borrowed(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }
}

fn cut(sources: &[Source], chunks: &Chunks, count: &dyn Fn(&str) -> usize) -> Vec<String> {
    let of_source = |source: &Source| match chunks.strategy {
        ChunkStrategy::Words => by_words(&source.text, chunks.size, chunks.overlap),
        ChunkStrategy::Sentences => by_sentences(&source.text, chunks.size, chunks.overlap, count),
    };
    sources.iter().flat_map(of_source).collect()
}

/// Tokens without the special ones.
fn tokens(embedder: &Lazy<'_>, text: &str) -> Result<usize, ExecuteError> {
    let counts = embedder.get()?.token_counts(&["", text])?;
    Ok(counts
        .get(1)
        .copied()
        .unwrap_or(0)
        .saturating_sub(counts.first().copied().unwrap_or(0)))
}
