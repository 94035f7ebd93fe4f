//! The runs of ours that a study names, and their values.

use crate::report::Report;
use crate::report::experiment::RunReport;
use crate::report::seed::{SeedReport, State};
use crate::study::{NamedRun, Reference};

/// A run of ours under the study's name.
pub(super) struct Subject<'a> {
    /// The study's name.
    pub name: &'a str,
    /// Ours, as `experiment/run`.
    pub label: &'a str,
    /// What is there of it.
    pub standing: Standing<'a>,
    /// What makes it.
    pub command: String,
}

/// What is there of a run.
pub(super) enum Standing<'a> {
    /// Its complete seeds, at least one.
    Done(Vec<&'a SeedReport>),
    /// The same, of earlier settings or inputs.
    Stale(Vec<&'a SeedReport>),
    /// Nothing that could be shown, with the state.
    NotRun(State),
}

impl<'a> Subject<'a> {
    /// Finds a run among what was read.
    pub(super) fn of(report: &'a Report, run: &'a NamedRun) -> Self {
        let (experiment, name) = run.parts();
        let mut experiments = report.experiments.iter();
        let experiment = experiments.find(|known| known.name == experiment);
        let rows = experiment.into_iter().flat_map(|known| &known.runs);
        let rows: Vec<&RunReport> = rows.filter(|row| row.name == name).collect();
        let complete = |stale: bool| {
            let rows = rows.iter().filter(move |row| row.stale.is_some() == stale);
            let seeds: Vec<&SeedReport> = rows
                .take(if stale { 1 } else { usize::MAX })
                .flat_map(|row| row.complete())
                .collect();
            (!seeds.is_empty()).then_some(seeds)
        };
        let standing = complete(false)
            .map(Standing::Done)
            .or_else(|| complete(true).map(Standing::Stale))
            .unwrap_or_else(|| {
                let state = rows.first().map_or(State::NotRun, |row| row.state());
                Standing::NotRun(state)
            });
        Self {
            name: &run.name,
            label: &run.run,
            standing,
            command: run.command(),
        }
    }

    /// The seeds whose values are shown.
    pub(super) fn seeds(&self) -> &[&'a SeedReport] {
        match &self.standing {
            Standing::Done(seeds) | Standing::Stale(seeds) => seeds,
            Standing::NotRun(_) => &[],
        }
    }

    /// The first of them.
    pub(super) fn first(&self) -> Option<&'a SeedReport> {
        self.seeds().first().copied()
    }

    /// What makes it, where it has to be made.
    pub(super) fn command_if_due(&self) -> Option<String> {
        (!matches!(self.standing, Standing::Done(_))).then(|| self.command.clone())
    }

    /// What there is to say of its state beyond that it has not run.
    pub(super) fn remark(&self) -> Option<String> {
        match &self.standing {
            Standing::NotRun(state) if *state != State::NotRun && *state != State::Complete => {
                Some(format!("{} ({}): {}.", self.name, self.label, state.text()))
            }
            Standing::Stale(seeds) => {
                let why = seeds.iter().find_map(|seed| seed.stale.as_deref());
                let why = why.unwrap_or("other settings or inputs");
                Some(format!("{} ({}) is stale: {why}.", self.name, self.label))
            }
            _ => None,
        }
    }

    /// A number of each seed that has it.
    pub(super) fn numbers(&self, reference: &Reference) -> Vec<f64> {
        let seeds = self.seeds().iter();
        seeds.filter_map(|seed| number(seed, reference)).collect()
    }

    /// A setting as text; that of the first seed, since seeds share their settings.
    pub(super) fn setting(&self, key: &str) -> Option<&'a str> {
        self.first()?.settings.get(key).map(String::as_str)
    }

    /// The rows of an evaluation.
    pub(super) fn rows(&self, evaluation: &str) -> Option<u64> {
        let seed = self.first()?;
        seed.rows(evaluation)
    }
}

/// A number of a run with a seed.
pub(super) fn number(seed: &SeedReport, reference: &Reference) -> Option<f64> {
    match reference {
        Reference::Setting(key) => seed.settings.get(key)?.parse().ok(),
        Reference::In { evaluation, metric } => {
            let rows = || seed.rows(evaluation).filter(|_| metric == "rows");
            #[allow(clippy::cast_precision_loss, reason = "row counts")]
            let rows = || rows().map(|rows| rows as f64);
            seed.metric(evaluation, &[metric]).or_else(rows)
        }
        Reference::Run(name) => seed.run_metric(name).or_else(|| {
            let record = seed.record.as_ref()?;
            let mut measured = record.measurements.iter();
            let measured = measured.find(|row| row.metric == *name);
            let whole = || (name == "wall_seconds").then_some(record.wall_seconds);
            measured.map(|row| row.value).or_else(whole)
        }),
    }
}
