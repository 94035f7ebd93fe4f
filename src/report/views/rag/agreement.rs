//! How much two runs agree in what they found.

use std::collections::BTreeMap;

use super::top_k;
use crate::metrics::{mean, overlap, rank_agreement};
use crate::record::{CsvWriter, RetrievalRow};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::seed::SeedReport;

/// Tables of the settings that runs must share for their chunks to be the same.
const SAME: [&str; 2] = ["document.", "chunks."];

/// What two runs found, compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Agreement {
    pub question: String,
    /// Places that were compared.
    pub k: usize,
    /// The share of these that both have.
    pub overlap: f64,
    /// Kendall's tau; see [`rank_agreement`].
    pub tau: Option<f64>,
}

/// For two runs that search the same chunks, how much they agree on each question that both were
/// asked, over as many places as the shorter of the two lists has by its settings; none where the
/// chunks differ. Of several seeds, the first.
pub(super) fn agreements(one: &RunReport, other: &RunReport) -> Vec<Agreement> {
    let Some((one, other)) = one.complete().next().zip(other.complete().next()) else {
        return Vec::new();
    };
    let Some((k, same)) = top_k(one)
        .zip(top_k(other))
        .map(|(a, b)| (a.min(b), same_chunks(one, other)))
    else {
        return Vec::new();
    };
    if !same {
        return Vec::new();
    }
    let (found, compared) = (by_question(one.retrieval()), by_question(other.retrieval()));
    let pairs = found
        .iter()
        .filter_map(|(question, list)| Some((question, list, compared.get(question)?)));
    pairs
        .filter_map(|(question, list, other)| {
            let (list, other) = (&list[..k.min(list.len())], &other[..k.min(other.len())]);
            Some(Agreement {
                question: (*question).to_owned(),
                k,
                overlap: overlap(list, other, k)?,
                tau: rank_agreement(list, other),
            })
        })
        .collect()
}

/// The means of overlap and tau over the questions.
pub(super) fn mean_agreement(agreements: &[Agreement]) -> Option<(f64, Option<f64>)> {
    let overlaps: Vec<f64> = agreements
        .iter()
        .map(|agreement| agreement.overlap)
        .collect();
    let taus: Vec<f64> = agreements
        .iter()
        .filter_map(|agreement| agreement.tau)
        .collect();
    Some((mean(&overlaps)?, mean(&taus)))
}

/// Whether two runs have the same chunks: the same content, cut in the same way. An embedder's own
/// tokens make it cut sentences its own way.
fn same_chunks(one: &SeedReport, other: &SeedReport) -> bool {
    let Some((one, other)) = one.record.as_ref().zip(other.record.as_ref()) else {
        return false;
    };
    let by_tokens = one
        .identity_parts
        .get("chunks.strategy")
        .is_some_and(|strategy| strategy == "sentences");
    let decides = |key: &str| {
        SAME.iter().any(|table| key.starts_with(table))
            || by_tokens && key.starts_with("embedder.") && key != "embedder.kind"
    };
    let parts = |parts: &BTreeMap<String, String>| -> Vec<(String, String)> {
        let ours = parts.iter().filter(|part| decides(part.0));
        ours.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    parts(&one.identity_parts) == parts(&other.identity_parts)
}

fn by_question(rows: &[RetrievalRow]) -> BTreeMap<&str, Vec<usize>> {
    let mut lists: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in rows {
        lists.entry(&row.question).or_default().push(row.chunk);
    }
    lists
}

/// Mean over the questions of each place's score as a share of the question's best; places that no
/// question has are left out.
pub(super) fn scores_by_rank(rows: &[RetrievalRow]) -> Vec<(usize, f64)> {
    let mut best = 0.0;
    let mut shares: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for row in rows {
        if row.rank == 1 {
            best = row.score;
        }
        // A best score of nothing, or below, has no shares.
        if best > 0.0 {
            shares.entry(row.rank).or_default().push(row.score / best);
        }
    }
    shares
        .into_iter()
        .filter_map(|(rank, shares)| Some((rank, mean(&shares)?)))
        .collect()
}

/// `agreement.csv`: for every pair of runs that search the same chunks and every question, how much
/// they agree. `None` if there is no pair.
///
/// # Errors
/// Those of the CSV writer.
pub(super) fn csv(experiment: &ExperimentReport) -> csv::Result<Option<Vec<u8>>> {
    let mut writer = CsvWriter::new(Vec::new());
    writer.write_record(["run", "other", "question", "k", "overlap", "kendall_tau"])?;
    let mut any = false;
    for (index, one) in experiment.current().enumerate() {
        for other in experiment.current().skip(index + 1) {
            for agreement in agreements(one, other) {
                any = true;
                writer.write_record([
                    one.name.clone(),
                    other.name.clone(),
                    agreement.question,
                    agreement.k.to_string(),
                    agreement.overlap.to_string(),
                    agreement.tau.map(|tau| tau.to_string()).unwrap_or_default(),
                ])?;
            }
        }
    }
    let content = writer.into_inner()?;
    Ok(any.then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(question: &str, rank: usize, score: f64) -> RetrievalRow {
        RetrievalRow {
            question: question.into(),
            rank,
            chunk: rank,
            score,
            relevant: None,
            text: String::new(),
        }
    }

    #[test]
    fn scores_are_shares_of_each_questions_best() {
        let rows = [
            row("a", 1, 8.0),
            row("a", 2, 4.0),
            row("b", 1, 0.5),
            row("b", 2, 0.5),
            row("c", 1, 0.0),
        ];
        assert_eq!(scores_by_rank(&rows), [(1, 1.0), (2, 0.75)]);
    }
}
