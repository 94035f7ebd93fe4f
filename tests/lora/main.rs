//! LoRA runs from TOML to their files, with the program itself, on encoders small enough to train in a second.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
#![allow(
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "counts, and numbers that must repeat exactly"
)]

mod adapters;
mod checkpoint;
mod classes;
mod damage;
mod data;
mod failures;
mod keeping;
mod memory;
mod place;
mod predict;
#[path = "../unkillable/processes.rs"]
mod processes;
mod repeat;
mod rerun;
mod resume;
mod training;
mod weights;
