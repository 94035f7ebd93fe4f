//! What makes sense only when several settings, or a file, are looked at together. One file per subject; ranges of single settings are in
//! the structs.

pub(super) mod adapter;
mod data;
mod lora;
mod model;
mod prompt;
mod rag;
mod unsupported;

use super::Settings;
use super::draft::Draft;

/// Fills in the defaults that depend on other settings, and checks the whole.
pub(super) fn run(draft: &mut Draft<'_>, mut settings: Settings) -> Settings {
    match &mut settings {
        Settings::Lora(settings) => lora::check(draft, settings),
        Settings::Prompt(settings) => prompt::check(draft, settings),
        Settings::Rag(settings) => rag::check(draft, settings),
    }
    settings
}
