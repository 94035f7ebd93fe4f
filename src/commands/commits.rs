//! At which commit each model of the hub is taken. A branch that moves on changes nothing by
//! itself: results stay with the commit that they began with, until somebody asks for a newer one.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::CommandError;
use super::faults::Faults;
use super::talk::Talk;
use crate::config::{self, SteamReviews, System, is_commit};
use crate::grid::Grid;
use crate::hub::{self, Hub, HubError};
use crate::plan::Selection;
use crate::record::{ModelsFile, RecordError};
use crate::steam;
use crate::tasks::{self, Need, review_order, review_query};

/// A model's name and revision.
type Key = (String, String);

/// What is known of the commits that revisions stand for.
#[derive(Debug, Default)]
pub(super) struct Commits {
    hub: OnceCell<Hub>,
    /// What results stay with.
    pinned: ModelsFile,
    /// What the hub said in this command.
    asked: BTreeMap<Key, Result<String, Silence>>,
    /// What experiments name.
    used: BTreeSet<Key>,
    /// Whether the newest commits are wanted.
    refresh: bool,
}

/// Why the hub did not give a commit.
#[derive(Debug, Clone)]
struct Silence {
    reason: String,
    /// Whether it could not be asked, which says nothing about the model.
    out_of_reach: bool,
}

impl Commits {
    /// What a results tree stays with; with `refresh`, the hub's newest.
    ///
    /// # Errors
    /// When there is a file in the tree's place, or its notes cannot be read.
    pub(super) fn of(results: &Path, refresh: bool) -> Result<Self, CommandError> {
        if results.exists() && !results.is_dir() {
            return Err(CommandError::Input(format!(
                "{} is a file; --results names a folder for the results",
                results.display()
            )));
        }
        Ok(Self {
            pinned: ModelsFile::read(results)?,
            refresh,
            ..Self::default()
        })
    }

    /// The hub's client.
    ///
    /// # Errors
    /// When what the environment says of proxies or certificates cannot be used.
    pub(super) fn hub(&self) -> Result<&Hub, HubError> {
        if let Some(hub) = self.hub.get() {
            return Ok(hub);
        }
        let hub = Hub::new(hub::Environment::read())?;
        Ok(self.hub.get_or_init(|| hub))
    }

