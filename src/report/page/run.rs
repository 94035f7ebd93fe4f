//! The part of the page on one run with one seed.

use serde::Serialize;

use super::Figure;
use crate::record::MetricRow;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::seed::{SeedReport, State};
use crate::report::views::{self, Detail};

/// A run, folded; open if it needs attention.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    needs_attention: bool,
    title: String,
    seed: u64,
    state: &'static str,
    /// What its kind says first, with the comma before it.
    headline: String,
    anchor: String,
    error: Option<&'a str>,
    problems: Vec<String>,
    notes: &'a [String],
    plots: Vec<Figure<'a>>,
    details: Vec<Detail>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(
        anchor: String,
        experiment: &ExperimentReport,
        run: &RunReport,
        seed: &'a SeedReport,
        plots: Vec<Figure<'a>>,
    ) -> Self {
        seed.read_all();
        let problems = seed.problems();
        let view = views::of(&experiment.kind);
        let headline = view
            .headline(seed, &experiment.evaluation)
            .map(|(name, estimate)| format!(", {name} {}", figures::with_interval(&estimate)));
        let mut details = view.details(seed);
        details.extend(figures_of(seed));
        let settings = seed.settings.clone();
        details.push(Detail::pairs("Settings", "setting", settings));
        details.push(Detail::pairs("Environment", "setting", environment(seed)));
        details.retain(|table| !table.rows.is_empty());
        let record = seed.record.as_ref();
        let broken = matches!(seed.state, State::Failed | State::Unreadable);
        Self {
            needs_attention: broken || !problems.is_empty(),
            title: run.title(),
            seed: seed.seed,
            state: seed.status(),
            headline: headline.unwrap_or_default(),
            anchor,
            error: record.and_then(|record| record.error.as_deref()),
            problems,
            notes: record.map_or(&[], |record| &record.notes),
            plots,
            details,
        }
    }
}

/// What was computed and what was measured.
fn figures_of(seed: &SeedReport) -> Vec<Detail> {
    let Some(record) = &seed.record else {
        return Vec::new();
    };
    let name = |row: &MetricRow| {
        if row.evaluation == "run" {
            row.metric.clone()
        } else {
            format!("{} {}", row.evaluation, row.metric)
        }
    };
    let metrics = record.metrics.iter();
    let metrics = metrics.map(|row| (name(row), figures::count(row.value)));
    let measured = record.measurements.iter();
    let measured = measured.map(|row| (row.metric.clone(), figures::count(row.value)));
    vec![
        Detail::pairs("Metrics", "number", metrics),
        Detail::pairs("Measurements", "number", measured),
    ]
}

fn environment(seed: &SeedReport) -> Vec<(String, String)> {
    let Some(record) = &seed.record else {
        return Vec::new();
    };
    let environment = &record.environment;
    let mut rows = vec![
        ("started".to_owned(), record.started.clone()),
        ("time".to_owned(), figures::duration(record.wall_seconds)),
        ("device".to_owned(), environment.device.clone()),
        ("threads".to_owned(), environment.threads.to_string()),
        ("precision".to_owned(), environment.precision.clone()),
        ("ensayo".to_owned(), environment.version.clone()),
        ("identity".to_owned(), record.identity.clone()),
    ];
    rows.extend(environment.tf32.map(|allowed| {
        let words = if allowed { "may be in TF32" } else { "in f32" };
        ("products of f32".to_owned(), words.to_owned())
    }));
    rows.extend(
        environment
            .driver
            .iter()
            .map(|driver| ("driver".to_owned(), driver.clone())),
    );
    rows.extend(
        environment
            .commit
            .iter()
            .map(|commit| ("commit".to_owned(), commit.clone())),
    );
    rows.extend(
        environment
            .content
            .iter()
            .map(|(role, hash)| (format!("content of {role}"), hash.clone())),
    );
    rows.extend(
        record
            .overrides
            .iter()
            .map(|set| ("--set".to_owned(), set.clone())),
    );
    rows.retain(|(_, value)| !value.is_empty());
    rows
}
