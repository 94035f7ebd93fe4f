//! Prompting.

use super::{data, model};
use crate::config::PromptSettings;
use crate::config::draft::{Check, Draft};

impl Check for PromptSettings {
    fn check(&mut self, draft: &mut Draft<'_>) {
        data::check(draft, &mut self.data);
        model::is_named_well(draft, "model", &self.model);
    }
}
