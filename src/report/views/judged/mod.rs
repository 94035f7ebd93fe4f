//! Plots that explain a figure, whatever the kind of experiment: what each setting adds to it, what
//! two settings do together, and what it costs.

mod costs;
mod settings;
#[cfg(test)]
mod tests;

use crate::metrics::additive;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::factors::Factors;
use crate::report::names::without_shared;
use crate::report::plots::Plot;
use crate::report::seed::SeedReport;

/// Stems of the plots.
pub(super) const STEMS: [&str; 3] = ["effects", "pairs", "frontier"];

/// The figure that an experiment's runs are judged by, the higher the better.
pub(super) struct Judged<'a> {
    /// `accuracy on “test”`.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// A run's, under one of its seeds.
    pub of: OfSeed<'a>,
}

/// A figure of a run under one of its seeds.
pub(super) type OfSeed<'a> = Box<dyn Fn(&SeedReport) -> Option<f64> + 'a>;

/// Names of runs without what all share, and that in a sentence.
pub(super) fn short_names(runs: &[&RunReport]) -> (Vec<String>, Option<String>) {
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    let (short, shared) = without_shared(&names);
    let titles = runs
        .iter()
        .zip(short)
        .map(|(run, name)| run.titled(&name))
        .collect();
    let note = (!shared.is_empty()).then(|| format!("All runs: {}.", shared.join(", ")));
    (titles, note)
}

/// The plots that there is something to say with.
pub(super) fn plots(experiment: &ExperimentReport, judged: &Judged<'_>) -> Vec<Plot> {
    let mut plots = Vec::new();
    if let Some(factors) = Factors::of(experiment, &judged.of)
        && let Some(model) = additive(&factors.levels(), &factors.runs)
    {
        plots.extend(settings::effects(experiment, judged, &factors, &model));
        plots.extend(settings::pairs(experiment, judged, &factors, &model));
    }
    plots.extend(costs::frontier(experiment, judged));
    plots
}
