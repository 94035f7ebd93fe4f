//! What the disk has to say: free space, and failures told apart.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file or folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DiskFault {
    /// Not enough room.
    #[error(
        "the disk of {} is full: {}: free some, or put the cache elsewhere with HF_HUB_CACHE or HF_HOME",
        .folder.display(), needs(*.needed, *.free)
    )]
    Full {
        /// Where it was to be written.
        folder: PathBuf,
        /// Bytes that were still to come, where that is known.
        needed: Option<u64>,
        /// Bytes that are free.
        free: Option<u64>,
    },
    /// It may not be written.
    #[error(
        "{} cannot be written: {reason}: set HF_HUB_CACHE or HF_HOME to a folder that can, or fetch the files as a user who can write there",
        .path.display()
    )]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// Anything else.
    #[error("{}: {source}", .path.display())]
    Other {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

fn needs(needed: Option<u64>, free: Option<u64>) -> String {
    match (needed, free) {
        (Some(needed), Some(free)) => {
            format!("{} are needed and {} are free", size(needed), size(free))
        }
        _ => "no room for more".to_owned(),
    }
}

/// A size for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    let scaled = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", scaled(1_000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", scaled(1_000_000)),
        _ => format!("{:.2} GB", scaled(1_000_000_000)),
    }
}

impl DiskFault {
    /// The fault behind an error of the system.
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                folder: path.parent().unwrap_or(path).to_owned(),
                needed: None,
                free: None,
            },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly {
                path: path.to_owned(),
                reason: source.to_string(),
            },
            _ => Self::Other {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// Something is not there that was there a moment ago.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Other { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Adds the path to a system's error.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T, DiskFault>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, DiskFault> {
        self.map_err(|source| DiskFault::new(path, source))
    }
}

/// A margin that is left on the disk: file systems slow down or fail when they are filled to the
/// last block.
const MARGIN: u64 = 16 * 1024;

/// Refuses early what would not fit.
pub(crate) fn check_space(folder: &Path, needed: u64) -> Result<(), DiskFault> {
    if needed == 0 {
        return Ok(());
    }
    // The folder itself may not be there yet.
    let Some(there) = folder.ancestors().find(|path| path.exists()) else {
        return Ok(());
    };
    match free_bytes(there) {
        Some(free) if free < needed.saturating_add(MARGIN) => Err(DiskFault::Full {
            folder: folder.to_owned(),
            needed: Some(needed),
            free: Some(free),
        }),
        // Where the system does not tell, the download finds out.
        _ => Ok(()),
    }
}

/// Bytes that a user can still write there.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let state = rustix::fs::statvfs(folder).ok()?;
        Some(state.f_bavail.saturating_mul(state.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Makes sure that what was written survives a crash of the machine. Not every file system can
/// flush a folder.
pub(crate) fn flush_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_does_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("not/yet");
        assert!(check_space(&below, 1).is_ok() && check_space(&below, 0).is_ok());
        let error = check_space(&below, u64::MAX / 2).unwrap_err().to_string();
        assert!(
            error.contains("GB are needed") && error.contains("HF_HUB_CACHE"),
            "{error}"
        );
    }

    #[test]
    fn failures_say_what_to_do() {
        let fault = |kind: io::ErrorKind| DiskFault::new(Path::new("/c/x"), kind.into());
        assert!(
            matches!(fault(io::ErrorKind::StorageFull), DiskFault::Full { folder, .. } if folder == Path::new("/c"))
        );
        assert!(matches!(
            fault(io::ErrorKind::QuotaExceeded),
            DiskFault::Full { .. }
        ));
        for kind in [
            io::ErrorKind::ReadOnlyFilesystem,
            io::ErrorKind::PermissionDenied,
        ] {
            assert!(fault(kind).to_string().contains("HF_HOME"));
        }
        assert!(fault(io::ErrorKind::NotFound).is_gone());
    }
}
