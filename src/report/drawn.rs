//! The plots of experiments, drawn in memory.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::experiment::ExperimentReport;
use super::plots::Plot;
use super::{Report, shown, views};
use crate::draw;

/// A plot with its SVG text, in the order of the page.
pub(super) struct Drawn {
    /// The plot.
    pub plot: Plot,
    /// The same as SVG.
    pub svg: String,
}

/// The plots of an experiment.
pub(super) struct DrawnExperiment {
    /// Those that compare runs.
    pub together: Vec<Drawn>,
    /// Those of each run that is shown, by its place in [`ExperimentReport::seeds`].
    pub seeds: BTreeMap<usize, Vec<Drawn>>,
}

/// The plots of all experiments, in memory.
pub(super) fn draw_all(report: &Report) -> Vec<DrawnExperiment> {
    let draw = |experiment: &ExperimentReport| draw_one(experiment, report.every_run);
    report.experiments.iter().map(draw).collect()
}

fn draw_one(experiment: &ExperimentReport, every_run: bool) -> DrawnExperiment {
    let svg = |plot: Plot| {
        let svg = draw::svg(&plot.scene, &plot.caption);
        Drawn { plot, svg }
    };
    let view = views::of(&experiment.kind);
    let together = view.plots(experiment).into_iter().map(svg).collect();
    let shown = shown::one_by_one(experiment, every_run);
    let seeds: Vec<_> = experiment.seeds().collect();
    let seeds = shown
        .into_par_iter()
        .map(|place| {
            let (run, seed) = seeds[place];
            let plots = view.plots_of_seed(experiment, run, seed).into_iter();
            (place, plots.map(svg).collect())
        })
        .collect();
    DrawnExperiment { together, seeds }
}
