//! The pipeline from cells to records with made-up work in place of models: resuming, failures, interruption, locks, and
//! children that die. Processes are real where it says so; they are this test program, asked for one of its ignored tests.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail; children speak on standard output"
)]

mod children;
mod made_up;
mod plans;
mod results;
mod runners;
