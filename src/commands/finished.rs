//! Finds what runs left in a results tree, by patterns.

use std::path::{Path, PathBuf};

use super::{CommandError, say};
use crate::plan::Selection;
use crate::record::{self, RunRecord};

/// The records that the patterns match, each with its folder. A record that cannot be read is said and passed over.
pub(super) fn find(
    results: &Path,
    patterns: &[String],
) -> Result<Vec<(PathBuf, RunRecord)>, CommandError> {
    let selection = Selection::parse(patterns)?;
    if !results.is_dir() {
        return Err(CommandError::Input(format!(
            "there is no results folder {}; `ensayo run` makes it, and --results names another",
            results.display()
        )));
    }
    let mut records = Vec::new();
    for (folder, record) in record::read_all(results) {
        match record {
            Ok(record) => records.push((folder, record)),
            Err(error) => say(format_args!("warning: {error}")),
        }
    }
    let candidates: Vec<_> = records
        .iter()
        .map(|(_, record)| (record.experiment.as_str(), record.run.as_str(), record.seed))
        .collect();
    if candidates.is_empty() {
        return Err(CommandError::Input(format!(
            "no run has left a record in {}; `ensayo run` executes runs",
            results.display()
        )));
    }
    selection.check(&candidates)?;
    records.retain(|(_, record)| selection.selects(&record.experiment, &record.run, record.seed));
    Ok(records)
}
