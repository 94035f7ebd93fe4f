//! The table of what was collected: how many of each class, how many equal texts, and a first
//! review of each.

use std::collections::BTreeSet;

use super::query::Sentiment;
use super::review::Review;

/// What there is of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCount {
    /// The class.
    pub sentiment: Sentiment,
    /// How many were asked for.
    pub wanted: usize,
    /// How many there are.
    pub reviews: usize,
    /// How many of them say what another one said before. They are counted, not removed.
    pub equal_texts: usize,
    /// How many have no text at all.
    pub empty_texts: usize,
    /// How many the service names, if the class has ended.
    pub total: Option<u64>,
    /// The first one.
    pub first: Option<Review>,
}

impl ClassCount {
    pub(super) fn new(
        sentiment: Sentiment,
        wanted: usize,
        total: Option<u64>,
        reviews: &[Review],
    ) -> Self {
        let texts: BTreeSet<&str> = reviews.iter().map(|review| review.text.as_str()).collect();
        Self {
            sentiment,
            wanted,
            reviews: reviews.len(),
            equal_texts: reviews.len() - texts.len(),
            empty_texts: reviews
                .iter()
                .filter(|review| review.text.trim().is_empty())
                .count(),
            total,
            first: reviews.first().cloned(),
        }
    }
}
