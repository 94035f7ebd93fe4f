//! The plots of experiments, drawn in memory.

use std::path::Path;

use rayon::prelude::*;

use super::experiment::ExperimentReport;
use super::plots::Plot;
use super::{Report, ReportError, views};
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
    /// Those of each seed, in the order of [`ExperimentReport::seeds`].
    pub seeds: Vec<Vec<Drawn>>,
}

/// The plots of all experiments, in memory.
pub(super) fn draw_all(
    report: &Report,
    results: &Path,
) -> Result<Vec<DrawnExperiment>, ReportError> {
    let draw = |experiment: &ExperimentReport| {
        draw_one(experiment, &experiment_folder(results, &experiment.name))
    };
    report.experiments.iter().map(draw).collect()
}

fn draw_one(experiment: &ExperimentReport, folder: &Path) -> Result<DrawnExperiment, ReportError> {
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
    let seeds: Vec<_> = experiment.seeds().collect();
    let seeds = seeds
        .into_par_iter()
        .map(|(run, seed)| {
            view.plots_of_seed(experiment, run, seed)
                .into_iter()
                .map(svg)
                .collect::<Result<_, _>>()
        })
        .collect::<Result<_, ReportError>>()?;
    Ok(DrawnExperiment { together, seeds })
}
