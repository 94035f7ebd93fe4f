//! What can go wrong with the files of a results tree.

use std::io;
use std::path::PathBuf;

/// A file of a results tree could not be read or written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum RecordError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}{}", path.display(), remedy(source))]
    Write { path: PathBuf, source: io::Error },
    #[error("{}: {message}; repair it, or delete it to run again", path.display())]
    Broken { path: PathBuf, message: String },
    #[error(
        "{}: a copy of the results of {label}, ignored; move it out of the results folder to silence this message",
        path.display()
    )]
    Copied { path: PathBuf, label: String },
    #[error(
        "{}: written with schema {found}, but this ensayo reads schemas up to {supported}; use a newer ensayo, or delete the file to run again",
        path.display()
    )]
    Newer {
        path: PathBuf,
        found: u32,
        supported: u32,
    },
    #[error(
        "{}: written with schema {found}, but this ensayo reads schemas from {supported}; use an older ensayo, or delete the file to run again",
        path.display()
    )]
    Older {
        path: PathBuf,
        found: u32,
        supported: u32,
    },
}

/// What helps against a failed write, where that is known.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space and run again: finished runs are kept"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "; make the folder writable, or name another one with --results"
        }
        _ => "",
    }
}

impl RecordError {
    /// Whether another version of ensayo wrote the file, which must not be replaced unasked.
    #[must_use]
    pub fn is_other_version(&self) -> bool {
        matches!(self, Self::Newer { .. } | Self::Older { .. })
    }

    /// Whether the place itself refuses to be written to.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let Self::Write { source, .. } = self else {
            return false;
        };
        matches!(
            source.kind(),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
        )
    }

    pub(super) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
