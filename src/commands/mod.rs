//! One file per subcommand: each chains the stages it needs. Data goes to the given output, talk to standard error.

pub mod ask;
pub mod check;
pub mod compare;
pub mod device;
pub mod job;
pub mod list;
pub mod plan;
pub mod predict;
pub mod report;
pub mod run;
pub mod show;

mod finished;
mod load;
mod progress;
mod screen;
mod table;
mod words;

use std::fmt::Display;
use std::io::{self, Write};

use crate::plan::{PlanError, SelectionError};
use crate::record::RecordError;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All is well.
    Done,
    /// Some runs failed.
    SomeFailed,
    /// The user stopped it.
    Interrupted,
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Problems in TOML files, rendered for the terminal.
    #[error("{0}")]
    Problems(String),
    /// What was typed, or a file it names, is not right.
    #[error("{0}")]
    Input(String),
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// Something else.
    #[error("{0}")]
    Unexpected(String),
}

impl CommandError {
    fn input(error: impl Display) -> Self {
        Self::Input(error.to_string())
    }

    fn unexpected(error: impl Display) -> Self {
        Self::Unexpected(error.to_string())
    }
}

impl From<SelectionError> for CommandError {
    fn from(error: SelectionError) -> Self {
        Self::input(error)
    }
}

impl From<PlanError> for CommandError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Settings { .. } => Self::unexpected(error),
            PlanError::Selection(_) | PlanError::Content(_) | PlanError::Record(_) => {
                Self::input(error)
            }
        }
    }
}

impl From<RecordError> for CommandError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Write { .. } if !error.is_refused() => Self::unexpected(error),
            RecordError::Write { .. }
            | RecordError::Read { .. }
            | RecordError::Broken { .. }
            | RecordError::Newer { .. }
            | RecordError::Older { .. } => Self::input(error),
        }
    }
}

/// Says a line to the user. Nobody listening is no reason to fail.
fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
