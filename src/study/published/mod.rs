//! The numbers that a study printed, from CSV files of four kinds. Lines that begin with `#` are
//! remarks.

mod embeddings;
mod epochs;
mod reports;
mod sheet;
mod values;

use std::path::Path;

pub use embeddings::EmbeddingRow;
pub use epochs::EpochRow;
pub use reports::{ClassRow, Report};
pub use values::ValueRow;

use super::printed::Printed;
use super::reference::Reference;
use crate::config::Problems;

/// What a study printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Published {
    /// Classification reports.
    pub reports: Vec<Report>,
    /// Loss and accuracy after each epoch.
    pub epochs: Vec<EpochRow>,
    /// Settings, counts, measurements, single scores.
    pub values: Vec<ValueRow>,
    /// The first values of embeddings.
    pub embeddings: Vec<EmbeddingRow>,
}

/// The kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Reports,
    Epochs,
    Values,
    Embeddings,
}

impl Published {
    /// Adds what a file says. `names` are the study's runs; what is wrong is added to `problems`.
    pub(super) fn add(
        &mut self,
        kind: FileKind,
        (path, text): (&Path, &str),
        names: &[&str],
        problems: &mut Problems,
    ) {
        match kind {
            FileKind::Reports => {
                self.reports
                    .extend(reports::read(path, text, names, problems));
            }
            FileKind::Epochs => self
                .epochs
                .extend(epochs::read(path, text, names, problems)),
            FileKind::Values => self
                .values
                .extend(values::read(path, text, names, problems)),
            FileKind::Embeddings => {
                self.embeddings
                    .extend(embeddings::read(path, text, names, problems));
            }
        }
    }

    /// A run's report of an evaluation.
    #[must_use]
    pub fn report(&self, run: &str, evaluation: &str) -> Option<&Report> {
        let mut reports = self.reports.iter();
        reports.find(|report| report.run == run && report.evaluation == evaluation)
    }

    /// A run's epochs, in their order.
    pub fn epochs_of<'a>(&'a self, run: &'a str) -> impl Iterator<Item = &'a EpochRow> {
        self.epochs.iter().filter(move |row| row.run == run)
    }

    /// The text of a run's value: as printed among the values, else in its report.
    #[must_use]
    pub fn text(&self, run: &str, reference: &Reference) -> Option<&str> {
        let mut values = self.values.iter();
        let own = values.find(|row| row.run == run && row.reference == *reference);
        if let Some(row) = own {
            return Some(&row.value);
        }
        let Reference::In { evaluation, metric } = reference else {
            return None;
        };
        let report = self.report(run, evaluation)?;
        report.metric(metric).map(|printed| printed.text.as_str())
    }

    /// The same as a number, if it is one.
    #[must_use]
    pub fn number(&self, run: &str, reference: &Reference) -> Option<Printed> {
        Printed::parse(self.text(run, reference)?)
    }

    /// The rows of an evaluation, as far as its report or a value says.
    #[must_use]
    pub fn rows(&self, run: &str, evaluation: &str) -> Option<u64> {
        if let Some(rows) = self.report(run, evaluation).and_then(Report::rows) {
            return Some(rows);
        }
        let value = self.text(run, &Reference::of(evaluation, "rows"))?;
        value.parse().ok()
    }

    /// All settings of a run that were printed, by their dotted keys.
    pub fn settings<'a>(&'a self, run: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values
            .iter()
            .filter_map(move |row| match &row.reference {
                Reference::Setting(key) if row.run == run => {
                    Some((key.as_str(), row.value.as_str()))
                }
                _ => None,
            })
    }
}
