//! What runs share: the vectors of a document's chunks depend on a part of the settings only, and are computed once for all runs that agree in it.

use std::collections::BTreeMap;
use std::path::Path;

use super::identity::of_parts;
use super::{Decision, Plan, RunSpec};
use crate::config::{Embedder, Metric, Settings};
use crate::record;

/// Tables of a retrieval run that decide its chunks and their vectors.
const FRAGMENTS: [&str; 3] = ["document.", "chunks.", "embedder."];

/// The key under which the vectors of a run's chunks are kept: a hash of what decides them. `None` if the run has no such vectors.
#[must_use]
pub fn fragments_key(spec: &RunSpec) -> Option<String> {
    has_vectors(spec).then(|| key(spec, &FRAGMENTS, BTreeMap::new()))
}

/// The key under which the vectors of these questions are kept.
#[must_use]
pub fn questions_key(spec: &RunSpec, questions: &[&str]) -> Option<String> {
    let numbered = (0..)
        .zip(questions)
        .map(|(index, text): (usize, _)| (format!("question.{index}"), (*text).to_owned()));
    has_vectors(spec).then(|| key(spec, &["embedder."], numbered.collect()))
}

fn has_vectors(spec: &RunSpec) -> bool {
    matches!(&spec.settings, Settings::Rag(settings) if matches!(settings.embedder, Embedder::Model(_)))
}

fn key(spec: &RunSpec, tables: &[&str], mut parts: BTreeMap<String, String>) -> String {
    let decides =
        |key: &str| key == "numerics" || tables.iter().any(|table| key.starts_with(table));
    let ours = spec.identity_parts.iter().filter(|part| decides(part.0));
    parts.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
    of_parts(&parts)
}

/// What a reader of the plan should know beside the decisions: which runs share their vectors, and which settings change nothing.
#[must_use]
pub fn remarks(plan: &Plan, results: &Path) -> Vec<String> {
    let due = || {
        plan.runs
            .iter()
            .filter(|planned| matches!(planned.decision, Decision::Run(_)))
    };
    let mut shared: Vec<(String, Vec<String>)> = Vec::new();
    let mut idle = Vec::new();
    for planned in due() {
        if let Some(key) = fragments_key(&planned.spec) {
            match shared.iter_mut().find(|known| known.0 == key) {
                Some(known) => known.1.push(planned.spec.label()),
                None => shared.push((key, vec![planned.spec.label()])),
            }
        }
        if ignores_its_metric(&planned.spec.settings) {
            idle.push(planned.spec.label());
        }
    }
    let mut remarks = Vec::new();
    for (key, runs) in shared {
        let there = record::embeddings_file(results, &key).exists();
        let names = named(&runs);
        remarks.push(match (runs.len(), there) {
            (1, true) => format!("{names} finds the vectors of its chunks in the cache"),
            (1, false) => continue,
            (_, true) => {
                format!("{names} share the vectors of their chunks, which are in the cache")
            }
            (_, false) => {
                format!("{names} share the vectors of their chunks, which are computed once")
            }
        });
    }
    if !idle.is_empty() {
        remarks.push(format!(
            "{}: a lexical embedder has its own similarity, so `retrieval.metric` changes nothing",
            named(&idle)
        ));
    }
    remarks
}

/// Whether a metric was chosen that has no effect. The default may well not have been chosen.
fn ignores_its_metric(settings: &Settings) -> bool {
    matches!(settings, Settings::Rag(settings) if matches!(settings.embedder, Embedder::Lexical(_)) && settings.retrieval.metric != Metric::Cosine)
}

/// The first of the runs by name, and how many more there are.
fn named(runs: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = runs
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>();
    match (runs.len().saturating_sub(SHOWN), shown.as_slice()) {
        (0, [others @ .., last]) if !others.is_empty() => {
            format!("{} and {last}", others.join(", "))
        }
        (0, _) => shown.join(", "),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_where_there_are_many() {
        let runs: Vec<String> = "abcdef".chars().map(String::from).collect();
        assert_eq!(
            [&runs[..1], &runs[..2], &runs[..4], &runs].map(named),
            ["a", "a and b", "a, b, c and d", "a, b, c, d and 2 more"]
        );
    }
}
