//! Under which names the vectors of a run are kept: hashes of the part of its settings that decides
//! them.

use std::collections::BTreeMap;

use crate::plan::{RunSpec, of_parts};

/// Tables of the settings that decide the chunks and their vectors.
const FRAGMENTS: [&str; 3] = ["document.", "chunks.", "embedder."];

/// The key of the vectors of a run's chunks.
pub(super) fn fragments_key(spec: &RunSpec) -> String {
    key(spec, &FRAGMENTS, BTreeMap::new())
}

/// The key of the vectors of these questions.
pub(super) fn questions_key(spec: &RunSpec, questions: &[&str]) -> String {
    let numbered = (0..)
        .zip(questions)
        .map(|(index, text): (usize, _)| (format!("question.{index}"), (*text).to_owned()));
    key(spec, &["embedder."], numbered.collect())
}

fn key(spec: &RunSpec, tables: &[&str], mut parts: BTreeMap<String, String>) -> String {
    let decides =
        |key: &str| key == "numerics" || tables.iter().any(|table| key.starts_with(table));
    let ours = spec.identity_parts.iter().filter(|part| decides(part.0));
    parts.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
    of_parts(&parts)
}
