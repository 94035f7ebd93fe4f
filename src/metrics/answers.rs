//! What an answer is worth, on its words: against a right one, and how much it repeats itself.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// How far an answer has the words of a right one, whatever their order: the harmonic mean of the
/// share of its words that are right and the share of the right words that it has, as the
/// scores of `SQuAD` (Rajpurkar et al., 2016). Two answers without words agree.
#[must_use]
pub fn token_f1<T: Eq + Hash>(answer: &[T], right: &[T]) -> f64 {
    if answer.is_empty() || right.is_empty() {
        return f64::from(u8::from(answer.is_empty() && right.is_empty()));
    }
    let mut left: HashMap<&T, usize> = HashMap::new();
    for word in right {
        *left.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in answer {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    f_measure(shared, answer.len(), right.len())
}

/// ROUGE-L (Lin, 2004): the same of the longest run of words that both have in the same order, with
/// gaps. Nothing is shared with an answer without words.
#[must_use]
pub fn rouge_l<T: Eq>(answer: &[T], right: &[T]) -> f64 {
    let mut lengths = vec![0; right.len() + 1];
    for word in answer {
        let mut diagonal = 0;
        for (place, other) in right.iter().enumerate() {
            let above = lengths[place + 1];
            lengths[place + 1] = if word == other {
                diagonal + 1
            } else {
                above.max(lengths[place])
            };
            diagonal = above;
        }
    }
    f_measure(lengths[right.len()], answer.len(), right.len())
}

fn f_measure(shared: usize, one: usize, other: usize) -> f64 {
    if shared == 0 {
        return 0.0;
    }
    2.0 * real(shared) / real(one + other)
}

/// The share of runs of `n` words that were there before: 1 less the share of different ones among
/// all (Welleck et al., "Neural text generation with unlikelihood training", 2020). `None` with
/// fewer than `n` words.
#[must_use]
pub fn repetition<T: Eq + Hash>(words: &[T], n: usize) -> Option<f64> {
    let runs = words.windows(n.max(1));
    let (all, different) = (runs.len(), runs.collect::<HashSet<_>>().len());
    (all > 0).then(|| 1.0 - real(different) / real(all))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of words")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn token_f1_counts_shared_words_whatever_their_order() {
        for (answer, right, score) in [
            ("a b c", "c b a", 1.0),
            ("a a b", "a b b", 2.0 / 3.0),
            ("a", "a b c", 0.5),
            ("x", "a b c", 0.0),
            ("", "a", 0.0),
            ("a", "", 0.0),
            ("", "", 1.0),
        ] {
            close(token_f1(&words(answer), &words(right)), score);
        }
    }

    #[test]
    fn rouge_l_is_of_the_longest_common_subsequence() {
        for (answer, right, score) in [
            ("a b c", "c b a", 1.0 / 3.0),
            ("a x b y c", "a b c", 0.75),
            ("a b", "x y", 0.0),
            ("", "a", 0.0),
            ("", "", 0.0),
        ] {
            close(rouge_l(&words(answer), &words(right)), score);
        }
    }

    #[test]
    fn repetition_is_the_share_of_runs_that_were_there_before() {
        assert_eq!(repetition(&words("a b c"), 4), None);
        assert_eq!(repetition(&words(""), 4), None);
        close(repetition(&words("a b c d"), 4).unwrap(), 0.0);
        close(repetition(&words("a b a b a b a b"), 4).unwrap(), 0.6);
        close(repetition(&words("x x x x x x"), 4).unwrap(), 2.0 / 3.0);
    }
}
