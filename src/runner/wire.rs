//! What parent and child say to each other: lines of text over pipes.
//!
//! Parent to child: an [`Assignment`] as one line of JSON, later perhaps [`STOP`]. The end of the input means that the parent
//! is gone, and ends the child. Child to parent: an [`Event`](super::Event) as JSON a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::plan::Job;

/// Asks the child to stop after the current step.
pub(super) const STOP: &str = "stop";

/// The exit code of a child that a signal, or the end of its parent, has ended.
pub(super) const INTERRUPTED: i32 = 130;

/// What the child is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Assignment {
    /// The runs.
    pub job: Job,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Where the child's standard error goes until it owns the first run's folder and moves the file there.
    pub log: Option<PathBuf>,
}
