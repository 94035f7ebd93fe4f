//! A file that is being read: its rules, and what is wrong with it so far.

use std::collections::BTreeSet;
use std::path::Path;

use super::problem::{Problem, Problems};
use super::rules::Fields;
use super::structure::Structure;

/// A file that is being read.
pub(super) struct Reader<'a> {
    /// Its path, as problems name it.
    pub path: &'a Path,
    /// All settings of its kind.
    pub fields: &'a Fields,
    /// What is wrong so far.
    pub problems: &'a mut Problems,
    /// Dotted keys with a problem that has been reported.
    pub tainted: BTreeSet<String>,
}

impl Reader<'_> {
    /// The check of texts as they are written.
    pub fn structure(&mut self) -> Structure<'_> {
        Structure {
            owner: self.path,
            root: self.fields,
            problems: self.problems,
            tainted: &mut self.tainted,
        }
    }

    /// Adds a problem of this file.
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A problem of this file.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path, message)
    }
}
