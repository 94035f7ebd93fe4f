//! What the tables of a study are made from.

use super::ours::Subject;
use crate::report::Report;
use crate::study::{Figure, Published, Study};

/// A study and what was read of our runs.
pub(super) struct Context<'a> {
    pub report: &'a Report,
    pub study: &'a Study,
}

impl<'a> Context<'a> {
    /// The runs of a figure.
    pub(super) fn subjects(&self, figure: &Figure) -> Vec<Subject<'a>> {
        let runs = figure.runs.iter().filter_map(|name| self.study.run(name));
        runs.map(|run| Subject::of(self.report, run)).collect()
    }

    /// The numbers that the study printed.
    pub(super) fn published(&self) -> &'a Published {
        &self.study.published
    }
}
