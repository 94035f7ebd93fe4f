//! One process fetches a file; the others wait for it and find it done.
//!
//! The lock is the operating system's, on the file that Python's client locks too, and vanishes
//! with its owner.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::disk::{At, DiskFault};
use super::http::HttpFault;
use super::{Event, Observer};

/// Between two looks at a lock that another holds.
const PAUSE: Duration = Duration::from_millis(100);

/// The right to write one blob, until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Option<File>,
}

/// Waits for the right to write what `file` names. `Ok(Err(…))` is a stop by the observer.
pub(crate) fn acquire(
    path: &Path,
    file: &str,
    observer: &dyn Observer,
) -> Result<Result<Lock, HttpFault>, DiskFault> {
    let mut said = false;
    loop {
        let handle = open(path)?;
        match handle.try_lock() {
            // Whoever held it may have removed the file meanwhile: then others lock a new one.
            Ok(()) if is_same(&handle, path) => {
                return Ok(Ok(Lock {
                    _file: Some(handle),
                }));
            }
            Ok(()) => continue,
            Err(TryLockError::WouldBlock) => {}
            // Without locks two processes may fetch twice, which wastes time but harms nothing:
            // parts are checked.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                return Ok(Ok(Lock { _file: None }));
            }
            Err(TryLockError::Error(error)) => return Err(error).at(path),
        }
        if observer.stopped() {
            return Ok(Err(HttpFault::Stopped));
        }
        if !said {
            observer.event(&Event::WaitingForOther { file });
            said = true;
        }
        std::thread::sleep(PAUSE);
    }
}

fn open(path: &Path) -> Result<File, DiskFault> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).at(folder)?;
    }
    let open = || {
        File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
    };
    match open() {
        // A cache that is being deleted.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).at(folder)?;
            }
            open().at(path)
        }
        opened => opened.at(path),
    }
}

#[cfg(unix)]
fn is_same(handle: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (handle.metadata(), path.metadata()) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(_: &File, path: &Path) -> bool {
    path.exists()
}
