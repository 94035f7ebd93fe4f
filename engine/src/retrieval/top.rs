//! The best of many scores: exact, in descending order, equal ones in the order of the chunks.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A chunk that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The chunk's number, from 0.
    pub chunk: usize,
    /// The higher, the nearer.
    pub score: f64,
}

/// The `k` hits with the highest scores, the best first; of equal ones those of the first chunks.
pub fn best(hits: impl IntoIterator<Item = Hit>, k: usize) -> Vec<Hit> {
    let mut top = Top::new(k);
    hits.into_iter().for_each(|hit| top.push(hit));
    top.into_sorted()
}

/// Keeps the best hits of a stream.
#[derive(Debug, Clone)]
pub(super) struct Top {
    k: usize,
    heap: BinaryHeap<Ranked>,
}

impl Top {
    pub(super) fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::with_capacity(k.min(1 << 16) + 1),
        }
    }

    /// How many are kept.
    pub(super) fn capacity(&self) -> usize {
        self.k
    }

    pub(super) fn push(&mut self, hit: Hit) {
        if self.heap.len() < self.k {
            self.heap.push(Ranked(hit));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && Ranked(hit) < *worst
        {
            *worst = Ranked(hit);
        }
    }

    /// The lowest score that is kept, once there are `k`.
    pub(super) fn threshold(&self) -> Option<f64> {
        (self.heap.len() == self.k).then(|| {
            self.heap
                .peek()
                .map_or(f64::INFINITY, |worst| worst.0.score)
        })
    }

    pub(super) fn into_sorted(self) -> Vec<Hit> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|ranked| ranked.0)
            .collect()
    }
}

/// A hit that compares by its place in the result: the better, the smaller.
#[derive(Debug, Clone, Copy)]
struct Ranked(Hit);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = other.0.score.total_cmp(&self.0.score);
        by_score.then(self.0.chunk.cmp(&other.0.chunk))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hits(scores: &[f64]) -> impl Iterator<Item = Hit> {
        scores
            .iter()
            .enumerate()
            .map(|(chunk, &score)| Hit { chunk, score })
    }

    #[test]
    fn ties_stand_in_the_order_of_the_chunks() {
        let found: Vec<usize> = best(hits(&[0.5, 0.9, 0.5, 0.9, 0.5]), 4)
            .iter()
            .map(|hit| hit.chunk)
            .collect();
        assert_eq!(found, [1, 3, 0, 2]);
        assert_eq!(best(hits(&[1.0]), 0), []);
        assert_eq!(best(hits(&[1.0]), 3).len(), 1);
    }

    proptest! {
        #[test]
        fn the_best_are_the_beginning_of_a_stable_sort(scores in prop::collection::vec(0_u8..20, 0..60), k in 0_usize..70) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let mut all: Vec<Hit> = hits(&scores).collect();
            all.sort_by(|one, other| other.score.total_cmp(&one.score));
            all.truncate(k);
            prop_assert_eq!(best(hits(&scores), k), all);
        }
    }
}
