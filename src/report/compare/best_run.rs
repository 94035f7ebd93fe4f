//! The best run of an experiment.

use std::path::{Path, PathBuf};

use crate::record::{PlannedComparison, run_folder};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::seed::SeedReport;
use crate::report::views;

/// An experiment's best run.
pub(super) struct Best<'a> {
    /// `A`, `B` …
    pub letter: String,
    pub experiment: &'a ExperimentReport,
    pub run: &'a RunReport,
    /// Runs that it was chosen among.
    pub among: usize,
}

/// The best run by what the comparison asks for; none if no run has the figure.
pub(super) fn best<'a>(
    experiment: &'a ExperimentReport,
    asked: &PlannedComparison,
    place: usize,
) -> Option<Best<'a>> {
    let view = views::of(&experiment.kind);
    let value = |run: &RunReport| {
        run.mean(|seed| view.best_by(seed, &asked.metric, &asked.evaluation))
            .filter(|value| value.is_finite())
    };
    let judged = experiment
        .current()
        .filter(|run| run.planned)
        .filter_map(|run| Some((run, value(run)?)));
    let among = judged.clone().count();
    // The first of equals, as the table has them.
    let (run, _) = judged.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let letter = char::from(b'A' + u8::try_from(place.min(25)).unwrap_or(0));
    Some(Best {
        letter: letter.to_string(),
        experiment,
        run,
        among,
    })
}

impl Best<'_> {
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.experiment.name, self.run.name)
    }

    /// Evaluations of its first complete seed.
    pub(super) fn evaluations(&self) -> Vec<&str> {
        let first = self.run.complete().next();
        first.map(SeedReport::evaluations).unwrap_or_default()
    }
}

/// Where a seed of it left its results.
pub(super) fn folder(results: &Path, best: &Best<'_>, seed: &SeedReport) -> PathBuf {
    run_folder(results, &best.experiment.name, &best.run.name, seed.seed)
}
