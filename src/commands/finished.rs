//! Finds what runs left in a results tree, by patterns.

use std::fs;
use std::path::{Path, PathBuf};

use super::{CommandError, say};
use crate::plan::{Selection, SelectionError};
use crate::record::{self, PlanFile, PlannedRun, RunRecord, Status};

/// The records that the patterns match, each with its folder. A record that cannot be read is said
/// and passed over.
pub(super) fn find(
    results: &Path,
    patterns: &[String],
) -> Result<Vec<(PathBuf, RunRecord)>, CommandError> {
    let selection = Selection::parse(patterns)?;
    if results.exists() && !results.is_dir() {
        return Err(CommandError::Input(format!(
            "{} is a file; --results names a folder with results",
            results.display()
        )));
    }
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
    if let Err(error) = selection.check(&candidates) {
        return Err(match planned_like(results, &error)? {
            Some(label) => CommandError::Input(format!(
                "{label} has no readable record: it was not run, was cut short, or is still running; see `ensayo plan`"
            )),
            None if candidates.is_empty() => no_records(results),
            None => error.into(),
        });
    }
    if candidates.is_empty() {
        return Err(no_records(results));
    }
    records.retain(|(_, record)| selection.selects(&record.experiment, &record.run, record.seed));
    Ok(records)
}

/// The one complete run that a pattern selects, with its folder.
///
/// # Errors
/// When there is none or more than one, or it did not complete.
pub(super) fn one(results: &Path, pattern: &str) -> Result<(PathBuf, RunRecord), CommandError> {
    let mut found = find(results, std::slice::from_ref(&pattern.to_owned()))?;
    if found.len() > 1 {
        let labels = found
            .iter()
            .map(|(_, record)| format!("`{}`", record.label()));
        let labels: Vec<_> = labels.collect();
        return Err(CommandError::Input(format!(
            "`{pattern}` matches more than one run: choose from {}",
            labels.join(", ")
        )));
    }
    let Some((folder, record)) = found.pop() else {
        return Err(no_records(results));
    };
    if record.status != Status::Complete {
        return Err(CommandError::Input(format!(
            "{} did not complete; run it again with `ensayo run`",
            record.label()
        )));
    }
    Ok((folder, record))
}

fn no_records(results: &Path) -> CommandError {
    CommandError::Input(format!(
        "no run has left a record in {}; `ensayo run` executes runs",
        results.display()
    ))
}

/// The first planned run that a pattern without a record means.
fn planned_like(results: &Path, error: &SelectionError) -> Result<Option<String>, CommandError> {
    let SelectionError::Nothing { pattern, .. } = error else {
        return Ok(None);
    };
    let selection = Selection::parse(&[pattern])?;
    let Ok(folders) = fs::read_dir(results) else {
        return Ok(None);
    };
    let mut names: Vec<_> = folders
        .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    for name in names {
        // A plan that cannot be read has no names to offer.
        let Some(plan) = PlanFile::read(results, &name).ok().flatten() else {
            continue;
        };
        let meant = |run: &&PlannedRun| selection.selects(&name, &run.run, run.seed);
        if let Some(run) = plan.runs.iter().find(meant) {
            return Ok(Some(plan.label(run)));
        }
    }
    Ok(None)
}
