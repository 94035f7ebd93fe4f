//! ensayo: a declarative experiment runner.
//!
//! A person edits TOML files, runs the sweep, compares the plots and reruns one experiment by name.
//! The stages, each a module: [`config`], [`grid`], [`plan`], [`runner`] (which starts [`tasks`]),
//! [`record`], [`report`]. A [`study`] says which published tables they fill.

pub mod cli;
pub mod commands;
pub mod config;
pub mod content;
pub mod data;
pub mod draw;
pub mod grid;
pub mod hub;
pub mod keys;
pub mod metrics;
pub mod plan;
pub mod prompts;
pub mod record;
pub mod report;
pub mod retrieval;
pub mod runner;
pub mod steam;
pub mod study;
pub mod tasks;
