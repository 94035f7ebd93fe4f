//! `ensayo models`: the hub's models by filters, and what one model is made of.

mod facts;
pub mod inspect;
pub mod search;
mod tree;

use std::io::Write;

use super::{CommandError, Ended};
use crate::cli::ModelsCommand;

/// Runs the command below `models`.
///
/// # Errors
/// When the hub cannot be asked or refuses, or a folder holds no model.
pub fn run(command: &ModelsCommand, output: &mut dyn Write) -> Result<Ended, CommandError> {
    match command {
        ModelsCommand::Search(args) => search::run(args, output),
        ModelsCommand::Inspect(args) => inspect::run(args, output),
    }
}
