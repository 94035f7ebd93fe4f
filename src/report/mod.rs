//! The report: tables, plots and one static page from what runs and plans left on disk. Knows
//! neither tensors nor how runs come about, so that everything here is redrawn without a device.

mod chosen;
pub mod compare;
mod compared;
mod drawn;
mod estimate;
mod experiment;
mod export;
mod factors;
mod figures;
mod html;
mod left;
mod names;
mod page;
mod plots;
mod pooling;
mod predictions;
mod ranking;
mod run;
mod seed;
mod settings;
mod shown;
mod study;
mod summary;
mod terminal;
mod views;
mod write;

#[cfg(test)]
#[path = "../../tests/report/sample.rs"]
mod sample;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use export::{Exported, Format};
pub use figures::duration;
pub use run::RunsInWords;
pub use study::StudyLine;
pub use terminal::padded;
pub use write::Written;

use crate::draw::DrawError;
use crate::record::RecordError;
use experiment::ExperimentReport;

/// Folder of the page, beside the experiments' folders.
pub const PAGE_FOLDER: &str = "report";

/// The page that belongs to a results folder.
#[must_use]
pub fn page(results: &Path) -> PathBuf {
    results.join(PAGE_FOLDER).join("index.html")
}

/// What stands in a results tree, read and ordered.
#[derive(Debug, Clone)]
pub struct Report {
    experiments: Vec<ExperimentReport>,
    /// Those whose tables and plots are written; the page shows all.
    selected: Vec<String>,
    /// Whether every run is shown one by one, however many there are.
    every_run: bool,
    /// The studies that the page names.
    studies: Vec<StudyLine>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum ReportError {
    #[error("cannot list {}: {source}", path.display())]
    List {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} has no results of `{name}`; there are results of {}", results.display(), or_nothing(known))]
    NoSuchExperiment {
        results: PathBuf,
        name: String,
        known: Vec<String>,
    },
    #[error("no run has a figure `{metric}` to sort by; there are {}", known.join(", "))]
    NoSuchMetric { metric: String, known: Vec<String> },
    #[error(transparent)]
    Write(#[from] RecordError),
    #[error("cannot write {}: {source}", path.display())]
    Table { path: PathBuf, source: csv::Error },
    #[error("cannot write {}: {source}", path.display())]
    Draw { path: PathBuf, source: DrawError },
    #[error("cannot write the page: {0}")]
    Page(#[from] minijinja::Error),
    #[error("cannot make a temporary folder: {0}; set TMPDIR to a folder that can be written")]
    Temporary(std::io::Error),
}

/// Reads all experiments in `results`. Tables and plots will be written for those named in
/// `experiments`, for all if it names none; the page always shows all. Broken files of a run are
/// shown in the report and stop nothing.
///
/// # Errors
/// When the results folder cannot be listed, or one of `experiments` has left nothing in it.
pub fn build(results: &Path, experiments: &[String]) -> Result<Report, ReportError> {
    let mut read = Vec::new();
    for name in subfolders(results)? {
        let experiment = read_experiment(results, &name)?;
        // A folder without runs, such as the page's own, is no experiment.
        if !experiment.runs.is_empty() {
            read.push(experiment);
        }
    }
    let compared: Vec<_> = read
        .iter()
        .map(|own| {
            (
                compare::side_by_side(results, own, &read),
                compare::beside(own, &read),
            )
        })
        .collect();
    for (experiment, (compared, beside)) in read.iter_mut().zip(compared) {
        experiment.compared = compared;
        experiment.beside = beside;
    }
    let known: Vec<String> = read
        .iter()
        .map(|experiment| experiment.name.clone())
        .collect();
    if let Some(name) = experiments.iter().find(|name| !known.contains(name)) {
        return Err(ReportError::NoSuchExperiment {
            results: results.to_owned(),
            name: name.clone(),
            known,
        });
    }
    let selected = if experiments.is_empty() {
        known
    } else {
        experiments.to_vec()
    };
    Ok(Report {
        experiments: read,
        selected,
        every_run: false,
        studies: Vec::new(),
    })
}

fn read_experiment(results: &Path, name: &str) -> Result<ExperimentReport, ReportError> {
    let mut experiment = ExperimentReport::read(results, name)?;
    experiment.evaluation = views::main_evaluation(&experiment);
    pooling::share(&mut experiment);
    Ok(experiment)
}

impl Report {
    /// Gives every run plots and a page of its own; without this, large experiments have them of
    /// their best runs and of those that something is wrong with.
    #[must_use]
    pub fn with_every_run(self, every_run: bool) -> Self {
        Self { every_run, ..self }
    }

    /// Names studies on the page, with what there is to say of each.
    #[must_use]
    pub fn with_studies(self, studies: Vec<StudyLine>) -> Self {
        Self { studies, ..self }
    }

    /// Writes `summary.csv` and `plots/` of the selected experiments and the page, each file whole
    /// or not at all.
    ///
    /// # Errors
    /// When a file cannot be drawn or written.
    pub fn write(&self, results: &Path) -> Result<Written, ReportError> {
        write::all(self, results)
    }

    /// Writes the selected experiments in the formats of other tools, and says what came of it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn export(&self, results: &Path, formats: &[Format]) -> Result<Vec<Exported>, ReportError> {
        export::write(results, &self.selected_experiments(), formats)
    }

    /// An experiment's results as an aligned table for the terminal, remarks and failures below it.
    /// None if it has no results. Where it would be wider than `columns`, names are shortened and
    /// the less important figures left out.
    #[must_use]
    pub fn terminal_table(&self, experiment: &str, columns: Option<usize>) -> Option<String> {
        self.sorted_table(experiment, columns, None)
    }

    /// The same with the best run by a figure first, and so on; without one, or where no run has it,
    /// in the order of the plan.
    #[must_use]
    pub fn sorted_table(
        &self,
        experiment: &str,
        columns: Option<usize>,
        sort: Option<&str>,
    ) -> Option<String> {
        self.experiments
            .iter()
            .find(|known| known.name == experiment)
            .map(|known| terminal::table(known, columns, sort))
    }

    /// Makes sure that some run of the selected experiments has a figure to sort by.
    ///
    /// # Errors
    /// With the figures that there are, if none has it.
    pub fn check_sort(&self, metric: &str) -> Result<(), ReportError> {
        let selected = self.selected_experiments();
        if selected
            .clone()
            .any(|experiment| ranking::order(experiment, metric).is_some())
        {
            return Ok(());
        }
        let known: std::collections::BTreeSet<String> = selected.flat_map(ranking::known).collect();
        Err(ReportError::NoSuchMetric {
            metric: metric.to_owned(),
            known: known.into_iter().collect(),
        })
    }

    fn selected_experiments(&self) -> impl Iterator<Item = &ExperimentReport> + Clone {
        let selected = |known: &&ExperimentReport| self.selected.contains(&known.name);
        self.experiments.iter().filter(selected)
    }

    /// The comparison with other experiments that an experiment asks for with `[compare]`; none if
    /// it asks for none.
    #[must_use]
    pub fn comparison(&self, experiment: &str) -> Option<&compare::Compared> {
        self.experiments
            .iter()
            .find(|known| known.name == experiment)
            .and_then(|known| known.compared.as_ref())
    }

    /// Names of the selected experiments.
    #[must_use]
    pub fn selected(&self) -> &[String] {
        &self.selected
    }
}

/// Names of the folders in a folder, sorted; hidden ones left out, and those whose name is not
/// Unicode, which no experiment or run has.
fn subfolders(folder: &Path) -> Result<Vec<String>, ReportError> {
    let list = |source| ReportError::List {
        path: folder.to_owned(),
        source,
    };
    let mut names = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(list)?;
                if let Ok(name) = entry.file_name().into_string()
                    && !name.starts_with('.')
                    && entry.path().is_dir()
                {
                    names.push(name);
                }
            }
        }
        // Before the first run there is no folder, and nothing to report.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(list(error)),
    }
    names.sort_unstable();
    Ok(names)
}

fn or_nothing(names: &[String]) -> String {
    if names.is_empty() {
        "no experiment; `ensayo run` makes some".to_owned()
    } else {
        names.join(", ")
    }
}
