//! What tells, without reading it, that a file is still the one that was read.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file's size, place on the disk and times. Whoever writes a file can set its time of
/// modification, and tools that copy or unpack do; nobody sets the time of the last change of any
/// kind, where the system keeps one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    size: u64,
    inode: u64,
    modified_nanoseconds: u64,
    changed_nanoseconds: u64,
}

impl Mark {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|age| u64::try_from(age.as_nanos()).ok());
        let modified_nanoseconds = modified.unwrap_or(0);
        let (inode, changed) = place(metadata);
        Self {
            size: metadata.len(),
            inode,
            modified_nanoseconds,
            changed_nanoseconds: changed.unwrap_or(modified_nanoseconds),
        }
    }

    /// How long ago the file last changed; `None` where that lies in the future.
    pub(super) fn age(&self) -> Option<Duration> {
        let last = self.modified_nanoseconds.max(self.changed_nanoseconds);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        now.checked_sub(Duration::from_nanos(last))
    }
}

/// The file's number on its disk, and the time of its last change of any kind.
#[cfg(unix)]
fn place(metadata: &Metadata) -> (u64, Option<u64>) {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(metadata.ctime()).ok();
    let rest = u64::try_from(metadata.ctime_nsec()).ok();
    let changed = seconds
        .zip(rest)
        .and_then(|(seconds, rest)| seconds.checked_mul(1_000_000_000)?.checked_add(rest));
    (metadata.ino(), changed)
}

#[cfg(not(unix))]
fn place(_metadata: &Metadata) -> (u64, Option<u64>) {
    (0, None)
}
