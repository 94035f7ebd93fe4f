//! What there is to say of one run with one seed, for its page and for the terminal alike.

pub(super) mod commands;
pub(super) mod figures;
pub(super) mod files;
mod lines;
pub(super) mod provenance;
pub(super) mod questions;
pub(super) mod siblings;
mod words;
pub(super) mod wrong;

pub use words::RunsInWords;
