//! Prompting, which can be written, checked and planned, but not executed yet.

use super::Task;
use crate::config::PromptSettings;
use crate::plan::RunSpec;
use crate::runner::{Context, ExecuteError, Outcome};

impl Task for PromptSettings {
    fn refusal(&self) -> Option<String> {
        Some("experiments of kind prompt can be written, checked and planned, but this version of ensayo cannot run them".to_owned())
    }

    fn execute(&self, _: &RunSpec, _: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        Err(ExecuteError::message(self.refusal().unwrap_or_default()))
    }
}
