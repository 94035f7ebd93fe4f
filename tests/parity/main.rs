//! The program against the reference implementations; the engine has tests of its own. Each folder holds the script that made its fixtures; the tolerances stand
//! in the tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod answers;
mod chat_templates;
mod embedders;
#[allow(dead_code, reason = "shared with the engine's tests")]
mod fixture;
mod retrieval;
mod tokenizer_settings;
