//! The page in a browser: it sorts, filters, compares, prints, and fits. Skipped, with words, where no Chromium is installed.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
#![allow(
    clippy::float_cmp,
    clippy::needless_pass_by_value,
    reason = "a browser counts in floats, and takes what it is told"
)]

mod browser;
mod compared;
mod looks;
#[path = "../report/sample.rs"]
#[allow(dead_code, reason = "other tests make up more")]
mod sample;
mod tables;

use std::path::{Path, PathBuf};

// The made-up trees are shared with tests inside the program, where these are its own.
use ensayo::record;
use ensayo::report;
use sample::Sample;

/// Writes the report of a tree; returns its page.
fn page(results: &Path) -> PathBuf {
    report::build(results, &[])
        .unwrap()
        .write(results)
        .unwrap()
        .page
}

fn sample(run: impl Into<String>, accuracy: f64, seed: u64) -> Sample {
    Sample {
        accuracy,
        seed,
        rows: 200,
        epochs: 3,
        steps: 20,
        ..Sample::new("x", run)
    }
}
