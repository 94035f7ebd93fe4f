//! Prompting, which can be written, checked and planned, but not executed yet.

use super::{Need, Task};
use crate::config::PromptSettings;
use crate::hub::Wanted;
use crate::plan::RunSpec;
use crate::runner::{Context, ExecuteError, Outcome};

impl Task for PromptSettings {
    fn refusal(&self) -> Option<String> {
        Some("experiments of kind prompt can be written, checked and planned, but this version of ensayo cannot run them".to_owned())
    }

    fn needs(&self) -> Vec<Need> {
        let model = Need::model(&self.model, Wanted::Decoder);
        model.into_iter().chain(Need::data(&self.data)).collect()
    }

    fn execute(&self, _: &RunSpec, _: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        Err(ExecuteError::message(self.refusal().unwrap_or_default()))
    }
}
