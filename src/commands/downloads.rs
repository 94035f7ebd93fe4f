//! What runs need from elsewhere: what is missing and how large it is, and fetching it with bars.

mod bars;
mod document;
mod model;
mod reviews;

use super::CommandError;
use super::commits::Commits;
use super::faults::Faults;
use crate::hub::FetchPlan;
use crate::tasks::Need;
use document::Document;
use model::Model;
use reviews::Reviews;
pub(super) use reviews::{collect, counts};

/// Something that comes from elsewhere.
trait Download {
    /// What there is to fetch, in a line; none where all of it is here.
    fn line(&self) -> Option<String>;

    /// The files of the hub that it consists of, if it is of the hub.
    fn plan(&self) -> Option<&FetchPlan> {
        None
    }

    /// Fetches what is missing.
    fn fetch(&self, commits: &Commits) -> Result<(), CommandError>;

    /// What it is, which version of it, how many and how large its parts are, and where they lie.
    fn row(&self, commits: &Commits) -> [String; 6];
}

/// Everything that some runs need from elsewhere.
pub(super) struct Downloads {
    all: Vec<Box<dyn Download>>,
    /// Why some of it cannot be had.
    pub(super) faults: Faults,
}

impl Downloads {
    /// What these needs of experiments come to. Asks the hub about what is not in the cache, and
    /// fetches nothing.
    pub(super) fn of<'a>(
        commits: &Commits,
        needs: impl IntoIterator<Item = (&'a str, Need)>,
    ) -> Self {
        let mut known: Vec<(Need, Result<(), String>)> = Vec::new();
        let mut downloads = Self {
            all: Vec::new(),
            faults: Faults::default(),
        };
        for (experiment, need) in needs {
            let seen = known.iter().find(|(other, _)| *other == need);
            let outcome = if let Some((_, outcome)) = seen {
                outcome.clone()
            } else {
                let outcome = download(commits, &need);
                let outcome = outcome.map(|download| downloads.all.push(download));
                known.push((need, outcome.clone()));
                outcome
            };
            if let Err(fault) = outcome {
                downloads.faults.add(experiment, &fault);
            }
        }
        downloads
    }

    /// What there is to fetch, a line each, and what cannot be had.
    pub(super) fn lines(&self) -> Vec<String> {
        let missing = self.all.iter().filter_map(|download| download.line());
        missing.chain(self.faults.lines()).collect()
    }

    /// Fetches what is missing. Says how much of all that was.
    ///
    /// # Errors
    /// When something cannot be had. What was fetched until then stays for the next time.
    pub(super) fn fetch(&self, commits: &Commits) -> Result<usize, CommandError> {
        self.faults.none()?;
        let plans = || self.all.iter().filter_map(|download| download.plan());
        if plans().any(|plan| !plan.is_here()) {
            let hub = commits.hub().map_err(CommandError::input)?;
            hub.has_room(plans()).map_err(CommandError::input)?;
        }
        let missing = self.all.iter().filter(|download| download.line().is_some());
        let missing = missing.count();
        for download in &self.all {
            download.fetch(commits)?;
        }
        Ok(missing)
    }

    /// A row for each: what it is, which version, how much, and where.
    pub(super) fn rows(&self, commits: &Commits) -> Vec<Vec<String>> {
        let rows = self.all.iter().map(|download| download.row(commits));
        rows.map(Vec::from).collect()
    }
}

/// The one place that knows what kinds of needs there are.
fn download(commits: &Commits, need: &Need) -> Result<Box<dyn Download>, String> {
    Ok(match need {
        Need::Model {
            id,
            revision,
            wanted,
        } => Box::new(Model::of(commits, id, revision, *wanted)?),
        Need::Document { url, sha256 } => Box::new(Document::of(url, sha256.as_deref())?),
        Need::Reviews(reviews) => Box::new(Reviews::of(reviews)?),
    })
}
