//! One experiment as its file describes it: what all runs share, and in what they differ. `grid`
//! makes runs of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::compare::Compared;
use super::problem::Problem;
use super::rules::Fields;
use super::source::Span;
use super::tree::{Node, Table};
use super::{Compare, Kind};

/// An experiment whose file could be read; its cells are checked when they are laid out.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// Its name, which is the file's stem.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Its kind.
    pub kind: Kind,
    /// What it is for, in the author's words; may be empty.
    pub description: String,
    /// A run of every cell is made with each of these.
    pub seeds: Vec<u64>,
    /// The `--set` arguments in force, as typed.
    pub overrides: Vec<String>,
    /// The named runs, in file order.
    pub runs: Vec<NamedRun>,
    /// The grid's axes in file order; the axes of one group move together.
    pub groups: Vec<Vec<Axis>>,
    /// Points of the grid that are left out.
    pub excludes: Vec<Exclude>,
    /// Whether nothing was wrong with `[grid]`, so that it can be judged as a whole.
    pub grid_is_sound: bool,
    /// What all cells share.
    pub(super) base: Table,
    /// What the command line lays over every cell.
    pub(super) sets: Vec<Table>,
    /// What it is to be compared with.
    pub(super) compared: Option<Compared>,
    /// Place of `name`.
    pub(super) name_span: Span,
    /// Place of `kind`, for what is missing from the file.
    pub(super) kind_span: Span,
    /// All settings of the kind.
    pub(super) fields: Fields,
    /// Dotted keys with a problem that has been reported.
    pub(super) tainted: BTreeSet<String>,
}

/// An entry of `[[runs]]`.
#[derive(Debug, Clone)]
pub struct NamedRun {
    /// Its name.
    pub name: String,
    /// The name's place.
    pub span: Span,
    /// What it lays over the base.
    pub(super) layer: Table,
}

/// A setting that the grid varies.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Its dotted key.
    pub key: String,
    /// The key's place.
    pub span: Span,
    /// Whether its values are paths.
    pub is_path: bool,
    /// Its values, in file order, all different.
    pub values: Vec<Node>,
}

/// An entry of `[[grid.exclude]]`: a cell in which all of these hold is left out.
#[derive(Debug, Clone)]
pub struct Exclude {
    /// The entry's place.
    pub span: Span,
    /// Axis keys and the values they must have.
    pub conditions: Vec<(String, Node)>,
}

/// Which cell of an experiment.
#[derive(Debug, Clone, Copy)]
pub enum Point<'a> {
    /// What the tables say as they stand.
    Base,
    /// A named run.
    Run(&'a NamedRun),
    /// A value for every axis of the grid.
    Axes(&'a [(&'a Axis, &'a Node)]),
}

impl Experiment {
    /// The experiments that the report sets beside this one.
    #[must_use]
    pub fn compare(&self) -> Option<&Compare> {
        self.compared.as_ref().map(|compared| &compared.compare)
    }

    /// A problem of this experiment, for what only shows when its cells are laid out.
    #[must_use]
    pub fn problem(
        &self,
        message: impl Into<String>,
        span: &Span,
        label: &str,
        help: &str,
    ) -> Problem {
        Problem::new(&self.path, message).at(span, label).help(help)
    }
}
