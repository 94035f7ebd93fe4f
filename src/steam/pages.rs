//! Pages on disk: one compressed file each, written whole, from which everything can be made again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SteamError;
use super::query::Sentiment;
use super::review::Review;
use crate::hub::{DiskFault, write_whole};

/// Why no more of a class come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// There are no more, as the totals confirm.
    NoMore,
    /// The service gave no more, again and again, though its totals name more: hidden reviews count
    /// there too.
    Silent,
}

/// A kept page.
#[derive(Debug, Serialize, Deserialize)]
struct KeptPage {
    /// Where it began.
    cursor: String,
    /// Where the next one begins, unless the service lost its place.
    next: Option<String>,
    reviews: Vec<Value>,
}

/// What is noted when a class has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) reason: End,
    pub(super) total: Option<u64>,
}

/// The pages of a class.
#[derive(Debug)]
pub(super) struct Class {
    folder: PathBuf,
    sentiment: Sentiment,
    pages: usize,
    ids: BTreeSet<String>,
    pub(super) reviews: Vec<Review>,
    pub(super) cursors: BTreeSet<String>,
    /// Where to go on.
    pub(super) next: Option<String>,
    pub(super) ended: Option<Ended>,
}

const END: &str = "end.json";

impl Class {
    /// Reads the pages that are kept.
    pub(super) fn open(folder: &Path, sentiment: Sentiment) -> Result<Self, SteamError> {
        let folder = folder.join(sentiment.name());
        let mut class = Self {
            sentiment,
            pages: 0,
            ids: BTreeSet::new(),
            reviews: Vec::new(),
            cursors: BTreeSet::new(),
            next: None,
            ended: None,
            folder,
        };
        loop {
            let path = class.page_path(class.pages);
            let Ok(file) = File::open(&path) else {
                break;
            };
            let mut text = String::new();
            let read = GzDecoder::new(file).read_to_string(&mut text);
            let read = read.map_err(|error| error.to_string());
            let page = read.and_then(|_| {
                serde_json::from_str::<KeptPage>(&text).map_err(|error| error.to_string())
            });
            let page = page.map_err(|reason| SteamError::Damaged { path, reason })?;
            class.pages += 1;
            class.take(&page);
        }
        let ended = fs::read(class.folder.join(END)).ok();
        class.ended = ended.and_then(|note| serde_json::from_slice(&note).ok());
        Ok(class)
    }

    fn page_path(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{:06}.json.gz", number + 1))
    }

    fn take(&mut self, page: &KeptPage) {
        self.cursors.insert(page.cursor.clone());
        self.next.clone_from(&page.next);
        for value in &page.reviews {
            if let Some(review) = Review::read(value, Some(self.sentiment))
                && review.sentiment == self.sentiment
                && self.ids.insert(review.id.clone())
            {
                self.reviews.push(review);
            }
        }
    }

    /// How many of these are of the class and not here yet.
    pub(super) fn fresh(&self, reviews: &[Value]) -> usize {
        let read = reviews
            .iter()
            .filter_map(|value| Review::read(value, Some(self.sentiment)));
        let fresh: BTreeSet<String> = read
            .filter(|review| review.sentiment == self.sentiment && !self.ids.contains(&review.id))
            .map(|review| review.id)
            .collect();
        fresh.len()
    }

    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Keeps a page.
    pub(super) fn keep(
        &mut self,
        cursor: &str,
        next: Option<String>,
        reviews: Vec<Value>,
    ) -> Result<(), SteamError> {
        let page = KeptPage {
            cursor: cursor.to_owned(),
            next,
            reviews,
        };
        let path = self.page_path(self.pages);
        write_whole(&path, &compressed(&path, &page)?)?;
        self.pages += 1;
        self.take(&page);
        Ok(())
    }

    /// Notes that no more come.
    pub(super) fn end(&mut self, ended: Ended) -> Result<(), SteamError> {
        self.ended = Some(ended);
        let note = serde_json::to_vec(&ended).unwrap_or_default();
        Ok(write_whole(&self.folder.join(END), &note)?)
    }
}

fn compressed(path: &Path, page: &KeptPage) -> Result<Vec<u8>, SteamError> {
    let compress = || -> std::io::Result<Vec<u8>> {
        let text = serde_json::to_vec(page)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&text)?;
        encoder.finish()
    };
    compress().map_err(|source| {
        SteamError::Disk(DiskFault::Other {
            path: path.to_owned(),
            source,
        })
    })
}
