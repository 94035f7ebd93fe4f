//! `ensayo job`: the child's side of `ensayo run`.

use std::io::{self, BufReader};

use engine::device::{self, Panic};

use super::{CommandError, Ended};
use crate::runner;
use crate::tasks::Tasks;

/// Executes the job on standard input, with events on standard output.
///
/// # Errors
/// When there is no job, or a run's folder cannot be written.
pub fn run() -> Result<Ended, CommandError> {
    device::leave_at_a_panic(Panic::exit_code);
    runner::serve(BufReader::new(io::stdin()), io::stdout(), &Tasks)
        .map(|()| Ended::Done)
        .map_err(CommandError::unexpected)
}
