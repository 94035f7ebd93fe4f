//! The studies beside the experiments: read for the report, and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{CommandError, load, say, words};
use crate::config::Problems;
use crate::study::{self, Study};

/// What one file with problems is called, and several.
const NOUNS: [&str; 2] = ["study", "studies"];

/// All studies.
///
/// # Errors
/// When something is wrong with any of them.
pub(super) fn all(experiments: &Path) -> Result<Vec<Study>, CommandError> {
    let loaded = study::load(experiments);
    load::sound(&loaded.problems, NOUNS)?;
    Ok(loaded.studies)
}

/// The sound studies that these experiments fill a part of. What is wrong with others is no reason
/// to stop.
pub(super) fn of(experiments: &Path, names: &[String]) -> Vec<Study> {
    let loaded = study::load(experiments);
    if !loaded.problems.is_empty() {
        say("studies with problems are left out: `ensayo check` shows them");
    }
    let is_of = |study: &Study| {
        let mut runs = study.manifest.runs.iter();
        runs.any(|run| names.iter().any(|name| name == run.parts().0))
    };
    loaded.studies.into_iter().filter(is_of).collect()
}

/// Checks all studies against the runs that the experiments have; says how many there are, if any.
///
/// # Errors
/// When something is wrong with any of them.
pub(super) fn check(
    experiments: &Path,
    runs: &BTreeMap<String, Option<BTreeSet<String>>>,
) -> Result<Option<String>, CommandError> {
    let studies = all(experiments)?;
    let mut problems = Problems::default();
    for study in &studies {
        problems.extend(study::unknown_runs(study, runs));
    }
    load::sound(&problems, NOUNS)?;
    let count = match studies.len() {
        0 => return Ok(None),
        1 => "1 study".to_owned(),
        many => format!("{many} studies"),
    };
    let figures: usize = studies
        .iter()
        .map(|study| study.manifest.figures.len())
        .sum();
    let tables = words::count(figures, "table");
    Ok(Some(format!("{count} with {tables}: all sound")))
}
