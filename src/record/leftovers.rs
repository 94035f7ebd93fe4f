//! What killed processes leave half-written in a results tree, and how it goes.

use std::fs::{self, File};
use std::path::Path;

use walkdir::WalkDir;

/// How the name of a file begins that is not whole yet.
pub(super) const PART: &str = ".part-";

/// Files of a results tree lie no deeper: `<experiment>/<run>/seed-<n>/adapter/<file>`.
const DEEPEST: usize = 5;

/// Removes files that were being written, and logs of processes that were being started, when their owners were killed. Living
/// owners hold a lock on theirs, which vanishes with them however they end. What cannot be removed stays: nothing reads it.
pub fn remove_leftovers(results: &Path) {
    let entries = WalkDir::new(results).max_depth(DEEPEST).into_iter();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_file() && may_be_left(&name) && !has_owner(entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of this name is one only for a moment.
fn may_be_left(name: &str) -> bool {
    let early_log = name.starts_with('.')
        && Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "log");
    name.starts_with(PART) || early_log
}

fn has_owner(path: &Path) -> bool {
    File::open(path).map_or(true, |file| file.try_lock().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{early_log, lock_file, run_folder, work_folder};

    #[test]
    fn what_dead_owners_left_goes_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let folder = run_folder(root.path(), "x", "base", 1);
        fs::create_dir_all(&folder).unwrap();
        let [left, of_the_living] = [".part-left", ".part-living"].map(|name| folder.join(name));
        let work = work_folder(root.path(), "abc");
        fs::create_dir_all(&work).unwrap();
        let (log, lock, result) = (
            early_log(&work, 7),
            lock_file(&work),
            folder.join("run.log"),
        );
        for path in [&left, &of_the_living, &log, &lock, &result] {
            fs::write(path, "").unwrap();
        }
        let owner = File::open(&of_the_living).unwrap();
        owner.lock().unwrap();
        remove_leftovers(root.path());
        assert!(!left.exists() && !log.exists());
        assert!(of_the_living.exists() && lock.exists() && result.exists());
        drop(owner);
        remove_leftovers(root.path());
        assert!(!of_the_living.exists());
        remove_leftovers(&root.path().join("nowhere"));
    }
}
