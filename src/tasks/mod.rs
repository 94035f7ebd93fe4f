//! The kinds of experiment, each from its settings to the files it leaves.

pub mod checkpoint;
mod encoder;
pub mod lora;
pub mod rag;
mod token_cache;
mod watch;

pub use lora::{Prediction, Predictions};

use std::path::Path;

use engine::device;

use crate::config::Settings;
use crate::plan::RunSpec;
use crate::record;
use crate::runner::{Context, Execute, ExecuteError, Outcome};

/// Why runs with such settings cannot be executed, if they cannot: their kind has no task.
#[must_use]
pub fn refusal(settings: &Settings) -> Option<String> {
    match settings {
        Settings::Lora(_) => None,
        Settings::Rag(settings) => rag::refusal(settings),
        Settings::Prompt(_) => Some(format!(
            "experiments of kind {} can be written, checked and planned, but this version of ensayo cannot run them",
            settings.kind().as_str()
        )),
    }
}

/// Has what a card learns on a run kept in its results' cache.
fn remember_tuning(run_folder: &Path) {
    device::remember_tuning(&record::results_of(run_folder).join(".cache"));
}

/// Executes runs of every kind.
#[derive(Debug, Clone, Copy)]
pub struct Tasks;

impl Execute for Tasks {
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        remember_tuning(context.folder);
        match &spec.settings {
            Settings::Lora(settings) => lora::execute(spec, settings, context),
            Settings::Rag(settings) => rag::execute(spec, settings, context),
            Settings::Prompt(_) => Err(ExecuteError::message(
                refusal(&spec.settings).unwrap_or_default(),
            )),
        }
    }
}
