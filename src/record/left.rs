//! What a run left, file by file, so that what was lost or replaced since is noticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use super::{
    ANSWERED_FILE, CHECKPOINT_FILE, LOG_FILE, MeasurementRow, RECORD_FILE, RUN_FILE, RecordError,
    Row, RunRecord, SITTINGS_FILE,
};

/// A file of a finished result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftFile {
    /// Its length.
    pub bytes: u64,
    /// Its content's sha256, in hexadecimal digits.
    pub sha256: String,
}

/// Files that are no part of a result: what is measured, said or needed by a later sitting.
const APART: [&str; 7] = [
    RECORD_FILE,
    RUN_FILE,
    LOG_FILE,
    SITTINGS_FILE,
    CHECKPOINT_FILE,
    ANSWERED_FILE,
    MeasurementRow::FILE,
];

/// A model card is written to be edited before the adapter is shared.
const CARD: &str = "README.md";

/// Files lie no deeper in a run's folder: `adapter/<file>`.
const DEEPEST: usize = 2;

/// The names of the files in a run's folder that are its result.
///
/// # Errors
/// When the folder cannot be read.
pub fn result_files(folder: &Path) -> Result<Vec<String>, RecordError> {
    let mut names = files_in(folder)?;
    names.retain(|name| {
        let last = name.rsplit('/').next().unwrap_or(name);
        last != CARD && !APART.contains(&last)
    });
    Ok(names)
}

/// The names of all files in a run's folder but hidden ones, sorted, with `/` on every system.
///
/// # Errors
/// When the folder cannot be read.
pub fn files_in(folder: &Path) -> Result<Vec<String>, RecordError> {
    let mut names = Vec::new();
    let walk = WalkDir::new(folder).min_depth(1).max_depth(DEEPEST);
    for entry in walk.sort_by_file_name() {
        let entry = entry.map_err(|error| RecordError::Read {
            path: error.path().unwrap_or(folder).to_owned(),
            source: error.into(),
        })?;
        let name = entry.file_name().to_string_lossy();
        if !entry.file_type().is_file() || name.starts_with('.') {
            continue;
        }
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let parts = path.iter().map(|part| part.to_string_lossy());
        names.push(parts.collect::<Vec<_>>().join("/"));
    }
    Ok(names)
}

impl RunRecord {
    /// What of the files that the run left is gone from its folder or has another length; `None` if
    /// all is there, or the record is of a version that did not list them.
    #[must_use]
    pub fn damage(&self, folder: &Path) -> Option<String> {
        let mut faults = self.files.iter().filter_map(|(name, left)| {
            let now = fs::metadata(folder.join(name)).ok();
            match now.filter(fs::Metadata::is_file) {
                None => Some(format!("{name} is missing")),
                Some(now) if now.len() != left.bytes => Some(format!(
                    "{name} has {} bytes where the run left {}",
                    now.len(),
                    left.bytes
                )),
                Some(_) => None,
            }
        });
        let first = faults.next()?;
        Some(match faults.count() {
            0 => first,
            1 => format!("{first}, and another file is damaged"),
            more => format!("{first}, and {more} other files are damaged"),
        })
    }
}

/// Files by name.
pub type LeftFiles = BTreeMap<String, LeftFile>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_everything_but_what_is_measured_said_or_edited() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("adapter")).unwrap();
        for name in [
            "record.json",
            "run.toml",
            "run.log",
            "measurements.csv",
            "checkpoint.safetensors",
            "sittings.json",
            ".part-x",
            "adapter/README.md",
            "adapter/adapter_model.safetensors",
            "predictions.csv",
        ] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(
            result_files(folder.path()).unwrap(),
            ["adapter/adapter_model.safetensors", "predictions.csv"]
        );
    }
}
