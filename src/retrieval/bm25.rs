//! Okapi BM25: Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond"
//! (2009), in Lucene's variant.
//!
//! `score(q, d) = Σ_t idf(t) · tf / (tf + k1 · (1 − b + b · |d| / mean |d|))` over the terms of the
//! question, a term that it has twice counting twice, with
//! `idf(t) = ln(1 + (N − n_t + 0.5) / (n_t + 0.5))`, which is never negative. Lengths are exact, where Lucene rounds them to a byte.

use engine::retrieval::{Hit, best};

use super::vocabulary::{Vocabulary, real};

/// Saturation of a term's frequency.
const K1: f64 = 1.2;
/// How much of a text's length counts.
const B: f64 = 0.75;

/// An index of texts.
#[derive(Debug, Clone)]
pub struct Bm25 {
    vocabulary: Vocabulary,
    mean_length: f64,
}

impl Bm25 {
    /// Indexes the texts.
    #[must_use]
    pub fn new<S: AsRef<str>>(texts: &[S]) -> Self {
        let vocabulary = Vocabulary::new(texts);
        let total: usize = vocabulary.lengths.iter().sum();
        let mean_length = real(total) / real(vocabulary.count().max(1));
        Self {
            vocabulary,
            mean_length,
        }
    }

    /// The score of every text.
    #[must_use]
    pub fn scores(&self, question: &str) -> Vec<f64> {
        let count = real(self.vocabulary.count());
        let mut scores = vec![0.0; self.vocabulary.count()];
        for term in self.vocabulary.known(question) {
            let occurrences = &self.vocabulary.occurrences[term];
            let having = real(occurrences.len());
            let rarity = (1.0 + (count - having + 0.5) / (having + 0.5)).ln();
            for &(text, frequency) in occurrences {
                let length = real(self.vocabulary.lengths[text]) / self.mean_length;
                scores[text] += rarity * frequency / (frequency + K1 * (1.0 - B + B * length));
            }
        }
        scores
    }

    /// The `k` best texts that share a term with the question.
    #[must_use]
    pub fn search(&self, question: &str, k: usize) -> Vec<Hit> {
        positive(&self.scores(question), k)
    }
}

/// The best of the scores above nothing.
pub(super) fn positive(scores: &[f64], k: usize) -> Vec<Hit> {
    let hits = scores
        .iter()
        .enumerate()
        .map(|(chunk, &score)| Hit { chunk, score });
    best(hits.filter(|hit| hit.score > 0.0), k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_formulas() {
        let index = Bm25::new(&["umask cambia la máscara", "cd cambia cambia", "ls"]);
        let idf = |having: f64| (1.0 + (3.0 - having + 0.5) / (having + 0.5)).ln();
        let part = |tf: f64, length: f64| tf / (tf + 1.2 * (0.25 + 0.75 * length / (8.0 / 3.0)));
        let scores = index.scores("¿CAMBIA mascara cambia?");
        let wanted = [
            2.0 * idf(2.0) * part(1.0, 4.0) + idf(1.0) * part(1.0, 4.0),
            2.0 * idf(2.0) * part(2.0, 3.0),
            0.0,
        ];
        for (score, wanted) in scores.iter().zip(wanted) {
            assert!((score - wanted).abs() < 1e-12, "{scores:?}");
        }
    }

    #[test]
    fn texts_without_a_term_of_the_question_are_not_found() {
        let index = Bm25::new(&["uno dos", "tres", "dos"]);
        let chunks: Vec<usize> = index.search("dos", 3).iter().map(|hit| hit.chunk).collect();
        assert_eq!(chunks, [2, 0]);
        assert_eq!(index.search("nada", 3), []);
        assert_eq!(Bm25::new::<&str>(&[]).search("nada", 3), []);
    }
}
