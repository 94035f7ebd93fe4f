//! What a run's model is on the hub and in the cache, before anything is fetched.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::cache::{RepositoryCache, is_commit};
use super::client::check_names;
use super::listing::Listing;
use super::shelves::{Cached, Listed};
use super::sum::Sum;
use super::wanted::{Lacking, Selection, Shelf};
use super::{Hub, HubError, Observer, Wanted};

/// Which commit a branch stands for when the cache knows one already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Freshness {
    /// The one that the cache knows. Nothing is asked if all files are here.
    #[default]
    Cached,
    /// The same, but the hub is asked whether there is a newer one, which is told and not followed.
    Told,
    /// The newest, which is noted in the cache.
    Newest,
}

/// A model that a run needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRequest {
    /// `owner/name`, or `name`.
    pub id: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// What the model is to do.
    pub wanted: Wanted,
    /// Whether a newer commit is looked for.
    pub freshness: Freshness,
}

/// A file of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its name in the repository.
    pub name: String,
    /// Its size, where the hub gives it.
    pub bytes: Option<u64>,
    /// Whether the cache has it.
    pub here: bool,
    pub(super) sum: Option<Sum>,
}

/// What there is to fetch for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchPlan {
    /// The repository.
    pub id: String,
    /// The revision that was asked for.
    pub revision: String,
    /// The commit that it stands for here.
    pub commit: String,
    /// The commit that it stands for on the hub, if that was asked and is another.
    pub newer: Option<String>,
    /// All files that the run needs.
    pub files: Vec<PlannedFile>,
    pub(super) missing: Vec<String>,
}

impl FetchPlan {
    /// Whether nothing is to be fetched.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.files.iter().all(|file| file.here)
    }

    /// Bytes to fetch, as far as sizes are known.
    #[must_use]
    pub fn bytes_to_fetch(&self) -> u64 {
        let files = self.files.iter().filter(|file| !file.here);
        files.filter_map(|file| file.bytes).sum()
    }
}

impl Hub {
    /// What a run needs of a model and how much of it is to be fetched. Reads at most small files,
    /// in memory.
    ///
    /// # Errors
    /// When the cache does not know and the hub cannot be asked or refuses, or when the repository
    /// has nothing that the run could use.
    pub fn plan(
        &self,
        request: &ModelRequest,
        observer: &dyn Observer,
    ) -> Result<FetchPlan, HubError> {
        let (id, revision) = (&request.id, &request.revision);
        check_names(id, revision)?;
        let cache = self.repository(id, revision);
        let known = if is_commit(revision) {
            Some(revision.to_ascii_lowercase())
        } else {
            cache.commit(revision)
        };
        let asks = request.freshness != Freshness::Cached && !is_commit(revision);
        let newest = match (asks, self.environment.offline, &known) {
            // Without an answer the cache's commit is as good as before.
            (true, false, Some(_)) if request.freshness == Freshness::Told => {
                self.newest_commit(id, revision, observer).ok()
            }
            (true, false, _) => Some(self.newest_commit(id, revision, observer)?),
            _ => None,
        };
        let commit = match request.freshness {
            Freshness::Newest => newest.clone().or(known),
            _ => known,
        };
        if let Some(commit) = &commit
            && let Some(plan) = self.plan_from_cache(request, &cache, commit)?
        {
            let newer = newest.filter(|newest| newest != commit);
            return Ok(FetchPlan { newer, ..plan });
        }
        self.online(
            id,
            revision,
            &lacking_offline(request, &cache, commit.as_deref()),
        )?;
        let asked = commit.as_deref().unwrap_or(revision);
        let listing = match self.listing(id, asked, observer) {
            // The commit that the cache knows was rewritten on the hub: only the branch is left.
            Err(HubError::NoRevision { .. }) if asked != revision => {
                self.listing(id, revision, observer)?
            }
            listing => listing?,
        };
        let commit = self.commit_of(id, &listing)?;
        let newer = newest.filter(|newest| *newest != commit);
        let plan = self.plan_from_hub(request, &cache, &commit, &listing, observer)?;
        Ok(FetchPlan { newer, ..plan })
    }

