//! From questions to the chunks they find, by whatever embedder the settings name.

use std::path::Path;
use std::time::Instant;

use engine::retrieval::{Hit, Metric, Search, Vectors};

use super::embed::{Embedded, Lazy, embedded};
use super::fragments::Fragments;
use super::keys::{fragments_key, questions_key};
use crate::config::{Embedder, Lexical, Metric as MetricSetting, RagSettings};
use crate::plan::RunSpec;
use crate::record::VectorRow;
use crate::retrieval::{Bm25, Side, TfIdf, has_pairs, terms};
use crate::runner::ExecuteError;
use crate::tasks::watch::Progress;

/// What the questions found, and what there is to say of the way.
pub(super) struct Found {
    /// For each question, the best chunks, the best first.
    pub(super) hits: Vec<Vec<Hit>>,
    /// Tokens of each chunk as the embedder counts them, before anything was cut.
    pub(super) tokens: Vec<usize>,
    /// Of a model only.
    pub(super) vectors: Option<VectorFacts>,
    pub(super) notes: Vec<String>,
    pub(super) embed_seconds: f64,
    pub(super) search_seconds: f64,
}

/// What there is to know of a model's vectors.
pub(super) struct VectorFacts {
    pub(super) width: usize,
    /// Tokens of a text that the model reads.
    pub(super) max_seq_length: usize,
    /// The shortest and the longest of the chunks' and questions' vectors.
    pub(super) lengths: (f64, f64),
    /// Whether the chunks' vectors were in the cache.
    pub(super) cached: bool,
    /// The beginning of each question's vector.
    pub(super) questions: Vec<VectorRow>,
}

/// How far a vector's length may be from 1 to count as 1: what 16-bit floats leave of a normalised
/// one.
const UNIT: f64 = 2e-3;

impl VectorFacts {
    /// Whether all metrics rank alike: with vectors of unit length the squared distance is `2 − 2
    /// cos`, and the product is the cosine.
    pub(super) fn have_unit_length(&self) -> bool {
        (self.lengths.0 - 1.0).abs() < UNIT && (self.lengths.1 - 1.0).abs() < UNIT
    }
}

/// Where a run is, and how it tells.
pub(super) struct Place<'a, 'b> {
    pub(super) results: &'a Path,
    pub(super) spec: &'a RunSpec,
    pub(super) progress: &'a mut Progress<'b>,
}

/// Finds the best chunks for each question; `None` if the run is to stop.
pub(super) fn search(
    settings: &RagSettings,
    questions: &[(&str, &str)],
    fragments: &Fragments,
    embedder: Option<&Lazy<'_>>,
    place: &mut Place<'_, '_>,
) -> Result<Option<Found>, ExecuteError> {
    match (&settings.embedder, embedder) {
        (Embedder::Lexical(lexical), _) => {
            Ok(Some(by_words(settings, lexical.kind, questions, fragments)))
        }
        (Embedder::Model(_), Some(embedder)) => {
            by_vectors(settings, questions, fragments, embedder, place)
        }
        (Embedder::Model(_), None) => Err(ExecuteError::message("the embedder was not opened")),
    }
}

/// A search by words.
type Find = Box<dyn Fn(&str) -> Vec<Hit>>;

pub(super) fn by_words(
    settings: &RagSettings,
    kind: Lexical,
    questions: &[(&str, &str)],
    fragments: &Fragments,
) -> Found {
    let begun = Instant::now();
    let k = settings.retrieval.top_k;
    let find: Find = match kind {
        Lexical::Bm25 => {
            let index = Bm25::new(&fragments.texts);
            Box::new(move |question| index.search(question, k))
        }
        Lexical::Tfidf => {
            let index = TfIdf::new(&fragments.texts);
            Box::new(move |question| index.search(question, k))
        }
    };
    let embed_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let hits: Vec<Vec<Hit>> = questions.iter().map(|(_, text)| find(text)).collect();
    let search_seconds = begun.elapsed().as_secs_f64();
    let mut notes = Vec::new();
    if settings.retrieval.metric != MetricSetting::Cosine {
        notes.push(
            "a lexical embedder has its own similarity: `retrieval.metric` changed nothing"
                .to_owned(),
        );
    }
    let asked = questions.iter().map(|(_, text)| *text);
    if fragments.borrowed().into_iter().chain(asked).any(has_pairs) {
        notes.push(
            "Chinese, Japanese and Korean text, and other text without spaces, is searched by pairs of letters in place of words".to_owned(),
        );
    }
    for ((id, _), hits) in questions.iter().zip(&hits) {
        match hits.len() {
            0 => notes.push(format!(
                "question `{id}`: no chunk has any of its words, so it found nothing"
            )),
            found if found < k => notes.push(format!(
                "question `{id}`: only {found} chunks have any of its words"
            )),
            _ => {}
        }
    }
    Found {
        hits,
        tokens: fragments
            .texts
            .iter()
            .map(|text| terms(text).len())
            .collect(),
        vectors: None,
        notes,
        embed_seconds,
        search_seconds,
    }
}

