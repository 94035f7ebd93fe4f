//! From where a model comes from to its files on this machine. Fetches nothing: that is done before
//! any run begins.

use std::path::{Path, PathBuf};

use engine::models::Source;
use thiserror::Error;

use crate::config::Origin;
use crate::hub::{self, Environment, Freshness, Hub, HubError, ModelRequest, Wanted};

/// A model's files on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The folder with its configuration and tokeniser.
    pub(super) folder: PathBuf,
}

/// Why a model's files cannot be located.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum OriginError {
    #[error(
        "{id} at {revision} is not whole in the cache {}: `ensayo fetch` with the experiment's name brings what is missing",
        cache.display()
    )]
    NotHere {
        id: String,
        revision: String,
        cache: PathBuf,
    },
    #[error(transparent)]
    Hub(#[from] HubError),
}

impl Snapshot {
    /// Locates the model that a table of the settings names, for what it is to do.
    ///
    /// # Errors
    /// When it is not on this machine.
    pub(super) fn locate(origin: &Origin, wanted: Wanted) -> Result<Self, OriginError> {
        let folder = match origin {
            Origin::Folder(folder) => folder.clone(),
            Origin::Random { config, .. } => config.parent().unwrap_or(Path::new("")).to_owned(),
            Origin::Hub { id, revision } => match cached(id, revision, wanted)? {
                Some(snapshot) => snapshot.folder,
                None => {
                    return Err(OriginError::NotHere {
                        id: id.clone(),
                        revision: revision.clone(),
                        cache: Environment::read().cache,
                    });
                }
            },
        };
        Ok(Self { folder })
    }

    /// What the engine opens: the checkpoint, or a configuration with a seed.
    pub(super) fn source<'a>(&'a self, origin: &'a Origin) -> Source<'a> {
        match origin {
            Origin::Random { config, seed } => Source::Random {
                config,
                seed: *seed,
            },
            Origin::Folder(_) | Origin::Hub { .. } => Source::Folder(&self.folder),
        }
    }
}

/// That a model of the hub has to be fetched before anything can be said about it, if it is so.
pub(super) fn absent(origin: &Origin, wanted: Wanted) -> Option<String> {
    let Origin::Hub { id, revision } = origin else {
        return None;
    };
    // What is wrong is said by whoever locates it.
    let here = cached(id, revision, wanted).map_or(true, |snapshot| snapshot.is_some());
    (!here).then(|| format!("{id}: not in the cache of the hub, so it is not looked into"))
}

fn cached(id: &str, revision: &str, wanted: Wanted) -> Result<Option<hub::Snapshot>, HubError> {
    let hub = Hub::new(Environment::read())?;
    hub.cached(&ModelRequest {
        id: id.to_owned(),
        revision: revision.to_owned(),
        wanted,
        freshness: Freshness::Cached,
    })
}
