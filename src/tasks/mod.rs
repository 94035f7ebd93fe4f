//! The kinds of experiment, each from its settings to the files it leaves.

mod encoder;
pub mod lora;
mod watch;

pub use lora::{Prediction, Predictions};

use crate::config::Settings;
use crate::plan::RunSpec;
use crate::runner::{Context, Execute, ExecuteError, Outcome};

/// Executes runs of every kind.
#[derive(Debug, Clone, Copy)]
pub struct Tasks;

impl Execute for Tasks {
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        match &spec.settings {
            Settings::Lora(settings) => lora::execute(spec, settings, context),
            Settings::Prompt(_) | Settings::Rag(_) => Err(ExecuteError::message(format!(
                "experiments of kind {} can be written and checked, but not run yet",
                spec.settings.kind().as_str()
            ))),
        }
    }
}
