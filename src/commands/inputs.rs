//! What runs read, looked at before anything runs: everything that is wrong is said at once.

use std::collections::BTreeSet;

use super::CommandError;
use crate::config::Settings;
use crate::tasks::Inspection;

/// Looks at the inputs of runs, each a label and its settings. Returns the facts worth telling, each
/// once.
///
/// # Errors
/// With everything that is wrong, each with the experiments that it concerns.
pub(super) fn look<'a>(
    runs: impl IntoIterator<Item = (&'a str, &'a Settings)>,
) -> Result<Vec<String>, CommandError> {
    let mut inspection = Inspection::default();
    let mut facts: Vec<String> = Vec::new();
    let mut faults: Vec<(String, BTreeSet<&str>)> = Vec::new();
    for (experiment, settings) in runs {
        match inspection.look(settings) {
            Ok(said) => {
                for fact in said {
                    if !facts.contains(&fact) {
                        facts.push(fact);
                    }
                }
            }
            Err(found) => {
                for fault in found {
                    match faults.iter_mut().find(|(known, _)| *known == fault) {
                        Some((_, experiments)) => {
                            experiments.insert(experiment);
                        }
                        None => faults.push((fault, BTreeSet::from([experiment]))),
                    }
                }
            }
        }
    }
    if faults.is_empty() {
        return Ok(facts);
    }
    let faults: Vec<String> = faults
        .into_iter()
        .map(|(fault, experiments)| {
            let experiments: Vec<&str> = experiments.into_iter().collect();
            format!("{}: {fault}", experiments.join(", "))
        })
        .collect();
    Err(CommandError::Input(faults.join("\n")))
}
