//! From what the questions found to metrics.

use engine::retrieval::Hit;

use super::fragments::Fragments;
use super::search::Found;
use crate::config::{Question, RagSettings};
use crate::metrics::{RankScores, mean, rank_scores};
use crate::record::{MetricRow, RetrievalRow};
use crate::retrieval::{Patterns, RelevanceError};

/// The evaluation of all questions together; the others are called like the questions.
pub(super) const ALL: &str = "questions";

/// Places for which a list is scored, beside its own length.
const PLACES: [usize; 4] = [1, 3, 5, 10];
/// Characters of a chunk that `retrieval.csv` shows.
const SHOWN_CHARACTERS: usize = 300;
/// A question whose right chunks are more than this share of all says little about a search.
const COMMON: f64 = 0.5;

/// Which chunks are right answers to a question.
pub(super) struct Relevance {
    /// `None` without patterns.
    chunks: Option<Vec<bool>>,
    /// Whether the document has one, be it that no chunk has it whole.
    somewhere: bool,
}

impl Relevance {
    pub(super) fn of(question: &Question, fragments: &Fragments) -> Result<Self, RelevanceError> {
        let patterns = Patterns::new(&question.relevant)?;
        let chunks = (!patterns.is_empty()).then(|| patterns.judge(&fragments.texts));
        let in_chunks = chunks.iter().flatten().any(|relevant| *relevant);
        Ok(Self {
            somewhere: in_chunks || chunks.is_some() && fragments.document_has(&patterns),
            chunks,
        })
    }

    fn total(&self) -> Option<usize> {
        let chunks = self.chunks.as_ref()?.iter();
        Some(chunks.filter(|relevant| **relevant).count())
    }

    fn of_chunk(&self, chunk: usize) -> Option<bool> {
        self.chunks.as_ref()?.get(chunk).copied()
    }

    /// The scores of a list's first `k` places; none of a question that cannot be judged. Where
    /// this way of cutting leaves no right chunk, nothing right is found.
    fn scores(&self, hits: &[Hit], k: usize) -> Option<RankScores> {
        if !self.somewhere {
            return None;
        }
        let flags: Vec<bool> = hits
            .iter()
            .map(|hit| self.of_chunk(hit.chunk) == Some(true))
            .collect();
        Some(rank_scores(&flags, self.total()?, k).unwrap_or_default())
    }

    /// What the user should know before trusting figures.
    #[expect(clippy::cast_precision_loss, reason = "numbers of chunks")]
    pub(super) fn note(&self, id: &str) -> Option<String> {
        let (total, all) = (self.total()?, self.chunks.as_ref()?.len());
        let share = total as f64 / all as f64;
        if !self.somewhere {
            Some(format!(
                "question `{id}`: the document contains none of its patterns, so it is not judged"
            ))
        } else if total == 0 {
            Some(format!(
                "question `{id}`: its answer is cut apart: the document contains a pattern of it, but no chunk does, so it counts as not found"
            ))
        } else if share > COMMON {
            Some(format!(
                "question `{id}`: {:.0} % of all chunks contain its patterns, so that anything would be right",
                100.0 * share
            ))
        } else {
            None
        }
    }
}

/// The rows of `retrieval.csv`.
pub(super) fn rows(
    settings: &RagSettings,
    fragments: &Fragments,
    found: &Found,
    relevance: &[Relevance],
) -> Vec<RetrievalRow> {
    let mut rows = Vec::new();
    for ((question, hits), relevance) in settings.questions.iter().zip(&found.hits).zip(relevance) {
        rows.extend((1..).zip(hits).map(|(rank, hit)| {
            RetrievalRow {
                question: question.id.clone(),
                rank,
                chunk: hit.chunk,
                score: hit.score,
                relevant: relevance.of_chunk(hit.chunk),
                text: fragments.texts[hit.chunk]
                    .chars()
                    .take(SHOWN_CHARACTERS)
                    .collect(),
            }
        }));
    }
    rows
}

/// Every scalar of the result.
pub(super) fn metrics(
    settings: &RagSettings,
    fragments: &Fragments,
    found: &Found,
    relevance: &[Relevance],
) -> Vec<MetricRow> {
    let k = settings.retrieval.top_k;
    let mut rows = overall(k, found, relevance);
    for ((question, hits), relevance) in settings.questions.iter().zip(&found.hits).zip(relevance) {
        rows.extend(one(&question.id, k, hits, relevance));
    }
    rows.extend(of_run(fragments, found));
    rows
}

