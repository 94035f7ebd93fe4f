//! A model of the hub that runs need.

use super::super::commits::{Commits, is_out_of_reach, short};
use super::super::talk::Talk;
use super::super::{say, words};
use super::bars::{Bars, Unit};
use super::{CommandError, Download};
use crate::config::is_commit;
use crate::hub::{FetchPlan, Freshness, HubError, ModelRequest, Snapshot, Wanted, size};

/// A model of the hub that runs need.
pub(super) struct Model {
    id: String,
    /// As an experiment has it.
    revision: String,
    commit: String,
    wanted: Wanted,
    /// What there is to fetch; without an answer of the hub, that the cache has enough.
    plan: Result<FetchPlan, Snapshot>,
    /// Whether the cache is to learn what the revision stands for.
    noted: bool,
}

impl Model {
    pub(super) fn of(
        commits: &Commits,
        id: &str,
        revision: &str,
        wanted: Wanted,
    ) -> Result<Self, String> {
        if !is_commit(revision) {
            return Err(commits.silence(id, revision));
        }
        let commit = revision.to_owned();
        let (revision, noted) = commits.written(id, &commit);
        let request = ModelRequest {
            id: id.to_owned(),
            revision: commit.clone(),
            wanted,
            freshness: Freshness::Cached,
        };
        let words = |error: HubError| error.to_string();
        let hub = commits.hub().map_err(words)?;
        let plan = match hub.plan(&request, &Talk) {
            Ok(plan) => Ok(plan),
            // Files that nobody asked about may be missing; without an answer, they are.
            Err(error) if is_out_of_reach(&error) => match hub.cached(&request) {
                Ok(Some(snapshot)) => Err(snapshot),
                _ => return Err(words(error)),
            },
            Err(error) => return Err(words(error)),
        };
        Ok(Self {
            id: id.to_owned(),
            revision,
            commit,
            wanted,
            plan,
            noted,
        })
    }

    fn title(&self) -> String {
        let Self {
            id,
            revision,
            commit,
            ..
        } = self;
        if revision == commit {
            format!("{id} at {}", short(commit))
        } else {
            format!("{id} at {revision} ({})", short(commit))
        }
    }

    /// Fetches what is not in the cache.
    fn bring(&self, commits: &Commits) -> Result<(), HubError> {
        let Ok(plan) = &self.plan else {
            say(format_args!(
                "{}: the hub does not answer; the cache has all that is needed",
                self.title()
            ));
            return Ok(());
        };
        let hub = commits.hub()?;
        let mut plan = plan.clone();
        if self.noted {
            plan.revision.clone_from(&self.revision);
        }
        let bars = Bars::new(&self.id, Unit::Bytes);
        if let Some(line) = self.line() {
            say(line);
        }
        let fetched = hub.fetch_plan(&plan, &bars);
        bars.clear();
        fetched.map(drop)
    }

    /// The model in the cache, if all of it is there.
    fn snapshot(&self, commits: &Commits) -> Option<Snapshot> {
        let request = ModelRequest {
            id: self.id.clone(),
            revision: self.commit.clone(),
            wanted: self.wanted,
            freshness: Freshness::Cached,
        };
        commits.hub().ok()?.cached(&request).ok()?
    }
}

impl Download for Model {
    fn plan(&self) -> Option<&FetchPlan> {
        self.plan.as_ref().ok()
    }

    fn line(&self) -> Option<String> {
        let plan = self.plan.as_ref().ok().filter(|plan| !plan.is_here())?;
        let missing = || plan.files.iter().filter(|file| !file.here);
        let files = words::count(missing().count(), "file");
        let bytes = size(plan.bytes_to_fetch());
        let least = if missing().all(|file| file.bytes.is_some()) {
            ""
        } else {
            "at least "
        };
        Some(format!(
            "{}: {files} to fetch, {least}{bytes}",
            self.title()
        ))
    }

    fn fetch(&self, commits: &Commits) -> Result<(), CommandError> {
        self.bring(commits).map_err(CommandError::input)
    }

    fn row(&self, commits: &Commits) -> [String; 6] {
        let snapshot = self.snapshot(commits);
        let files = snapshot.iter().flat_map(|snapshot| &snapshot.files);
        let folder = snapshot.as_ref().map(|snapshot| snapshot.folder.clone());
        let bytes = files.clone().filter_map(|file| {
            let path = folder.as_ref()?.join(file);
            Some(path.metadata().ok()?.len())
        });
        [
            self.id.clone(),
            self.revision.clone(),
            short(&self.commit).to_owned(),
            words::count(files.clone().count(), "file"),
            size(bytes.sum()),
            folder.map_or_else(String::new, |folder| folder.display().to_string()),
        ]
    }
}
