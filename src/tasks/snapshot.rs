//! From where a model comes from to its files on this machine.

use std::path::{Path, PathBuf};

use engine::models::Source;
use thiserror::Error;

use crate::config::Origin;

/// A model's files on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The folder with its configuration and tokeniser.
    pub(super) folder: PathBuf,
    /// The commit of the hub that they are of.
    pub(super) commit: Option<String>,
}

/// Why a model's files cannot be located.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum OriginError {
    #[error(
        "`{id}` is a model of the hub, which cannot be fetched yet; download its folder and give it as {table}.path"
    )]
    Hub { id: String, table: &'static str },
}

impl Snapshot {
    /// Locates the model that a table of the settings names.
    ///
    /// # Errors
    /// When it is not on this machine.
    pub(super) fn locate(origin: &Origin, table: &'static str) -> Result<Self, OriginError> {
        let folder = match origin {
            Origin::Folder(folder) => folder.clone(),
            Origin::Random { config, .. } => config.parent().unwrap_or(Path::new("")).to_owned(),
            Origin::Hub { id, .. } => {
                return Err(OriginError::Hub {
                    id: id.clone(),
                    table,
                });
            }
        };
        Ok(Self {
            folder,
            commit: None,
        })
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
