//! Files for other tools, from what complete and current runs left: `results/report/metrics.csv`
//! always, the rest in `results/report/export/` when it is asked for.

mod curves;
mod long_table;
mod tensorboard;
mod trainer_state;
mod trec;

#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub(super) use long_table::write as write_long_table;

use super::experiment::ExperimentReport;
use super::seed::SeedReport;
use super::{PAGE_FOLDER, ReportError};
use crate::record::{RecordError, RunRecord, run_folder};

/// The folder of what is exported, beside the page.
const FOLDER: &str = "export";

/// What another tool reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Event files of `TensorBoard`.
    TensorBoard,
    /// `trainer_state.json` of transformers' `Trainer`.
    TrainerState,
    /// Runs and judgements as the tools of TREC read them.
    Trec,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::TensorBoard, Self::TrainerState, Self::Trec];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TensorBoard => "tensorboard",
            Self::TrainerState => "trainer-state",
            Self::Trec => "trec",
        }
    }

    /// The formats that names stand for, each once; `all` is all of them. What is no name stands
    /// for none.
    #[must_use]
    pub fn of_names(names: &[String]) -> Vec<Self> {
        let is_wanted = |format: &Self| {
            let mut names = names.iter();
            names.any(|name| name == format.name() || name == "all")
        };
        Self::ALL.into_iter().filter(is_wanted).collect()
    }

    /// Which files of a run it is made from, in words.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::TensorBoard => "complete runs",
            Self::TrainerState => "complete runs that trained something",
            Self::Trec => "complete runs that searched something",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::TensorBoard => "tensorboard",
            Self::TrainerState => "trainer_state",
            Self::Trec => "trec",
        }
    }

    /// The files of a run with a seed, by their paths in the experiment's folder.
    fn files(self, seed: &Seed<'_>) -> Result<Vec<(PathBuf, Vec<u8>)>, RecordError> {
        match self {
            Self::TensorBoard => tensorboard::files(seed),
            Self::TrainerState => trainer_state::files(seed),
            Self::Trec => trec::files(seed),
        }
    }
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// In which format.
    pub format: Format,
    /// Where it is.
    pub folder: PathBuf,
    /// How many runs it has, each seed counted.
    pub runs: usize,
}

/// A complete run with a seed, whose files are read when they are needed and not kept.
pub(super) struct Seed<'a> {
    experiment: &'a str,
    run: &'a str,
    report: &'a SeedReport,
    record: &'a RunRecord,
    folder: PathBuf,
}

impl<'a> Seed<'a> {
    /// The complete runs of an experiment that are what it asks for now.
    pub(super) fn all(
        results: &'a Path,
        experiment: &'a ExperimentReport,
    ) -> impl Iterator<Item = Self> {
        let name = experiment.name.as_str();
        let seeds = experiment.current().flat_map(|run| {
            let seeds = run.complete().filter(|seed| seed.stale.is_none());
            seeds.map(move |seed| (run.name.as_str(), seed))
        });
        seeds.filter_map(move |(run, seed)| {
            Some(Self {
                experiment: name,
                run,
                report: seed,
                record: seed.record.as_ref()?,
                folder: run_folder(results, name, run, seed.seed),
            })
        })
    }

    /// `<run>/seed-<n>/`.
    fn place(&self) -> PathBuf {
        Path::new(self.run).join(format!("seed-{}", self.report.seed))
    }
}

/// Writes the files of the experiments in each of the formats, and says what came of it. What an
/// earlier report left of an experiment goes.
///
/// # Errors
/// When a file cannot be written. A run whose files cannot be read is left out, as the report says.
pub(super) fn write<'a>(
    results: &Path,
    experiments: &(impl Iterator<Item = &'a ExperimentReport> + Clone),
    formats: &[Format],
) -> Result<Vec<Exported>, ReportError> {
    let export = results.join(PAGE_FOLDER).join(FOLDER);
    let mut all = Vec::new();
    for &format in formats {
        let folder = export.join(format.folder());
        let mut runs = 0;
        for experiment in experiments.clone() {
            runs += write_experiment(results, experiment, format, &export)?;
        }
        all.push(Exported {
            format,
            folder,
            runs,
        });
    }
    Ok(all)
}

/// Writes an experiment's files beside the place of the former ones, then puts them there, so that
/// nothing of what is no more stays. Says how many runs they are of.
fn write_experiment(
    results: &Path,
    experiment: &ExperimentReport,
    format: Format,
    export: &Path,
) -> Result<usize, ReportError> {
    let place = export.join(format.folder()).join(&experiment.name);
    fs::create_dir_all(export.join(format.folder())).map_err(unwritten(export))?;
    let part = tempfile::Builder::new().prefix(".part-").tempdir_in(export);
    let part = part.map_err(unwritten(export))?;
    let new = part.path().join("new");
    let seeds: Vec<Seed<'_>> = Seed::all(results, experiment).collect();
    let written = seeds.par_iter().map(|seed| {
        // What is wrong with the run's files, the report says.
        let files = format.files(seed).unwrap_or_default();
        for (path, content) in &files {
            let path = new.join(path);
            let folder = path.parent().unwrap_or(&new);
            fs::create_dir_all(folder).map_err(unwritten(folder))?;
            fs::write(&path, content).map_err(unwritten(&path))?;
        }
        Ok(usize::from(!files.is_empty()))
    });
    let runs = written.sum::<Result<usize, ReportError>>()?;
    match fs::remove_dir_all(&place) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritten(&place)(error)),
        _ => {}
    }
    if runs > 0 {
        fs::rename(&new, &place).map_err(unwritten(&place))?;
    }
    Ok(runs)
}

fn unwritten(path: &Path) -> impl FnOnce(std::io::Error) -> ReportError {
    let path = path.to_owned();
    move |source| RecordError::Write { path, source }.into()
}
