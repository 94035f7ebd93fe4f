//! Reviews in order, as rows of a CSV.

use std::path::Path;

use super::SteamError;
use super::counts::ClassCount;
use super::pages::{Class, End, Ended};
use super::query::{ReviewQuery, Sentiment};
use super::review::Review;
use crate::hub::write_whole;

/// The columns.
pub const HEADER: [&str; 8] = [
    "review_id",
    "text",
    "label",
    "language",
    "created",
    "updated",
    "votes_up",
    "playtime_at_review",
];

/// The order of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// A positive and a negative one by turns, and what is left of the longer class at the end: the
    /// study's.
    #[default]
    ByTurns,
    /// All positive ones, then all negative ones.
    ByClass,
    /// The latest first, whatever their class.
    Latest,
}

impl Order {
    /// Its word in names of files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ByTurns => "by-turns",
            Self::ByClass => "by-class",
            Self::Latest => "latest",
        }
    }
}

/// Reviews that were asked for, as far as there are so many.
#[derive(Debug)]
pub struct Collection {
    wanted: [usize; 2],
    classes: [Vec<Review>; 2],
    ended: [Option<Ended>; 2],
}

fn index(sentiment: Sentiment) -> usize {
    usize::from(sentiment == Sentiment::Negative)
}

impl Collection {
    pub(super) fn new(wanted: &ReviewQuery, positive: Class, negative: Class) -> Self {
        let numbers = Sentiment::BOTH.map(|sentiment| wanted.wanted(sentiment));
        let ended = [positive.ended, negative.ended];
        let mut classes = [positive.reviews, negative.reviews];
        for (class, number) in classes.iter_mut().zip(numbers) {
            class.truncate(number);
        }
        Self {
            wanted: numbers,
            classes,
            ended,
        }
    }

    /// The reviews of a class, in the service's order.
    #[must_use]
    pub fn reviews(&self, sentiment: Sentiment) -> &[Review] {
        &self.classes[index(sentiment)]
    }

    /// Why there are fewer of a class than were asked for.
    #[must_use]
    pub fn end(&self, sentiment: Sentiment) -> Option<End> {
        let at = index(sentiment);
        let ended = self.ended[at].filter(|_| self.classes[at].len() < self.wanted[at]);
        ended.map(|ended| ended.reason)
    }

    /// Whether it is all that was asked for, or all that there is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        (0..2).all(|at| self.classes[at].len() >= self.wanted[at] || self.ended[at].is_some())
    }

    /// All reviews in order.
    #[must_use]
    pub fn rows(&self, order: Order) -> Vec<&Review> {
        let [positive, negative] = &self.classes;
        match order {
            Order::ByClass => positive.iter().chain(negative).collect(),
            Order::ByTurns => {
                let longest = positive.len().max(negative.len());
                let turn = |at: usize| positive.get(at).into_iter().chain(negative.get(at));
                (0..longest).flat_map(turn).collect()
            }
            Order::Latest => {
                let mut all: Vec<&Review> = positive.iter().chain(negative).collect();
                all.sort_by_key(|review| std::cmp::Reverse(review.created));
                all
            }
        }
    }

    /// The CSV. The same reviews give the same bytes. This is data to learn from, so each text stands
    /// as its author wrote it: an apostrophe before those that a spreadsheet would run would teach
    /// models, here and in Python, something that nobody wrote.
    #[must_use]
    pub fn csv(&self, order: Order) -> Vec<u8> {
        let mut content = HEADER.join(",").into_bytes();
        content.push(b'\n');
        let mut writer = csv::WriterBuilder::new().from_writer(content);
        for review in self.rows(order) {
            let row = [
                review.id.clone(),
                review.text.clone(),
                review.sentiment.label().to_string(),
                review.language.clone(),
                date(review.created),
                date(review.updated),
                review.votes_up.to_string(),
                review
                    .playtime_at_review
                    .map(|minutes| minutes.to_string())
                    .unwrap_or_default(),
            ];
            // Into memory; only a disk can fail.
            let _ = writer.write_record(row);
        }
        let _ = writer.flush();
        writer.into_inner().unwrap_or_default()
    }

    /// Writes the CSV, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_csv(&self, path: &Path, order: Order) -> Result<(), SteamError> {
        Ok(write_whole(path, &self.csv(order))?)
    }

    /// The counts of both classes, each with its first review.
    #[must_use]
    pub fn counts(&self) -> [ClassCount; 2] {
        Sentiment::BOTH.map(|sentiment| {
            let at = index(sentiment);
            let total = self.ended[at].and_then(|ended| ended.total);
            ClassCount::new(sentiment, self.wanted[at], total, &self.classes[at])
        })
    }
}

/// The moment as ISO 8601 writes it, in UTC.
fn date(seconds: Option<i64>) -> String {
    seconds
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|moment| moment.to_string())
        .unwrap_or_default()
}
