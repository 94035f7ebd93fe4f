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
/// The runs that an experiment consists of.
pub const PLAN_FILE: &str = "plan.json";

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

/// The results tree that a run's folder lies in.
#[must_use]
pub fn results_of(run_folder: &Path) -> &Path {
    run_folder.ancestors().nth(3).unwrap_or(run_folder)
}

/// The cache of vectors under a key: safe to delete, shared by all runs of a results tree.
#[must_use]
pub fn embeddings_file(results: &Path, key: &str) -> PathBuf {
    let folder = results.join(".cache").join("embeddings");
    folder.join(format!("{key}.vectors"))
}

/// The lock of a run: beside its folder, not in it, because the folder's content is replaced under the lock.
///
/// The file is never deleted: between deleting and creating, two owners could each hold a lock on a file of their own.
#[must_use]
pub fn lock_file(run_folder: &Path) -> PathBuf {
    let name = run_folder.file_name().unwrap_or_default();
    run_folder.with_file_name(format!(".{}.lock", name.to_string_lossy()))
}

/// Where a process that was started for a run says what it has to say until it owns the run's folder: beside it, because the
/// folder may be another's. `process` is the id of whoever started it.
#[must_use]
pub fn early_log(run_folder: &Path, process: u32) -> PathBuf {
    lock_file(run_folder).with_extension(format!("{process}.log"))
}

/// Removes a run's checkpoint, if there is one.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_checkpoint(folder: &Path) -> Result<(), RecordError> {
    let path = folder.join(CHECKPOINT_FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RecordError::write(path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes a run's folder and removes what an earlier attempt left in it, the record first: a half-emptied folder must not
/// pass for a finished run. Only its checkpoint stays, for the run to go on from if it is its own.
///
/// # Errors
/// When the folder cannot be made, read or emptied.
pub fn prepare_folder(folder: &Path) -> Result<(), RecordError> {
    fs::create_dir_all(folder).map_err(RecordError::write(folder))?;
    let record = folder.join(RECORD_FILE);
    if record.exists() {
        fs::remove_file(&record).map_err(RecordError::write(&record))?;
    }
    for entry in fs::read_dir(folder).map_err(RecordError::read(folder))? {
        let entry = entry.map_err(RecordError::read(folder))?;
        let path = entry.path();
        if entry.file_name() == CHECKPOINT_FILE {
            continue;
        }
        let is_folder = entry
            .file_type()
            .map_err(RecordError::read(&path))?
            .is_dir();
        let removed = if is_folder {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(RecordError::write(path))?;
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
    fn preparing_removes_what_an_earlier_attempt_left() {
        let root = tempfile::tempdir().unwrap();
        let folder = run_folder(root.path(), "x", "base", 1);
        prepare_folder(&folder).unwrap();
        fs::write(folder.join("record.json"), "{}").unwrap();
        fs::create_dir(folder.join("adapter")).unwrap();
        fs::write(folder.join(CHECKPOINT_FILE), "").unwrap();
        fs::write(folder.join("adapter/adapter_config.json"), "{}").unwrap();
        prepare_folder(&folder).unwrap();
        let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].as_ref().unwrap().file_name(), CHECKPOINT_FILE);
        remove_checkpoint(&folder).unwrap();
        remove_checkpoint(&folder).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
