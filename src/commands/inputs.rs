//! What runs read, looked at before anything runs: everything that is wrong is said at once.

use super::CommandError;
use super::faults::Faults;
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
    let mut faults = Faults::default();
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
                    faults.add(experiment, &fault);
                }
            }
        }
    }
    faults.none()?;
    Ok(facts)
}