fn by_vectors(
    settings: &RagSettings,
    questions: &[(&str, &str)],
    fragments: &Fragments,
    embedder: &Lazy<'_>,
    place: &mut Place<'_, '_>,
) -> Result<Option<Found>, ExecuteError> {
    let begun = Instant::now();
    let texts: Vec<&str> = questions.iter().map(|question| question.1).collect();
    let (chunk_key, question_key) = (fragments_key(place.spec), questions_key(place.spec, &texts));
    // The questions first: one that is too long should not be found out after an hour.
    place.progress.stage("embedding the questions");
    let Some(asked) = embed_all(embedder, (Side::Query, &texts), &question_key, place)? else {
        return Ok(None);
    };
    for (&(id, _), &tokens) in questions.iter().zip(&asked.stored.facts().tokens) {
        let limit = asked.stored.facts().max_seq_length;
        if tokens > limit {
            return Err(ExecuteError::message(format!(
                "question `{id}` has {tokens} tokens, but the embedder reads {limit}: shorten it"
            )));
        }
    }
    place.progress.stage("embedding the chunks");
    let chunks = fragments.borrowed();
    let Some(chunks) = embed_all(embedder, (Side::Document, &chunks), &chunk_key, place)? else {
        return Ok(None);
    };
    let embed_seconds = begun.elapsed().as_secs_f64();
    place.progress.stage("searching");
    let begun = Instant::now();
    let mut asked_vectors = Vectors {
        width: asked.stored.width(),
        values: Vec::new(),
    };
    asked
        .stored
        .blocks(|block| asked_vectors.values.extend(block))?;
    let metric = match settings.retrieval.metric {
        MetricSetting::Cosine => Metric::Cosine,
        MetricSetting::Euclidean => Metric::Euclidean,
        MetricSetting::Dot => Metric::Dot,
    };
    let mut lengths = asked_vectors.lengths();
    let mut search = Search::new(&asked_vectors, &[metric], settings.retrieval.top_k);
    let width = asked_vectors.width;
    chunks.stored.blocks(|values| {
        let block = Vectors { width, values };
        let (low, high) = block.lengths();
        lengths = (lengths.0.min(low), lengths.1.max(high));
        search.add(&block.values);
    })?;
    let hits = search.finish().pop().unwrap_or_default();
    let facts = VectorFacts {
        width,
        max_seq_length: chunks.stored.facts().max_seq_length,
        lengths,
        cached: chunks.cached,
        questions: questions
            .iter()
            .zip(asked_vectors.values.chunks(width.max(1)))
            .map(|((id, _), vector)| VectorRow::of(id, vector))
            .collect(),
    };
    let mut notes: Vec<String> = chunks.note.into_iter().chain(asked.note).collect();
    for note in asked
        .stored
        .facts()
        .notes
        .iter()
        .chain(&chunks.stored.facts().notes)
    {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    if facts.have_unit_length() {
        notes.push("all vectors have unit length, so cosine, euclidean and dot rank alike: the metric has no effect".to_owned());
    }
    Ok(Some(Found {
        hits,
        tokens: chunks.stored.facts().tokens.clone(),
        vectors: Some(facts),
        notes,
        embed_seconds,
        search_seconds: begun.elapsed().as_secs_f64(),
    }))
}

fn embed_all(
    embedder: &Lazy<'_>,
    texts: (Side, &[&str]),
    key: &str,
    place: &mut Place<'_, '_>,
) -> Result<Option<Embedded>, ExecuteError> {
    let total = texts.1.len();
    let progress = &mut *place.progress;
    embedded(embedder, texts, (place.results, key), &mut |done| {
        progress.advance(done, total, "texts", None)
    })
}