fn overall(k: usize, found: &Found, relevance: &[Relevance]) -> Vec<MetricRow> {
    let asked = || found.hits.iter().zip(relevance);
    let judged = relevance.iter().filter(|relevance| relevance.somewhere);
    let mut rows = vec![
        metric(ALL, "asked", count(found.hits.len())),
        metric(ALL, "judged", count(judged.count())),
    ];
    let mut places: Vec<usize> = PLACES
        .into_iter()
        .filter(|&place| place < k)
        .chain([k])
        .collect();
    places.dedup();
    let average = |place: usize, score: &dyn Fn(RankScores) -> f64| {
        let scores: Vec<f64> = asked()
            .filter_map(|(hits, relevance)| relevance.scores(hits, place).map(score))
            .collect();
        mean(&scores)
    };
    rows.extend(
        average(k, &|scores| scores.reciprocal_rank).map(|value| metric(ALL, "mrr", value)),
    );
    for place in places {
        let scores: [(&str, &dyn Fn(RankScores) -> f64); 3] = [
            ("hit", &|scores| scores.hit),
            ("recall", &|scores| scores.recall),
            ("ndcg", &|scores| scores.ndcg),
        ];
        for (name, score) in scores {
            rows.extend(
                average(place, score).map(|value| metric(ALL, &format!("{name}@{place}"), value)),
            );
        }
    }
    let spreads: Vec<f64> = found.hits.iter().filter_map(|hits| spread(hits)).collect();
    rows.extend(mean(&spreads).map(|value| metric(ALL, "score_spread", value)));
    rows
}

fn one(id: &str, k: usize, hits: &[Hit], relevance: &Relevance) -> Vec<MetricRow> {
    let mut rows = vec![metric(id, "found", count(hits.len()))];
    if let Some(total) = relevance.total() {
        rows.push(metric(id, "relevant_chunks", count(total)));
        if let Some(scores) = relevance.scores(hits, k) {
            rows.push(metric(id, &format!("hit@{k}"), scores.hit));
            rows.push(metric(id, &format!("recall@{k}"), scores.recall));
            rows.push(metric(id, "reciprocal_rank", scores.reciprocal_rank));
            rows.push(metric(id, &format!("ndcg@{k}"), scores.ndcg));
        }
    }
    rows.extend(hits.first().map(|hit| metric(id, "best_score", hit.score)));
    rows.extend(spread(hits).map(|value| metric(id, "score_spread", value)));
    rows
}

/// How far the best score is above the last one that was kept: where it is nearly nothing, the
/// order is nearly chance.
fn spread(hits: &[Hit]) -> Option<f64> {
    Some(hits.first()?.score - hits.last()?.score)
}

fn of_run(fragments: &Fragments, found: &Found) -> Vec<MetricRow> {
    let mut rows = vec![
        ("files", count(fragments.files)),
        ("words", count(fragments.words)),
        ("chunks", count(fragments.texts.len())),
        ("duplicate_chunks", count(fragments.duplicates())),
    ];
    let tokens = &found.tokens;
    rows.extend(
        tokens
            .iter()
            .min()
            .map(|&least| ("chunk_tokens_min", count(least))),
    );
    rows.extend(
        mean(
            &tokens
                .iter()
                .map(|&tokens| count(tokens))
                .collect::<Vec<_>>(),
        )
        .map(|value| ("chunk_tokens_mean", value)),
    );
    rows.extend(
        tokens
            .iter()
            .max()
            .map(|&most| ("chunk_tokens_max", count(most))),
    );
    if let Some(facts) = &found.vectors {
        let cut = Cut::new(tokens, facts.max_seq_length);
        rows.extend([
            ("max_seq_length", count(facts.max_seq_length)),
            ("chunks_cut", count(cut.chunks)),
            ("tokens_cut_percent", cut.percent),
            ("vector_width", count(facts.width)),
            ("vector_length_min", facts.lengths.0),
            ("vector_length_max", facts.lengths.1),
        ]);
    }
    rows.into_iter()
        .map(|(name, value)| metric("run", name, value))
        .collect()
}

/// What an embedder does not read.
pub(super) struct Cut {
    pub(super) chunks: usize,
    pub(super) percent: f64,
}

impl Cut {
    pub(super) fn new(tokens: &[usize], limit: usize) -> Self {
        let beyond: usize = tokens
            .iter()
            .map(|&tokens| tokens.saturating_sub(limit))
            .sum();
        let all: usize = tokens.iter().sum();
        Self {
            chunks: tokens.iter().filter(|&&tokens| tokens > limit).count(),
            percent: if all == 0 {
                0.0
            } else {
                100.0 * count(beyond) / count(all)
            },
        }
    }

    /// In words, if anything is cut.
    pub(super) fn note(&self, chunks: usize, limit: usize) -> Option<String> {
        (self.chunks > 0).then(|| {
            format!(
                "the embedder reads the first {limit} tokens of a chunk: {} of {chunks} chunks are longer, and {:.1} % of all tokens are never embedded",
                self.chunks, self.percent
            )
        })
    }
}

pub(super) fn metric(evaluation: &str, metric: &str, value: f64) -> MetricRow {
    MetricRow {
        evaluation: evaluation.to_owned(),
        metric: metric.to_owned(),
        value,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of chunks, tokens and words"
)]
pub(super) fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_tokens_cut_is_of_all_tokens() {
        let cut = Cut::new(&[128, 200, 72], 128);
        assert_eq!((cut.chunks, cut.percent), (1, 18.0));
        assert!(
            cut.note(3, 128)
                .unwrap()
                .contains("1 of 3 chunks are longer, and 18.0 %")
        );
        assert!(Cut::new(&[1], 128).note(1, 128).is_none());
    }
}
