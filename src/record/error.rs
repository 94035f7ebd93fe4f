//! What can go wrong with the files of a results tree.

use std::path::PathBuf;

/// A file of a results tree could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Reading failed.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Writing failed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {message}; repair it, or delete it to run again", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place where it is known.
        message: String,
    },
    /// A newer ensayo wrote it.
    #[error(
        "{}: written with schema {found}, but this ensayo reads schemas up to {supported}; use a newer ensayo, or delete the file to run again",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest one that can be read.
        supported: u32,
    },
}

impl RecordError {
    pub(super) fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
