//! What a comparison of runs says.

use super::estimate::Estimate;

/// The paired tests of an experiment with `[compare]`.
pub(super) const FILE: &str = "comparison.csv";

/// A table in words: its title, and rows of which the first is the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows; may be empty.
    pub title: String,
    /// The rows; all are as long as the first.
    pub rows: Vec<Vec<String>>,
}

/// A comparison in words and figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What a reader wants to know first; where it is empty, the remarks say it.
    pub verdict: Vec<String>,
    /// For people.
    pub tables: Vec<Table>,
    /// What may be concluded, and how it was found.
    pub remarks: Vec<String>,
    /// The same figures, in full, for programs: a head and a row for each pair and evaluation.
    pub rows: Vec<Vec<String>>,
}

/// The best run of an experiment beside those of others.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// The experiment's name.
    pub experiment: String,
    /// The run's.
    pub run: String,
    /// Its accuracy where the comparison looks.
    pub accuracy: Estimate,
    /// The rows of that evaluation.
    pub rows: Option<u64>,
    /// The same of the experiment's other runs.
    pub others: Vec<f64>,
}
