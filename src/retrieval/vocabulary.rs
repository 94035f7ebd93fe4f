//! Which term occurs how often in which text: what BM25 and TF-IDF share.

use std::collections::HashMap;

use super::fold::terms;

/// An inverted index.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, usize>,
    /// For each term (text, occurrences), in the order of the texts.
    pub(super) occurrences: Vec<Vec<(usize, f64)>>,
    /// Terms in each text.
    pub(super) lengths: Vec<usize>,
}

impl Vocabulary {
    pub(super) fn new<S: AsRef<str>>(texts: &[S]) -> Self {
        let mut vocabulary = Self::default();
        for (text, words) in texts.iter().enumerate() {
            let words = terms(words.as_ref());
            vocabulary.lengths.push(words.len());
            for word in words {
                let next = vocabulary.numbers.len();
                let number = *vocabulary.numbers.entry(word).or_insert(next);
                if number == next {
                    vocabulary.occurrences.push(Vec::new());
                }
                match vocabulary.occurrences[number].last_mut() {
                    Some((last, count)) if *last == text => *count += 1.0,
                    _ => vocabulary.occurrences[number].push((text, 1.0)),
                }
            }
        }
        vocabulary
    }

    /// The numbers of a question's terms that the texts have, each as often as the question has it.
    pub(super) fn known(&self, question: &str) -> Vec<usize> {
        terms(question)
            .iter()
            .filter_map(|term| self.numbers.get(term).copied())
            .collect()
    }

    /// Texts.
    pub(super) fn count(&self) -> usize {
        self.lengths.len()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of texts and terms are far below 2^53"
)]
pub(super) fn real(count: usize) -> f64 {
    count as f64
}
