//! TF-IDF as scikit-learn's `TfidfVectorizer` computes it, compared by cosine.
//!
//! A term weighs `tf · (ln((1 + N) / (1 + n_t)) + 1)`, and each text's weights are brought to
//! length 1. Terms that no text has are left out of a question.

use std::collections::BTreeMap;

use engine::retrieval::Hit;

use super::bm25::positive;
use super::vocabulary::{Vocabulary, real};

/// An index of texts.
#[derive(Debug, Clone)]
pub struct TfIdf {
    /// With weights in place of the occurrences.
    vocabulary: Vocabulary,
    rarities: Vec<f64>,
}

impl TfIdf {
    /// Indexes the texts.
    #[must_use]
    pub fn new<S: AsRef<str>>(texts: &[S]) -> Self {
        let mut vocabulary = Vocabulary::new(texts);
        let count = real(vocabulary.count());
        let rarity = |having: usize| ((1.0 + count) / (1.0 + real(having))).ln() + 1.0;
        let rarities: Vec<f64> = vocabulary
            .occurrences
            .iter()
            .map(|texts| rarity(texts.len()))
            .collect();
        let mut squares = vec![0.0; vocabulary.count()];
        for (occurrences, rarity) in vocabulary.occurrences.iter_mut().zip(&rarities) {
            for (text, weight) in occurrences {
                *weight *= rarity;
                squares[*text] += *weight * *weight;
            }
        }
        for (text, weight) in vocabulary.occurrences.iter_mut().flatten() {
            *weight /= squares[*text].sqrt();
        }
        Self {
            vocabulary,
            rarities,
        }
    }

    /// The cosine of every text with the question.
    #[must_use]
    pub fn scores(&self, question: &str) -> Vec<f64> {
        let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
        for term in self.vocabulary.known(question) {
            *weights.entry(term).or_default() += self.rarities[term];
        }
        let length = weights
            .values()
            .map(|weight| weight * weight)
            .sum::<f64>()
            .sqrt();
        let mut scores = vec![0.0; self.vocabulary.count()];
        for (term, weight) in weights {
            for &(text, other) in &self.vocabulary.occurrences[term] {
                scores[text] += weight / length * other;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_near_to_itself_as_can_be() {
        let index = TfIdf::new(&["umask cambia la máscara", "cd cambia", "ls"]);
        let scores = index.scores("UMASK cambia la mascara, o nada conocido");
        assert!(
            (scores[0] - 1.0).abs() < 1e-12
                && scores[1] > 0.0
                && scores[1] < 1.0
                && scores[2].abs() < 1e-12
        );
        assert_eq!(index.search("nada", 2), []);
    }
}
