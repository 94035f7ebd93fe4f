//! Cells and seeds become runs with a stable identity, and each run a decision: skip it, or run it and why.
//!
//! Reads the results tree and hashes inputs; starts nothing and knows nothing of devices or networks.

mod decision;
mod estimate;
mod identity;
mod near;
mod select;

pub use decision::{Change, Decision, Reason};
pub use estimate::Estimator;
pub use identity::{NUMERICS, of_parts};
pub use near::nearest;
pub use select::{Candidate, Selection, SelectionError};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{Compare, Settings};
use crate::content::{ContentError, Contents};
use crate::grid::Cell;
use crate::record::{self, PlanFile, PlannedComparison, PlannedRun, RecordError};

/// One run: what it is called, what it does and where its results go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The experiment's name.
    pub experiment: String,
    /// The run's name within the experiment.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// The resolved settings.
    pub settings: Settings,
    /// `<results>/<experiment>/<run>/seed-<n>`.
    pub folder: PathBuf,
    /// sha256 of `identity_parts`.
    pub identity: String,
    /// Everything that decides the result: dotted key and value, inputs by their content.
    pub identity_parts: BTreeMap<String, String>,
    /// `--set` values in force, as typed.
    pub overrides: Vec<String>,
    /// What sets the run apart from its siblings: (dotted key, value) in the order of the axes.
    pub axes: Vec<(String, String)>,
    /// When the record that the plan saw began, if it saw one. A record that is another by the time the run is due was
    /// left by a second runner in the meantime.
    pub seen: Option<String>,
}

impl RunSpec {
    /// `experiment/run@seed`, as a person types it.
    #[must_use]
    pub fn label(&self) -> String {
        record::run_label(&self.experiment, &self.run, self.seed)
    }

    /// The results tree that the run's folder lies in.
    #[must_use]
    pub fn results(&self) -> &Path {
        record::results_of(&self.folder)
    }

    /// What decides the result and is no longer what the plan saw: inputs that were changed since, or other code.
    ///
    /// # Errors
    /// When an input cannot be read.
    pub fn changes(&self, contents: &mut Contents) -> Result<Vec<Change>, PlanError> {
        let now = parts(&self.label(), &self.settings, self.seed, contents)?;
        Ok(decision::changes(&self.identity_parts, &now))
    }

    /// sha256 of each input by its role (`model`, `data`, `data.test` …), for the record's environment.
    #[must_use]
    pub fn content(&self) -> BTreeMap<String, String> {
        identity::content_by_role(&self.identity_parts)
    }
}

/// Runs that are executed together in one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// In the order of execution.
    pub runs: Vec<RunSpec>,
    /// How often it ran out of memory before: each time halves the rows that go through a network at once.
    #[serde(default)]
    pub halvings: u32,
}

/// A selected run and what is to become of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The run.
    pub spec: RunSpec,
    /// Whether it is executed, and why.
    pub decision: Decision,
    /// How long it should take on the evidence of earlier records, if there is any.
    pub estimate_seconds: Option<f64>,
}

/// What `ensayo run` would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The selected runs in the order of experiments, cells and seeds.
    pub runs: Vec<Planned>,
    /// What is to be executed, in order.
    pub jobs: Vec<Job>,
    /// For each selected experiment all of its runs, selected or not.
    pub files: Vec<PlanFile>,
}

/// An experiment as the plan sees it: its cells and seeds.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The experiment's name.
    pub experiment: &'a str,
    /// The experiment's own words.
    pub description: Option<&'a str>,
    /// What the report sets beside it.
    pub compare: Option<&'a Compare>,
    /// Each cell is run with each of these.
    pub seeds: &'a [u64],
    /// `--set` values in force, as typed.
    pub overrides: &'a [String],
    /// In the order of the grid.
    pub cells: &'a [Cell],
}

impl<'a> Source<'a> {
    /// All runs: experiment, run, seed.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
        let Self {
            experiment,
            seeds,
            cells,
            ..
        } = *self;
        cells.iter().flat_map(move |cell| {
            seeds
                .iter()
                .map(move |&seed| (experiment, cell.name.as_str(), seed))
        })
    }
}

