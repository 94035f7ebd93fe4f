//! How good what the questions of a run found is, and how much of it the first run found, too.

use std::collections::{BTreeMap, BTreeSet};

use super::super::compare::value;
use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::metrics::mean;
use crate::report::seed::SeedReport;
use crate::study::{Figure, Reference};

/// The evaluation of all questions together.
const ALL: &str = "questions";
const SETTINGS: [&str; 4] = [
    "retrieval.metric",
    "chunks.size",
    "retrieval.top_k",
    "chunks",
];
/// Shares over all questions that a run may have.
const SHARES: [(&str, &str); 6] = [
    ("mrr", "MRR"),
    ("same_language", "same language"),
    ("within_limit", "in limit"),
    ("abstained", "abstained"),
    ("supported", "supported"),
    ("repeated", "repeated"),
];

pub(super) fn table(context: &Context<'_>, _: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["run"], &SETTINGS);
    let more = ["hit@k", "recall@k", "nDCG@k"].into_iter();
    let more = more.chain(SHARES.map(|(_, title)| title));
    let more = more.chain(["tokens cut, %", "chunks shared with the first"]);
    table.columns.extend(more.map(str::to_owned));
    let first = subjects.first().and_then(Subject::first);
    for subject in subjects {
        let setting = |name: &&str| {
            let reference = Reference::of("run", name);
            Cell::Value(value(context.published(), subject, &reference))
        };
        let k = subject.setting("retrieval.top_k").unwrap_or_default();
        let of_all = |metric: &str| decimal(&subject.numbers(&Reference::of(ALL, metric)), 4);
        let mut cells: Vec<Cell> = SETTINGS.iter().map(setting).collect();
        cells.extend(["hit", "recall", "ndcg"].map(|metric| of_all(&format!("{metric}@{k}"))));
        cells.extend(SHARES.map(|(metric, _)| of_all(metric)));
        let cut = Reference::of("run", "tokens_cut_percent");
        cells.push(decimal(&subject.numbers(&cut), 1));
        let shared = first
            .zip(subject.first())
            .and_then(|(one, other)| shared(one, other));
        cells.push(decimal(&Vec::from_iter(shared), 2));
        table.push([subject.name], cells, subject.command_if_due());
    }
    table
}

fn decimal(values: &[f64], digits: usize) -> Cell {
    mean(values).map_or(Cell::Empty, |mean| Cell::Text(format!("{mean:.digits$}")))
}

/// The share of the chunks of the shorter list that both runs found, over the questions of both.
#[allow(clippy::cast_precision_loss, reason = "numbers of chunks")]
fn shared(one: &SeedReport, other: &SeedReport) -> Option<f64> {
    let found = |seed: &SeedReport| {
        let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for row in seed.retrieval() {
            found
                .entry(row.question.clone())
                .or_default()
                .insert(row.chunk);
        }
        found
    };
    // Chunks of other sizes have other numbers.
    let cut = |seed: &SeedReport| {
        ["chunks.size", "chunks.overlap", "chunks.strategy"]
            .map(|key| seed.settings.get(key).cloned())
    };
    if cut(one) != cut(other) {
        return None;
    }
    let theirs = found(other);
    let shares: Vec<f64> = found(one)
        .iter()
        .filter_map(|(question, chunks)| {
            let others = theirs.get(question)?;
            let shorter = chunks.len().min(others.len());
            (shorter > 0).then(|| chunks.intersection(others).count() as f64 / shorter as f64)
        })
        .collect();
    mean(&shares)
}
