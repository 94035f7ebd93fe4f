//! A document's chunks.

use std::collections::HashSet;

use crate::config::{ChunkStrategy, Chunks, RagSettings};
use crate::data::document::{self, Source, prose};
use crate::retrieval::{Patterns, Side, by_sentences, by_words, count_words, terms};
use crate::runner::ExecuteError;

use super::embed::Lazy;
use super::located::located;

/// The chunks of a document, numbered from 0. None goes over the end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragments {
    pub(super) texts: Vec<String>,
    /// Files that they were cut from.
    pub(super) files: usize,
    /// Words in these files.
    pub(super) words: usize,
    /// What a reader of the results should know of the document.
    pub(super) notes: Vec<String>,
    /// The files' texts as they are cut, and as they are written.
    whole: Vec<String>,
}

impl Fragments {
    /// Reads the document and cuts it. Where chunks are counted in tokens, the embedder's count, or
    /// the terms of a lexical one.
    pub(super) fn cut(
        settings: &RagSettings,
        embedder: Option<&Lazy<'_>>,
    ) -> Result<Self, ExecuteError> {
        let document = document::prepare(&located(&settings.document)?)?;
        let sources = document.sources;
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
        let words = |source: &Source| count_words(&source.text);
        let fragments = Self {
            texts,
            files: sources.len(),
            words: sources.iter().map(words).sum(),
            notes: document.notes,
            whole: sources
                .into_iter()
                .map(|source| source.text)
                .chain(document.written)
                .collect(),
        };
        let (count, wanted) = (fragments.texts.len(), settings.retrieval.top_k);
        if wanted > count {
            return Err(ExecuteError::message(format!(
                "`retrieval.top_k` is {wanted}, but the document has only {count} chunks: lower it, or make `chunks.size` smaller"
            )));
        }
        Ok(fragments)
    }

    /// Whether the document contains one of the patterns, however it is cut and cleaned: runs that
    /// cut and clean it in different ways are judged by the same questions.
    pub(super) fn document_has(&self, patterns: &Patterns) -> bool {
        let has = |text: &str| patterns.judge(&[text])[0];
        // Divided words are joined by one cleaning alone.
        self.whole.iter().any(|text| has(text) || has(&prose(text)))
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

/// Tokens without the special ones and the prefix.
fn tokens(embedder: &Lazy<'_>, text: &str) -> Result<usize, ExecuteError> {
    let counts = embedder.get()?.token_counts(Side::Document, &["", text])?;
    Ok(counts
        .get(1)
        .copied()
        .unwrap_or(0)
        .saturating_sub(counts.first().copied().unwrap_or(0)))
}
