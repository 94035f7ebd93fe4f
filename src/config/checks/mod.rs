//! What makes sense only when several settings, or a file, are looked at together. One file per
//! subject; ranges of single settings are in the structs.

pub(super) mod adapter;
pub(super) mod compare;
mod data;
mod lora;
mod model;
mod model_search;
mod prompt;
mod rag;
pub(super) mod targets;
mod unsupported;