    /// The commit of a revision, as far as it is known without asking.
    fn known(&self, id: &str, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_ascii_lowercase());
        }
        match self.asked.get(&key(id, revision)) {
            Some(Ok(commit)) => Some(commit.clone()),
            _ => self.earlier(id, revision),
        }
    }

    /// The commit before this command: that of the results, else that of the cache.
    fn earlier(&self, id: &str, revision: &str) -> Option<String> {
        let pinned = self.pinned.commit(id, revision).map(str::to_owned);
        pinned.or_else(|| self.hub().ok()?.cached_commit(id, revision))
    }

    /// Asks the hub for what is not known, or for all where the newest are wanted.
    fn ask(&mut self, id: &str, revision: &str) {
        let key = key(id, revision);
        let is_known = !self.refresh && self.known(id, revision).is_some();
        if is_commit(revision) || is_known || self.asked.contains_key(&key) {
            return;
        }
        let answer = self
            .hub()
            .and_then(|hub| hub.newest_commit(id, revision, &Talk));
        let answer = answer.map_err(|error| Silence {
            reason: error.to_string(),
            // Whoever wants the newest is not served by an older one.
            out_of_reach: is_out_of_reach(&error) && !self.refresh,
        });
        self.asked.insert(key, answer);
    }

    /// Takes every model of the experiments at its commit. The hub is asked about those that
    /// `selection` needs and nothing here knows.
    ///
    /// # Errors
    /// When the hub has no such model or revision, or the newest are wanted and it cannot be asked.
    pub(super) fn pin(
        &mut self,
        grids: &mut [Grid],
        selection: Option<&Selection>,
    ) -> Result<(), CommandError> {
        let mut faults = Faults::default();
        for grid in grids {
            let (name, seeds) = (&grid.experiment.name, &grid.experiment.seeds);
            for cell in &mut grid.cells {
                let mut seeds = seeds.iter();
                let is_wanted = selection.is_some_and(|selection| {
                    seeds.any(|&seed| selection.selects(name, &cell.name, seed))
                });
                let needs = tasks::needs(&cell.settings);
                for need in needs.iter().filter(|_| is_wanted) {
                    let Need::Model { id, revision, .. } = need else {
                        continue;
                    };
                    self.ask(id, revision);
                    if let Some(Err(silence)) = self.asked.get(&key(id, revision))
                        && !silence.out_of_reach
                    {
                        faults.add(name, &silence.reason);
                    }
                }
                cell.settings.pin(|id, revision| {
                    self.used.insert(key(id, revision));
                    self.known(id, revision)
                });
            }
        }
        faults.none()
    }

    /// Why the commit of a revision is not known: what to do about it.
    pub(super) fn silence(&self, id: &str, revision: &str) -> String {
        match self.asked.get(&key(id, revision)) {
            Some(Err(silence)) => silence.reason.clone(),
            _ => format!("{id} at {revision}: its commit is not known"),
        }
    }

    /// The revision that a commit was taken for, as an experiment has it, and whether the cache is
    /// to learn of it.
    pub(super) fn written(&self, id: &str, commit: &str) -> (String, bool) {
        let is_it = |(known, revision): &&Key| {
            known == id
                && !is_commit(revision)
                && self.known(id, revision).as_deref() == Some(commit)
        };
        let Some((_, revision)) = self.used.iter().find(is_it) else {
            return (commit.to_owned(), false);
        };
        let cached = self.hub().ok();
        let cached = cached.and_then(|hub| hub.cached_commit(id, revision));
        // What another program made of the branch is its own affair.
        (revision.clone(), self.refresh || cached.is_none())
    }

    /// Which branches have moved on.
    pub(super) fn remarks(&self) -> Vec<String> {
        let remark = |(id, revision): &Key| {
            let now = self.known(id, revision)?;
            if is_commit(revision) {
                return None;
            }
            if self.refresh {
                // Nobody asked about runs that are not wanted.
                self.asked.get(&key(id, revision))?;
                return Some(match self.earlier(id, revision) {
                    Some(before) if before != now => format!(
                        "{id}: `{revision}` has moved on the hub, from {} to {}",
                        short(&before),
                        short(&now)
                    ),
                    _ => format!("{id}: `{revision}` is {} on the hub", short(&now)),
                });
            }
            let cached = self.hub().ok()?.cached_commit(id, revision)?;
            (cached != now).then(|| {
                format!(
                    "{id}: `{revision}` is {} for these results, and by now {} in the cache: --refresh goes on to the newest",
                    short(&now),
                    short(&cached)
                )
            })
        };
        self.used.iter().filter_map(remark).collect()
    }

    /// Notes in the results tree what its runs stay with.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn keep(&mut self, results: &Path) -> Result<(), RecordError> {
        // Another sweep may have noted its own in the meantime.
        let mut file = ModelsFile::read(results)?;
        let mut is_new = false;
        for (id, revision) in &self.used {
            if !is_commit(revision)
                && let Some(commit) = self.known(id, revision)
            {
                is_new |= file.pin(id, revision, &commit);
            }
        }
        if is_new {
            file.write(results)?;
        }
        Ok(())
    }
}

/// The machine that experiments are read on, with its caches.
impl config::Environment for Commits {
    fn variable(&self, name: &str) -> Option<String> {
        System.variable(name)
    }

    fn is_garbled(&self, name: &str) -> bool {
        System.is_garbled(name)
    }

    fn is_file(&self, path: &Path) -> bool {
        System.is_file(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        System.is_folder(path)
    }

    fn read(&self, path: &Path) -> std::io::Result<String> {
        System.read(path)
    }

    fn reviews(&self, reviews: &SteamReviews) -> Option<PathBuf> {
        let client = steam::Reviews::of(&hub::Environment::read()).ok()?;
        Some(client.csv_file(&review_query(reviews), review_order(reviews.order)))
    }

    fn hub_model(&self, id: &str, revision: &str) -> Option<PathBuf> {
        let commit = self.known(id, revision)?;
        self.hub().ok()?.cached_folder(id, &commit)
    }
}

/// Whether an error says nothing about the model, since the hub was not asked or did not answer.
pub(super) fn is_out_of_reach(error: &HubError) -> bool {
    matches!(
        error,
        HubError::Offline { .. }
            | HubError::Network { .. }
            | HubError::RateLimited { .. }
            | HubError::Refused { .. }
            | HubError::NotData { .. }
    )
}

/// The first digits of a commit, enough to tell it from others.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn key(id: &str, revision: &str) -> Key {
    (id.to_owned(), revision.to_owned())
}
