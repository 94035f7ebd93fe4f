//! The plots of experiments, drawn in memory.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::experiment::ExperimentReport;
use super::plots::Plot;
use super::{Report, ReportError, shown, views};
use crate::draw;
use crate::record::experiment_folder;

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
pub(super) fn draw_all(
    report: &Report,
    results: &Path,
) -> Result<Vec<DrawnExperiment>, ReportError> {
    let draw = |experiment: &ExperimentReport| {
        let folder = experiment_folder(results, &experiment.name);
        draw_one(experiment, &folder, report.every_run)
    };
    report.experiments.iter().map(draw).collect()
}

fn draw_one(
    experiment: &ExperimentReport,
    folder: &Path,
    every_run: bool,
) -> Result<DrawnExperiment, ReportError> {
    let svg = |plot: Plot| -> Result<Drawn, ReportError> {
        let svg = draw::svg(&plot.scene, &plot.caption).map_err(|source| ReportError::Draw {
            path: folder.join("plots").join(format!("{}.svg", plot.stem)),
            source,
        })?;
        Ok(Drawn { plot, svg })
    };
    let view = views::of(&experiment.kind);
    let together = view
        .plots(experiment)
        .into_iter()
        .map(svg)
        .collect::<Result<_, _>>()?;
    let shown = shown::one_by_one(experiment, every_run);
    let seeds: Vec<_> = experiment.seeds().collect();
    let seeds = shown
        .into_par_iter()
        .map(|place| {
            let (run, seed) = seeds[place];
            let plots = view.plots_of_seed(experiment, run, seed).into_iter();
            Ok((place, plots.map(svg).collect::<Result<_, _>>()?))
        })
        .collect::<Result<_, ReportError>>()?;
    Ok(DrawnExperiment { together, seeds })
}
