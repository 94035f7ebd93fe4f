//! One owner per run: whoever writes into a run's folder holds its lock.
//!
//! The lock is the operating system's, on a file beside the folder. It belongs to the open file and so vanishes with its
//! owner, however that ends: a dead owner's run can be taken over at once, and no stale lock needs to be recognised.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::record::{RecordError, lock_file};

/// The right to write into a run's folder, until dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// A probe by another runner holds the lock for a moment, which must not look like a run in progress.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(20);

impl RunLock {
    /// Takes the lock of a run; `None` if another owner holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made or the file system has no locks.
    pub fn acquire(run_folder: &Path) -> Result<Option<Self>, RecordError> {
        let file = open(run_folder)?;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(run_folder, source)),
            }
        }
        Ok(None)
    }

    /// Whether another owner holds the lock at this moment.
    ///
    /// # Errors
    /// When the lock file cannot be made or the file system has no locks.
    pub fn is_held(run_folder: &Path) -> Result<bool, RecordError> {
        let file = open(run_folder)?;
        // Shared, so that probes do not see each other.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(failed(run_folder, source)),
        }
    }
}

fn open(run_folder: &Path) -> Result<File, RecordError> {
    let path = lock_file(run_folder);
    let open = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(&path)
    };
    open().map_err(|source| failed(run_folder, source))
}

fn failed(run_folder: &Path, source: std::io::Error) -> RecordError {
    RecordError::Write {
        path: lock_file(run_folder),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_owner_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("x/base/seed-1");
        assert!(!RunLock::is_held(&folder).unwrap());
        let lock = RunLock::acquire(&folder).unwrap().unwrap();
        assert!(RunLock::is_held(&folder).unwrap());
        assert!(RunLock::acquire(&folder).unwrap().is_none());
        drop(lock);
        assert!(RunLock::acquire(&folder).unwrap().is_some());
    }
}
