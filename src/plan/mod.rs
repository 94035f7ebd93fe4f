//! Cells and seeds become runs with a stable identity, and each run a decision: skip it, or run it and why.
//!
//! Reads the results tree and hashes inputs; starts nothing and knows nothing of devices or networks.

mod decision;
mod estimate;
mod finished;
mod identity;
mod near;
mod select;

pub use decision::{Adoption, Change, Decision, Reason};
pub use estimate::Estimator;
pub use finished::InputsError;
use identity::Inputs;
pub use identity::of_parts;
pub use near::nearest;
pub use select::{Candidate, Selection, SelectionError};

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{Compare, Settings};
use crate::content::{ContentError, Contents};
use crate::grid::Cell;
use crate::record::{
    self, PlanFile, PlannedComparison, PlannedRun, RecordError, RunFile, RunRecord, Shelf,
};

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
    /// The number format that `precision = "auto"` came to: `f32`, `bf16` or `f16`.
    pub format: String,
    /// `--set` values in force, as typed.
    pub overrides: Vec<String>,
    /// What sets the run apart from its siblings: (dotted key, value) in the order of the axes.
    pub axes: Vec<(String, String)>,
    /// When the records began that the plan saw of the run: of its place and of its work. Another one
    /// by the time that the run is due was left by a second runner in the meantime.
    pub seen: Vec<String>,
    /// The folder in which a finished result of the same identity stands, or will stand before the
    /// run's turn: the run adopts it instead of computing it again.
    #[serde(default)]
    pub source: Option<PathBuf>,
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

    /// The content of the run's `run.toml`.
    #[must_use]
    pub fn run_file(&self) -> RunFile<&Settings> {
        RunFile {
            experiment: self.experiment.clone(),
            run: self.run.clone(),
            seed: self.seed,
            settings: &self.settings,
        }
    }

    /// Where the run is worked on, until its result takes its place.
    #[must_use]
    pub fn work_folder(&self) -> PathBuf {
        record::work_folder(self.results(), &self.identity)
    }

    /// What decides the result and is no longer what the plan saw: inputs that were changed since, or other code.
    ///
    /// # Errors
    /// When an input cannot be read.
    pub fn changes(&self, contents: &mut Contents) -> Result<Vec<Change>, PlanError> {
        let now = parts(
            &self.label(),
            &self.settings,
            self.seed,
            &self.format,
            &mut Inputs::new(contents),
        )?;
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
    /// The number format that `auto` comes to on that device: `f32`, `bf16` or `f16`. `None` takes
    /// whatever each run's results are in: a plan for reading, on whatever machine.
    pub format: Option<&'a str>,
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
        self.plan_beside(sources, sources)
    }

    /// The same for sources with `--set` values in force; `standing` are the experiments as their
    /// files have them, which is what results are measured by later.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_beside(
        &self,
        sources: &[Source<'_>],
        standing: &[Source<'_>],
    ) -> Result<Plan, PlanError> {
        let candidates: Vec<_> = sources.iter().flat_map(Source::candidates).collect();
        self.selection.check(&candidates)?;
        let mut contents = Contents::open(self.results);
        let mut inputs = Inputs::new(&mut contents);
        let finished = Shelf::read(self.results);
        let mut estimator = Estimator::new(finished.records(), self.device);
        let mut plan = Plan::default();
        for source in sources {
            if self.selection.selects_experiment(source.experiment) {
                self.refuse_other_version(source)?;
                let specs = self.specs(source, &mut inputs, Some(&finished))?;
                let same = |other: &&Source<'_>| other.experiment == source.experiment;
                let standing = standing.iter().find(same).unwrap_or(source);
                let file = if std::ptr::eq(standing, source) {
                    plan_file(source, &specs, Some(&finished))
                } else {
                    let specs = self.specs(standing, &mut inputs, Some(&finished))?;
                    plan_file(standing, &specs, Some(&finished))
                };
                plan.files.push(file);
                self.decide(specs, &finished, &mut plan)?;
            }
        }
        expect_equal_results(&mut plan.runs, self.force);
        for planned in &mut plan.runs {
            if matches!(planned.decision, Decision::Run(_)) {
                planned.estimate_seconds = estimator.seconds(&planned.spec.identity_parts);
            }
        }
        plan.jobs = jobs(&plan.runs);
        // The cache only saves time; a results folder that cannot be written is reported when it matters.
        let _ = contents.save();
        Ok(plan)
    }

    fn refuse_other_version(&self, source: &Source<'_>) -> Result<(), PlanError> {
        match PlanFile::read(self.results, source.experiment) {
            Err(error) if error.is_other_version() && !self.force => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Decides about the selected ones among an experiment's runs.
    fn decide(
        &self,
        specs: Vec<RunSpec>,
        finished: &Shelf,
        plan: &mut Plan,
    ) -> Result<(), PlanError> {
        for mut spec in specs {
            if !self
                .selection
                .selects(&spec.experiment, &spec.run, spec.seed)
            {
                continue;
            }
            let verdict = decision::decide(&spec, self.force, finished)?;
            (spec.seen, spec.source) = (verdict.seen, verdict.source);
            plan.runs.push(Planned {
                spec,
                decision: verdict.decision,
                estimate_seconds: None,
            });
        }
        Ok(())
    }

    /// The runs that an experiment consists of, selected or not.
    ///
    /// # Errors
    /// When an input cannot be read.
    pub fn file(
        &self,
        source: &Source<'_>,
        contents: &mut Contents,
    ) -> Result<PlanFile, PlanError> {
        let specs = self.specs(source, &mut Inputs::new(contents), None)?;
        Ok(plan_file(source, &specs, None))
    }

    /// All runs of an experiment in the order of cells and seeds. `finished` has the results, where
    /// they have been read.
    fn specs(
        &self,
        source: &Source<'_>,
        inputs: &mut Inputs<'_>,
        finished: Option<&Shelf>,
    ) -> Result<Vec<RunSpec>, PlanError> {
        let cells = source.cells.iter();
        let each = cells.flat_map(|cell| source.seeds.iter().map(move |&seed| (cell, seed)));
        each.map(|(cell, seed)| self.spec(source, cell, seed, inputs, finished))
            .collect()
    }

    fn spec(
        &self,
        source: &Source<'_>,
        cell: &Cell,
        seed: u64,
        inputs: &mut Inputs<'_>,
        finished: Option<&Shelf>,
    ) -> Result<RunSpec, PlanError> {
        let experiment = source.experiment;
        let label = record::run_label(experiment, &cell.name, seed);
        let folder = record::run_folder(self.results, experiment, &cell.name, seed);
        let format = match self.format {
            Some(format) => format.to_owned(),
            None => recorded_format(&folder, finished),
        };
        let identity_parts = parts(&label, &cell.settings, seed, &format, inputs)?;
        Ok(RunSpec {
            experiment: experiment.to_owned(),
            run: cell.name.clone(),
            seed,
            settings: cell.settings.clone(),
            folder,
            identity: identity::of_parts(&identity_parts),
            identity_parts,
            format,
            overrides: source.overrides.to_vec(),
            axes: cell.axes.clone(),
            seen: Vec::new(),
            source: None,
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

    /// Leaves out the experiments that `keeps` does not hold for.
    pub fn keep(&mut self, keeps: impl Fn(&str) -> bool) {
        self.runs.retain(|planned| keeps(&planned.spec.experiment));
        self.files.retain(|file| keeps(&file.experiment));
        for job in &mut self.jobs {
            job.runs.retain(|spec| keeps(&spec.experiment));
        }
        self.jobs.retain(|job| !job.runs.is_empty());
    }

    /// Leaves out the runs that `is_out` holds for; their experiments' lists still have them.
    pub fn leave_out(&mut self, is_out: impl Fn(&RunSpec) -> bool) {
        self.runs.retain(|planned| !is_out(&planned.spec));
        for job in &mut self.jobs {
            job.runs.retain(|spec| !is_out(spec));
        }
        self.jobs.retain(|job| !job.runs.is_empty());
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
    format: &str,
    inputs: &mut Inputs<'_>,
) -> Result<BTreeMap<String, String>, PlanError> {
    let settings = serde_json::to_value(settings).map_err(|source| PlanError::Settings {
        run: label.to_owned(),
        source,
    })?;
    Ok(identity::parts(&settings, seed, format, inputs)?)
}

/// The runs of an experiment for its `plan.json`.
fn plan_file(source: &Source<'_>, specs: &[RunSpec], finished: Option<&Shelf>) -> PlanFile {
    let runs = specs.iter().map(|spec| PlannedRun {
        differs: differences(spec, finished),
        run: spec.run.clone(),
        seed: spec.seed,
        identity: spec.identity.clone(),
        axes: spec.axes.clone(),
    });
    let kind = source
        .cells
        .first()
        .map(|cell| cell.settings.kind().to_string());
    PlanFile {
        schema: record::SCHEMA,
        experiment: source.experiment.to_owned(),
        kind: kind.unwrap_or_default(),
        description: source.description.map(str::to_owned),
        compare: source.compare.map(|compare| PlannedComparison {
            experiments: compare.experiments.clone(),
            metric: compare.metric.as_str().to_owned(),
            evaluation: compare.evaluation.clone(),
        }),
        runs: runs.collect(),
    }
}

/// The record of a folder, from the finished where that has it.
fn record_of<'a>(folder: &Path, finished: Option<&'a Shelf>) -> Option<Cow<'a, RunRecord>> {
    match finished.and_then(|finished| finished.at(folder)) {
        Some(known) => Some(Cow::Borrowed(&known.record)),
        None => record::read(folder).ok().flatten().map(Cow::Owned),
    }
}

/// What the result in a run's place differs in from the run.
fn differences(spec: &RunSpec, finished: Option<&Shelf>) -> Vec<String> {
    match record_of(&spec.folder, finished) {
        Some(record) if record.identity != spec.identity => {
            decision::changes(&record.identity_parts, &spec.identity_parts)
                .iter()
                .map(Change::to_string)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The format in which a run's results are; that of a processor where there are none.
fn recorded_format(folder: &Path, finished: Option<&Shelf>) -> String {
    record_of(folder, finished)
        .map(|record| record.environment.precision.clone())
        .filter(|format| !format.is_empty())
        .unwrap_or_else(|| "f32".to_owned())
}

/// Of runs with the same identity the first is executed, and the others adopt its result.
fn expect_equal_results(runs: &mut [Planned], force: bool) {
    if force {
        return;
    }
    let mut first: HashMap<String, (String, PathBuf)> = HashMap::new();
    for Planned { spec, decision, .. } in runs {
        if !matches!(decision, Decision::Run(_)) {
            continue;
        }
        if let Some((label, folder)) = first.get(&spec.identity) {
            *decision = Decision::Adopt(Adoption::Expected(label.clone()));
            spec.source = Some(folder.clone());
        } else {
            let own = (spec.label(), spec.folder.clone());
            first.insert(spec.identity.clone(), own);
        }
    }
}

/// One run a job: nothing is shared between runs yet. A result is adopted in its turn.
fn jobs(runs: &[Planned]) -> Vec<Job> {
    runs.iter()
        .filter(|planned| planned.decision != Decision::Skip)
        .map(|planned| Job {
            runs: vec![planned.spec.clone()],
            halvings: 0,
        })
        .collect()
}
