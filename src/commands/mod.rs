//! One file per subcommand: each chains the stages it needs. Data goes to the given output, talk to
//! standard error.

pub mod ask;
pub mod check;
pub mod clean;
pub mod compare;
pub mod device;
pub mod doctor;
pub mod fetch;
pub mod job;
pub mod list;
pub mod models;
pub mod plan;
pub mod predict;
pub mod report;
pub mod rerun;
pub mod run;
pub mod show;

mod commits;
mod downloads;
mod faults;
mod finished;
mod inputs;
mod load;
mod progress;
mod prompts;
mod screen;
mod standing;
mod studies;
mod table;
mod talk;
mod time_left;
mod words;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::plan::{PlanError, SelectionError};
use crate::record::RecordError;

/// Reads the command line, runs the command and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parsed();
    let mut output = io::stdout().lock();
    let ended = match cli.command {
        // A job writes its own output, from wherever it is at work.
        Command::Job => {
            drop(output);
            job::run()
        }
        Command::ProbeCuda { index } => device::probe(index, &mut output),
        Command::List(args) => list::run(&args, &mut output),
        Command::Check(args) => check::run(&args, &mut output),
        Command::Plan(args) => plan::run(&args, &mut output),
        Command::Run(args) => run::run(&args, &mut output),
        Command::Fetch(args) => fetch::run(&args, &mut output),
        Command::Models { command } => models::run(&command, &mut output),
        Command::Report(args) => report::run(&args, &mut output),
        Command::Doctor(args) => doctor::run(&args, &mut output),
        Command::Clean(args) => clean::run(&args, &mut output),
        Command::Compare(args) => compare::run(&args, &mut output),
        Command::Show(args) => show::run(&args, &mut output),
        Command::Rerun(args) => rerun::run(&args, &mut output),
        Command::Predict(args) => predict::run(&args, &mut output),
        Command::Ask(args) => ask::run(&args, &mut output),
    };
    exit_code(ended)
}

fn exit_code(ended: Result<Ended, CommandError>) -> ExitCode {
    let error = match ended {
        Ok(Ended::Done) => return ExitCode::SUCCESS,
        Ok(Ended::SomeFailed) => return ExitCode::from(3),
        Ok(Ended::Interrupted) => return ExitCode::from(130),
        // Whoever reads the output has had enough, as in `ensayo list | head -1`.
        Err(CommandError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(error) => error,
    };
    let _ = match &error {
        CommandError::Problems(text) => write!(io::stderr(), "{text}"),
        other => writeln!(io::stderr(), "error: {other}"),
    };
    match error {
        CommandError::Problems(_) | CommandError::Input(_) => ExitCode::from(2),
        CommandError::Output(_) | CommandError::Unexpected(_) => ExitCode::FAILURE,
    }
}

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
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum CommandError {
    #[error("{0}")]
    Problems(String),
    #[error("{0}")]
    Input(String),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
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
            | RecordError::Copied { .. }
            | RecordError::Newer { .. }
            | RecordError::Older { .. } => Self::input(error),
        }
    }
}

/// Says a line to the user. Nobody listening is no reason to fail.
fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}
