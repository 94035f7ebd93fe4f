//! A study: what its manifest says, and the numbers that it printed.

use std::path::PathBuf;

use super::manifest::{Manifest, NamedRun};
use super::published::Published;
use super::reference::Reference;
use crate::config::{Node, Table};

/// A study that could be read, and in which nothing is wrong.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// The manifest's file.
    pub path: PathBuf,
    /// What it says.
    pub manifest: Manifest,
    /// Where it says it.
    pub(super) places: Table,
    /// The numbers that it printed.
    pub published: Published,
}

impl Study {
    /// A run by the study's name.
    #[must_use]
    pub fn run(&self, name: &str) -> Option<&NamedRun> {
        self.manifest.runs.iter().find(|run| run.name == name)
    }

    /// The study's names of its runs, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.manifest.runs.iter().map(|run| run.name.as_str())
    }

    /// A printed setting of a run.
    #[must_use]
    pub fn setting(&self, run: &str, key: &str) -> Option<&str> {
        self.published
            .text(run, &Reference::Setting(key.to_owned()))
    }

    /// A printed number of a run that belongs to no evaluation.
    #[must_use]
    pub fn run_number(&self, run: &str, name: &str) -> Option<super::Printed> {
        self.published.number(run, &Reference::Run(name.to_owned()))
    }
}

/// The places of the elements of a list of tables.
pub(super) fn elements<'a>(places: &'a Table, key: &str) -> &'a [Node] {
    places.get(key).and_then(Node::as_list).unwrap_or_default()
}