    /// The plan, if the cache alone knows that everything is there; offline, if it has enough.
    fn plan_from_cache(
        &self,
        request: &ModelRequest,
        cache: &RepositoryCache,
        commit: &str,
    ) -> Result<Option<FetchPlan>, HubError> {
        let place = Cached {
            id: &request.id,
            cache,
            commit,
        };
        let selection = request.wanted.choose(&request.id, &place)?;
        let sure = selection.unknown.is_empty() || self.environment.offline;
        if selection.lacking.is_some() || !sure {
            return Ok(None);
        }
        let files = selection.files.iter().map(|name| PlannedFile {
            name: name.clone(),
            bytes: cache
                .snapshot(commit)
                .join(name)
                .metadata()
                .ok()
                .map(|file| file.len()),
            here: true,
            sum: None,
        });
        Ok(Some(FetchPlan {
            id: request.id.clone(),
            revision: request.revision.clone(),
            commit: commit.to_owned(),
            newer: None,
            files: files.collect(),
            missing: Vec::new(),
        }))
    }

    fn plan_from_hub(
        &self,
        request: &ModelRequest,
        cache: &RepositoryCache,
        commit: &str,
        listing: &Listing,
        observer: &dyn Observer,
    ) -> Result<FetchPlan, HubError> {
        let id = &request.id;
        let place = Listed {
            hub: self,
            observer,
            cached: Cached { id, cache, commit },
            listing,
            read: RefCell::new(BTreeMap::new()),
        };
        let selection = request.wanted.choose(id, &place)?;
        if let Some(lacking) = selection.lacking {
            return Err(lacks(lacking, id, &request.revision, listing));
        }
        let planned = |name: &String| {
            let listed = listing.file(name);
            let bytes = listed.and_then(super::listing::Sibling::bytes);
            let path = cache.snapshot(commit).join(name);
            let right_size = |found: u64| bytes.is_none_or(|bytes| bytes == found);
            PlannedFile {
                here: place.cached.has(name) == Some(true)
                    && path.metadata().is_ok_and(|file| right_size(file.len())),
                name: name.clone(),
                bytes,
                sum: listed.and_then(super::listing::Sibling::sum),
            }
        };
        Ok(FetchPlan {
            id: id.clone(),
            revision: request.revision.clone(),
            commit: commit.to_owned(),
            newer: None,
            files: selection.files.iter().map(planned).collect(),
            missing: selection.missing,
        })
    }
}

/// Names for the message that the cache does not have enough.
fn lacking_offline(
    request: &ModelRequest,
    cache: &RepositoryCache,
    commit: Option<&str>,
) -> Vec<String> {
    let everything = || vec!["the whole model".to_owned()];
    let Some(commit) = commit else {
        return everything();
    };
    let place = Cached {
        id: &request.id,
        cache,
        commit,
    };
    match request.wanted.choose(&request.id, &place) {
        Ok(Selection { unknown, files, .. }) if !files.is_empty() => unknown,
        _ => everything(),
    }
}

/// The error for a repository that is of no use to the run.
fn lacks(lacking: Lacking, id: &str, revision: &str, listing: &Listing) -> HubError {
    const HEAVY: [&str; 7] = [
        ".bin",
        ".safetensors",
        ".gguf",
        ".h5",
        ".msgpack",
        ".onnx",
        ".pt",
    ];
    let names = || listing.siblings.iter().map(|file| file.rfilename.clone());
    let missing = |file: &str| HubError::NoFile {
        repository: id.to_owned(),
        revision: revision.to_owned(),
        file: file.to_owned(),
        present: names().collect(),
    };
    match lacking {
        Lacking::Config => missing("config.json"),
        Lacking::Tokeniser => missing("tokenizer.json or spm.model"),
        Lacking::Weights => HubError::NoWeights {
            repository: id.to_owned(),
            revision: revision.to_owned(),
            found: names()
                .filter(|name| HEAVY.iter().any(|end| name.ends_with(end)))
                .collect(),
        },
    }
}
