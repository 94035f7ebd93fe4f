//! Where things stand in a results tree: `<results>/<experiment>/<run>/seed-<n>/`.

use std::fs;
use std::path::{Path, PathBuf};

use super::RecordError;

/// The record, written last.
pub const RECORD_FILE: &str = "record.json";
/// The resolved settings, written first.
pub const RUN_FILE: &str = "run.toml";
/// What the run's process said.
pub const LOG_FILE: &str = "run.log";
/// The state of an interrupted training; gone when the run ends.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
/// The answers of an interrupted run that are complete; gone when the run ends.
pub const ANSWERED_FILE: &str = "answered.jsonl";
/// The sittings of an unfinished run so far; those of a finished one are in its record.
pub const SITTINGS_FILE: &str = "sittings.json";
/// The runs that an experiment consists of.
pub const PLAN_FILE: &str = "plan.json";
/// Results in the making, each in a folder called like its identity.
pub(super) const WORK: &str = ".work";
/// Finished results that made room for others, each in a folder called like its identity.
const KEPT: &str = ".kept";

/// `experiment/run@seed`, as a person types it.
#[must_use]
pub fn run_label(experiment: &str, run: &str, seed: u64) -> String {
    format!("{experiment}/{run}@{seed}")
}

/// The folder of an experiment's results.
#[must_use]
pub fn experiment_folder(results: &Path, experiment: &str) -> PathBuf {
    results.join(experiment)
}

/// The folder of a run's results.
#[must_use]
pub fn run_folder(results: &Path, experiment: &str, run: &str, seed: u64) -> PathBuf {
    experiment_folder(results, experiment)
        .join(run)
        .join(format!("seed-{seed}"))
}

/// The folder in which a result of an identity is worked out, until it takes its named place. The
/// state of an interrupted training waits here for the next sitting, beside those of other settings.
#[must_use]
pub fn work_folder(results: &Path, identity: &str) -> PathBuf {
    results.join(WORK).join(identity)
}

/// Where finished results go that another took the place of, each under its identity.
#[must_use]
pub fn kept_folder(results: &Path) -> PathBuf {
    results.join(KEPT)
}

/// The results tree that a run's folder lies in, be it the named one, that of its work or a kept one.
#[must_use]
pub fn results_of(run_folder: &Path) -> &Path {
    let parent = run_folder.parent().unwrap_or(run_folder);
    let by_identity = parent
        .file_name()
        .is_some_and(|name| name == WORK || name == KEPT);
    let depth = if by_identity { 2 } else { 3 };
    run_folder.ancestors().nth(depth).unwrap_or(run_folder)
}

/// The cache of vectors under a key: safe to delete, shared by all runs of a results tree.
#[must_use]
pub fn embeddings_file(results: &Path, key: &str) -> PathBuf {
    let folder = results.join(".cache").join("embeddings");
    folder.join(format!("{key}.vectors"))
}

/// The lock on a folder: beside it, not in it, because the folder is moved and replaced under the lock.
///
/// The file is never deleted: between deleting and creating, two owners could each hold a lock on a
/// file of their own.
#[must_use]
pub fn lock_file(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default();
    folder.with_file_name(format!(".{}.lock", name.to_string_lossy()))
}

/// Where a process that was started for a run says what it has to say until it owns the folder:
/// beside it, because the folder may be another's. `process` is the id of whoever started it.
#[must_use]
pub fn early_log(folder: &Path, process: u32) -> PathBuf {
    lock_file(folder).with_extension(format!("{process}.log"))
}

/// Removes what only a later sitting would need: the checkpoint, the answers so far and the list of
/// sittings.
///
/// # Errors
/// When a file cannot be removed.
pub fn remove_sitting_files(folder: &Path) -> Result<(), RecordError> {
    for name in [CHECKPOINT_FILE, ANSWERED_FILE, SITTINGS_FILE] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(RecordError::write(path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_a_sibling_of_the_run_folder() {
        let folder = run_folder(Path::new("results"), "x", "base", 42);
        assert_eq!(folder, Path::new("results/x/base/seed-42"));
        assert_eq!(
            lock_file(&folder),
            Path::new("results/x/base/.seed-42.lock")
        );
    }

    #[test]
    fn every_folder_of_a_run_knows_its_results() {
        let results = Path::new("some/results");
        for folder in [
            run_folder(results, "x", "base", 42),
            work_folder(results, "abc"),
            kept_folder(results).join("abc"),
        ] {
            assert_eq!(results_of(&folder), results);
        }
    }
}
