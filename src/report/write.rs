//! Writes a report's files, each whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::drawn::{Drawn, DrawnExperiment, draw_all};
use super::experiment::ExperimentReport;
use super::{Report, ReportError, compared, export, page, summary, views};
use crate::draw;
use crate::record::{CsvWriter, RecordError, experiment_folder, write_if_changed};

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// Each selected experiment's `summary.csv`.
    pub summaries: Vec<PathBuf>,
    /// Each selected experiment's folder of plots that has any.
    pub plot_folders: Vec<PathBuf>,
    /// Number of plots, each as SVG and PNG.
    pub plots: usize,
}

/// Writes everything.
pub(super) fn all(report: &Report, results: &Path) -> Result<Written, ReportError> {
    let drawn = draw_all(report);
    let mut written = Written {
        page: write_page(report, &drawn, results)?,
        summaries: Vec::new(),
        plot_folders: Vec::new(),
        plots: 0,
    };
    export::write_long_table(results, &report.experiments)?;
    for (experiment, drawn) in report.experiments.iter().zip(&drawn) {
        if report.selected.contains(&experiment.name) {
            let folder = experiment_folder(results, &experiment.name);
            written.summaries.push(write_summary(experiment, &folder)?);
            write_comparison(experiment, &folder)?;
            let count = write_plots(drawn, &folder.join("plots"))?;
            written.plots += count;
            if count > 0 {
                written.plot_folders.push(folder.join("plots"));
            }
        }
    }
    Ok(written)
}

/// Writes the page and says where.
pub(super) fn write_page(
    report: &Report,
    drawn: &[DrawnExperiment],
    results: &Path,
) -> Result<PathBuf, ReportError> {
    page::write(&report.experiments, &report.studies, drawn, results)
}

/// Writes an experiment's table, and what its kind has beside it; says where the table is.
pub(super) fn write_summary(
    experiment: &ExperimentReport,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let path = folder.join("summary.csv");
    let content = summary::csv(experiment).map_err(|source| ReportError::Table {
        path: path.clone(),
        source,
    })?;
    write_if_changed(&path, &content)?;
    let beside = views::of(&experiment.kind)
        .table_beside(experiment)
        .map_err(|source| ReportError::Table {
            path: folder.to_owned(),
            source,
        })?;
    if let Some((name, content)) = beside {
        write_if_changed(&folder.join(name), &content)?;
    }
    Ok(path)
}

/// Writes the paired tests of an experiment that is compared with others; one that no longer is
/// leaves none.
fn write_comparison(experiment: &ExperimentReport, folder: &Path) -> Result<(), ReportError> {
    let path = folder.join(compared::FILE);
    let rows = experiment
        .compared
        .iter()
        .flat_map(|compared| &compared.rows);
    let mut writer = CsvWriter::new(Vec::new());
    let table = |source| ReportError::Table {
        path: path.clone(),
        source,
    };
    for row in rows {
        writer.write_record(row).map_err(table)?;
    }
    let content = writer.into_inner().map_err(table)?;
    if content.is_empty() {
        let _ = fs::remove_file(&path);
        return Ok(());
    }
    Ok(write_if_changed(&path, &content)?)
}

/// Writes each plot as SVG and PNG and removes plots of runs that are no more. Returns how many
/// there are.
fn write_plots(drawn: &DrawnExperiment, folder: &Path) -> Result<usize, ReportError> {
    let plots: Vec<&Drawn> = drawn
        .together
        .iter()
        .chain(drawn.seeds.values().flatten())
        .collect();
    let temporary = tempfile::tempdir().map_err(ReportError::Temporary)?;
    plots
        .par_iter()
        .enumerate()
        .try_for_each(|(index, drawn)| -> Result<(), ReportError> {
            let place = |ending: &str| folder.join(format!("{}.{ending}", drawn.plot.stem));
            let (svg, path) = (place("svg"), place("png"));
            // Both show one scene, and the bitmap takes fifty times as long.
            if path.is_file() && fs::read(&svg).is_ok_and(|known| known == drawn.svg.as_bytes()) {
                return Ok(());
            }
            // Plotters writes PNG to a path only.
            let draft = temporary.path().join(format!("{index}.png"));
            draw::write_png(&drawn.plot.scene, &draft).map_err(|source| ReportError::Draw {
                path: path.clone(),
                source,
            })?;
            let png = fs::read(&draft).map_err(|source| RecordError::Read {
                path: draft,
                source,
            })?;
            write_if_changed(&path, &png)?;
            // Last, since it says that the bitmap is done.
            Ok(write_if_changed(&svg, drawn.svg.as_bytes())?)
        })?;
    let current: Vec<&str> = plots.iter().map(|drawn| drawn.plot.stem.as_str()).collect();
    remove_stale(folder, &current);
    Ok(plots.len())
}

/// Removes plots that only a former report could have made. What does not look like one of ours
/// stays; what cannot be removed stays as well, since nothing depends on it.
fn remove_stale(folder: &Path, current: &[&str]) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(stem) = name.to_str().and_then(|name| {
            name.strip_suffix(".svg")
                .or_else(|| name.strip_suffix(".png"))
        }) else {
            continue;
        };
        let ours = views::stems().any(|known| known == stem) || stem.contains(".seed-");
        if ours && !current.contains(&stem) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