/// What a plan is made from.
#[derive(Debug)]
pub struct Planner<'a> {
    /// Where results go.
    pub results: &'a Path,
    /// Which of the runs are wanted.
    pub selection: &'a Selection,
    /// Run what is done already, too.
    pub force: bool,
    /// `auto`, `cpu` or `cuda:N`; only estimates depend on it.
    pub device: &'a str,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A pattern matches nothing.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// An input cannot be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A record must not be replaced.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The settings cannot be written down.
    #[error("the settings of {run} cannot be written down: {source}")]
    Settings {
        /// `experiment/run@seed`.
        run: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl Planner<'_> {
    /// Lays out all runs of the experiments, keeps the selected ones and decides about each.
    ///
    /// # Errors
    /// When a pattern matches nothing, an input cannot be read, or the plan or a selected run's record on disk was written by an
    /// ensayo of another schema and `force` is not set.
    pub fn plan(&self, sources: &[Source<'_>]) -> Result<Plan, PlanError> {
        let candidates: Vec<_> = sources.iter().flat_map(Source::candidates).collect();
        self.selection.check(&candidates)?;
        let mut contents = Contents::open(self.results);
        let estimator = Estimator::new(self.results, self.device);
        let mut plan = Plan::default();
        for source in sources {
            if self.selection.selects_experiment(source.experiment) {
                self.lay_out(source, &mut contents, &estimator, &mut plan)?;
            }
        }
        plan.jobs = jobs(&plan.runs);
        // The cache only saves time; a results folder that cannot be written is reported when it matters.
        let _ = contents.save();
        Ok(plan)
    }

    fn lay_out(
        &self,
        source: &Source<'_>,
        contents: &mut Contents,
        estimator: &Estimator,
        plan: &mut Plan,
    ) -> Result<(), PlanError> {
        match PlanFile::read(self.results, source.experiment) {
            Err(error) if error.is_other_version() && !self.force => return Err(error.into()),
            _ => {}
        }
        let mut runs = Vec::new();
        for cell in source.cells {
            for &seed in source.seeds {
                let mut spec = self.spec(source, cell, seed, contents)?;
                runs.push(PlannedRun {
                    run: spec.run.clone(),
                    seed,
                    identity: spec.identity.clone(),
                    axes: spec.axes.clone(),
                });
                if self.selection.selects(&spec.experiment, &spec.run, seed) {
                    let (decision, seen) = decision::decide(&spec, self.force)?;
                    spec.seen = seen;
                    let estimate_seconds = estimator.seconds(&spec.identity_parts);
                    plan.runs.push(Planned {
                        spec,
                        decision,
                        estimate_seconds,
                    });
                }
            }
        }
        let kind = source
            .cells
            .first()
            .map(|cell| cell.settings.kind().to_string());
        plan.files.push(PlanFile {
            schema: record::SCHEMA,
            experiment: source.experiment.to_owned(),
            kind: kind.unwrap_or_default(),
            description: source.description.map(str::to_owned),
            compare: source.compare.map(|compare| PlannedComparison {
                experiments: compare.experiments.clone(),
                metric: compare.metric.as_str().to_owned(),
                evaluation: compare.evaluation.clone(),
            }),
            runs,
        });
        Ok(())
    }

    fn spec(
        &self,
        source: &Source<'_>,
        cell: &Cell,
        seed: u64,
        contents: &mut Contents,
    ) -> Result<RunSpec, PlanError> {
        let experiment = source.experiment;
        let label = record::run_label(experiment, &cell.name, seed);
        let identity_parts = parts(&label, &cell.settings, seed, contents)?;
        Ok(RunSpec {
            experiment: experiment.to_owned(),
            run: cell.name.clone(),
            seed,
            settings: cell.settings.clone(),
            folder: record::run_folder(self.results, experiment, &cell.name, seed),
            identity: identity::of_parts(&identity_parts),
            identity_parts,
            overrides: source.overrides.to_vec(),
            axes: cell.axes.clone(),
            seen: None,
        })
    }
}

impl Plan {
    /// Writes `plan.json` of every experiment concerned.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_files(&self, results: &Path) -> Result<(), RecordError> {
        self.files.iter().try_for_each(|file| file.write(results))
    }

    /// Sum of the estimates of all runs that would be executed; `None` if any of them has no estimate.
    #[must_use]
    pub fn estimate_seconds(&self) -> Option<f64> {
        self.runs
            .iter()
            .filter(|planned| matches!(planned.decision, Decision::Run(_)))
            .map(|planned| planned.estimate_seconds)
            .sum()
    }
}

/// Everything that decides a run's result.
fn parts(
    label: &str,
    settings: &Settings,
    seed: u64,
    contents: &mut Contents,
) -> Result<BTreeMap<String, String>, PlanError> {
    let settings = serde_json::to_value(settings).map_err(|source| PlanError::Settings {
        run: label.to_owned(),
        source,
    })?;
    Ok(identity::parts(&settings, seed, contents)?)
}

/// One run a job: nothing is shared between runs yet.
fn jobs(runs: &[Planned]) -> Vec<Job> {
    runs.iter()
        .filter(|planned| matches!(planned.decision, Decision::Run(_)))
        .map(|planned| Job {
            runs: vec![planned.spec.clone()],
            halvings: 0,
        })
        .collect()
}
