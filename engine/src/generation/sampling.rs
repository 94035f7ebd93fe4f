//! From logits to the next token, in transformers' order.

use super::request::{Choice, Sampling};
use crate::nn::ops::mix;

/// The tokens that may come next, with their logits after everything that a sampling does to them,
/// in the order of their ids. `seen` are the tokens of prompt and answer.
#[must_use]
pub fn processed(logits: &[f32], seen: &[u32], sampling: &Sampling) -> Vec<(u32, f32)> {
    let mut logits = logits.to_vec();
    penalise(&mut logits, seen, narrow(sampling.repetition_penalty));
    let Choice::Drawn {
        temperature,
        top_k,
        top_p,
        min_p,
    } = sampling.choice
    else {
        return numbered(&logits).collect();
    };
    let temperature = narrow(temperature);
    for logit in &mut logits {
        *logit /= temperature;
    }
    let mut left: Vec<(u32, f32)> = match top_k.filter(|&count| count < logits.len()) {
        Some(count) => {
            let mut ordered = logits.clone();
            let (_, last, _) =
                ordered.select_nth_unstable_by(count.max(1) - 1, |a, b| b.total_cmp(a));
            let last = *last;
            numbered(&logits)
                .filter(|(_, logit)| *logit >= last)
                .collect()
        }
        None => numbered(&logits).collect(),
    };
    if let Some(share) = top_p.filter(|&share| share < 1.0) {
        keep_likeliest(&mut left, narrow(share));
    }
    if let Some(share) = min_p.filter(|&share| share > 0.0) {
        let probabilities = softmax(&left);
        let highest = probabilities.iter().copied().fold(0.0, f32::max);
        let limit = narrow(share) * highest;
        let mut probabilities = probabilities.into_iter();
        left.retain(|_| {
            probabilities
                .next()
                .is_some_and(|probability| probability >= limit)
        });
    }
    left
}

/// What a token is drawn by: the same seed and number always give the same random number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    /// Of all tokens of an answer.
    pub(super) seed: u64,
    /// The token's number in it.
    pub(super) number: usize,
}

/// The next token after logits.
pub(super) fn next(logits: &[f32], seen: &[u32], sampling: &Sampling, draw: Draw) -> u32 {
    if sampling.choice == Choice::Greedy {
        let mut logits = logits.to_vec();
        penalise(&mut logits, seen, narrow(sampling.repetition_penalty));
        return highest(numbered(&logits));
    }
    let left = processed(logits, seen, sampling);
    let probabilities = softmax(&left);
    // 53 random bits: as fine as a sum of probabilities can be.
    #[expect(clippy::cast_precision_loss, reason = "no more than 53 bits")]
    let point = (mix(mix(draw.seed) ^ draw.number as u64) >> 11) as f64 / 9_007_199_254_740_992.0;
    let mut sum = 0.0;
    for ((token, _), probability) in left.iter().zip(&probabilities) {
        sum += f64::from(*probability);
        if point < sum {
            return *token;
        }
    }
    // Rounding left a little behind the last one.
    highest(left.iter().copied())
}

/// The first token with the highest logit.
fn highest(logits: impl Iterator<Item = (u32, f32)>) -> u32 {
    let first = |best: (u32, f32), one: (u32, f32)| if one.1 > best.1 { one } else { best };
    logits.fold((0, f32::NEG_INFINITY), first).0
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a vocabulary has fewer than 2^32 tokens"
)]
fn numbered(logits: &[f32]) -> impl Iterator<Item = (u32, f32)> {
    let numbered = logits.iter().enumerate();
    numbered.map(|(token, &logit)| (token as u32, logit))
}

/// Each token that was there before, once.
fn penalise(logits: &mut [f32], seen: &[u32], penalty: f32) {
    #[expect(clippy::float_cmp, reason = "1 is what changes nothing")]
    if penalty == 1.0 {
        return;
    }
    let mut seen = seen.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for token in seen {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = if *logit < 0.0 {
                *logit * penalty
            } else {
                *logit / penalty
            };
        }
    }
}

/// Drops the least likely ones as long as those dropped have together no more than `1 - share`.
fn keep_likeliest(left: &mut Vec<(u32, f32)>, share: f32) {
    let mut ascending: Vec<usize> = (0..left.len()).collect();
    ascending.sort_by(|&a, &b| left[a].1.total_cmp(&left[b].1));
    let ordered: Vec<(u32, f32)> = ascending.iter().map(|&place| left[place]).collect();
    let mut sum = 0.0_f32;
    let mut dropped = vec![false; left.len()];
    let last = left.len().saturating_sub(1);
    for (&place, probability) in ascending.iter().zip(softmax(&ordered)).take(last) {
        sum += probability;
        dropped[place] = sum <= 1.0 - share;
    }
    let mut dropped = dropped.into_iter();
    left.retain(|_| !dropped.next().unwrap_or(false));
}

fn softmax(left: &[(u32, f32)]) -> Vec<f32> {
    let highest = left.iter().map(|(_, logit)| *logit);
    let highest = highest.fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = left
        .iter()
        .map(|(_, logit)| (logit - highest).exp())
        .collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The logarithms of the probabilities that logits stand for.
pub(super) fn log_probability(logits: &[f32], token: u32) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|logit| f64::from(logit - highest).exp())
        .sum();
    f64::from(logits[token as usize] - highest) - sum.ln()
}

#[expect(clippy::cast_possible_truncation, reason = "logits have 32 bits")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(temperature: f64) -> Sampling {
        Sampling {
            repetition_penalty: 1.0,
            choice: Choice::Drawn {
                temperature,
                top_k: None,
                top_p: None,
                min_p: None,
            },
        }
    }

    #[test]
    fn tokens_are_drawn_as_often_as_their_probabilities_say() {
        let logits = [0.1_f32, 0.2, 0.3, 0.4].map(f32::ln);
        let mut counts = [0_u32; 4];
        for number in 0..20_000 {
            let draw = Draw { seed: 7, number };
            counts[next(&logits, &[], &drawn(1.0), draw) as usize] += 1;
        }
        for (count, share) in counts.into_iter().zip([0.1, 0.2, 0.3, 0.4]) {
            let found = f64::from(count) / 20_000.0;
            assert!((found - share).abs() < 0.012, "{counts:?}");
        }
    }

    #[test]
    fn one_seed_draws_the_same_and_another_does_not() {
        let logits = vec![0.0; 1000];
        let draws = |seed| -> Vec<u32> {
            let numbers = 0..20;
            numbers
                .map(|number| next(&logits, &[], &drawn(1.0), Draw { seed, number }))
                .collect()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn the_first_of_equal_logits_is_the_greedy_choice() {
        let greedy = Sampling {
            repetition_penalty: 2.0,
            choice: Choice::Greedy,
        };
        let draw = Draw { seed: 0, number: 0 };
        assert_eq!(next(&[1.0, 3.0, 3.0], &[], &greedy, draw), 1);
        assert_eq!(next(&[1.0, 3.0, 3.0], &[1, 1], &greedy, draw), 2);
    }
}
