//! Prompting.

use super::data;
use crate::config::PromptSettings;
use crate::config::draft::{Check, Draft};

impl Check for PromptSettings {
    fn check(&mut self, draft: &mut Draft<'_>) {
        data::check(draft, &self.data);
    }
}
