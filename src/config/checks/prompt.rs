//! Prompting.

use super::{data, model};
use crate::config::PromptSettings;
use crate::config::draft::Draft;

/// Fills in what depends on other settings, and checks the whole.
pub(super) fn check(draft: &mut Draft<'_>, settings: &mut PromptSettings) {
    model::complete(&mut settings.model);
    data::check(draft, &settings.data);
}
