//! Reviews from Steam.

use std::fmt::Write;
use std::path::PathBuf;

use super::super::commits::Commits;
use super::super::{CommandError, say, table, words};
use super::Download;
use super::bars::{Bars, Unit};
use crate::config::SteamReviews;
use crate::hub::{Environment, size};
use crate::report::duration;
use crate::steam::{self, Collection, End, Order, ReviewQuery, Sentiment};
use crate::tasks::{review_order, review_query};

/// Letters of a first review that are shown; the table fits a narrow terminal with them.
const EXCERPT: usize = 36;

/// Reviews that runs need, in a file.
pub(super) struct Reviews {
    query: ReviewQuery,
    order: Order,
    client: steam::Reviews,
    file: PathBuf,
}

impl Reviews {
    pub(super) fn of(wanted: &SteamReviews) -> Result<Self, String> {
        let client = steam::Reviews::of(&Environment::read()).map_err(|error| error.to_string())?;
        let (query, order) = (review_query(wanted), review_order(wanted.order));
        Ok(Self {
            file: client.csv_file(&query, order),
            query,
            order,
            client,
        })
    }
}

impl Download for Reviews {
    fn line(&self) -> Option<String> {
        if self.file.is_file() {
            return None;
        }
        let query = &self.query;
        let have = self.client.cached(query);
        let have = have.map_or(0, |here| here.rows(Order::ByClass).len());
        let wanted = query.positive + query.negative;
        let least = self.client.least_time(query).as_secs_f64();
        Some(format!(
            "reviews of game {} ({}): {} of {wanted} to fetch, {} at least",
            query.app,
            query.language,
            wanted - have,
            duration(least)
        ))
    }

    fn fetch(&self, _commits: &Commits) -> Result<(), CommandError> {
        if self.file.is_file() {
            return Ok(());
        }
        let collection = collect(&self.client, &self.query)?;
        collection
            .write_csv(&self.file, self.order)
            .map_err(CommandError::input)?;
        say(counts(&collection).trim_end());
        Ok(())
    }

    fn row(&self, _commits: &Commits) -> [String; 6] {
        let here = self.client.cached(&self.query).ok();
        let rows = here.map_or(0, |here| here.rows(self.order).len());
        let bytes = self.file.metadata().map_or(0, |file| file.len());
        [
            format!("reviews of game {}", self.query.app),
            self.query.language.clone(),
            String::new(),
            words::count(rows, "row"),
            size(bytes),
            self.file.display().to_string(),
        ]
    }
}

/// Fetches reviews with a bar for each class. An interruption keeps what has come.
///
/// # Errors
/// When they cannot be had.
pub(in super::super) fn collect(
    client: &steam::Reviews,
    query: &ReviewQuery,
) -> Result<Collection, CommandError> {
    let name = format!("game {}", query.app);
    let bars = Bars::new(&name, Unit::Reviews);
    let collection = client.fetch(query, &bars);
    bars.clear();
    collection.map_err(CommandError::input)
}

/// The table of what was collected: the counts of both classes, and a first review of each.
pub(in super::super) fn counts(collection: &Collection) -> String {
    let head = ["class", "reviews", "wanted", "equal texts", "first review"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for count in collection.counts() {
        let text = count.first.as_ref().map_or("", |review| &review.text);
        rows.push(vec![
            count.sentiment.name().to_owned(),
            count.reviews.to_string(),
            count.wanted.to_string(),
            count.equal_texts.to_string(),
            excerpt(text),
        ]);
    }
    let mut text = table::lines(&rows);
    for sentiment in Sentiment::BOTH {
        let why = match collection.end(sentiment) {
            None => continue,
            Some(End::NoMore) => "the game has no more of them",
            Some(End::Silent) => "Steam gives no more of them",
        };
        let _ = writeln!(text, "fewer {} reviews: {why}", sentiment.name());
    }
    text
}

/// The beginning of a text, in one line.
fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= EXCERPT {
        return line;
    }
    let start: String = line.chars().take(EXCERPT - 1).collect();
    start + "…"
}
