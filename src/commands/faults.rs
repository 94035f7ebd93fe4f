//! What is wrong with several experiments, said at once.

use super::CommandError;

/// What is wrong, each fault with the experiments that it concerns.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(String, Vec<String>)>);

impl Faults {
    /// Adds what is wrong with an experiment.
    pub(super) fn add(&mut self, experiment: &str, fault: &str) {
        let known = self.0.iter_mut().find(|(known, _)| known == fault);
        match known {
            Some((_, experiments)) if experiments.iter().any(|known| known == experiment) => {}
            Some((_, experiments)) => experiments.push(experiment.to_owned()),
            None => self.0.push((fault.to_owned(), vec![experiment.to_owned()])),
        }
    }

    /// One line a fault.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(fault, experiments): &(String, Vec<String>)| {
            let mut experiments: Vec<&str> = experiments.iter().map(String::as_str).collect();
            experiments.sort_unstable();
            format!("{}: {fault}", experiments.join(", "))
        };
        self.0.iter().map(line).collect()
    }

    /// Each experiment that something is wrong with, and what.
    pub(super) fn by_experiment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(fault, experiments)| {
            experiments
                .iter()
                .map(move |experiment| (experiment.as_str(), fault.as_str()))
        })
    }

    /// Whether nothing is wrong.
    ///
    /// # Errors
    /// With everything that is.
    pub(super) fn none(&self) -> Result<(), CommandError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(CommandError::Input(self.lines().join("\n")))
    }
}
