//! The runs of one experiment, in the order of its plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::ReportError;
use super::compared::{Beside, Compared};
use super::estimate::{Estimate, Figure, Fresh};
use super::seed::{self, SeedReport, State};
use super::settings;
use crate::record::{
    self, PlanFile, PlannedComparison, PlannedRun, RecordError, experiment_folder, run_folder,
};

/// What an experiment's runs left on disk.
#[derive(Debug, Clone)]
pub(super) struct ExperimentReport {
    /// The experiment's name.
    pub name: String,
    /// Its own words.
    pub description: Option<String>,
    /// Its word in records and plans; empty if none says so.
    pub kind: String,
    /// In the order of the plan; then runs that the plan no longer has, by name.
    pub runs: Vec<RunReport>,
    /// Dotted keys of the settings that vary between runs.
    pub varying: Vec<String>,
    /// The evaluation that runs are compared on.
    pub evaluation: String,
    /// What its plan asks to be compared with.
    pub compare: Option<PlannedComparison>,
    /// The same, compared.
    pub compared: Option<Compared>,
    /// The best runs of the same experiments.
    pub beside: Vec<Beside>,
    /// What concerns no single run.
    pub problems: Vec<String>,
    /// The best run of each evaluation that was asked about.
    pub best: Arc<Mutex<BTreeMap<String, Option<Fresh>>>>,
}

/// One run under all of its seeds.
#[derive(Debug, Clone)]
pub(super) struct RunReport {
    /// Its name.
    pub name: String,
    /// Whether the plan has it; true where there is no plan.
    pub planned: bool,
    /// Why its results are not what the experiment asks for now, if they are not. The same run may
    /// have current results, too: those are another row.
    pub stale: Option<String>,
    /// In the order of the plan.
    pub seeds: Vec<SeedReport>,
}

impl ExperimentReport {
    /// Reads an experiment's folder.
    ///
    /// # Errors
    /// When the folder itself cannot be read. A broken file in it is a problem of the report, not
    /// an error.
    pub(super) fn read(results: &Path, name: &str) -> Result<Self, ReportError> {
        let mut problems = Vec::new();
        let plan = PlanFile::read(results, name).unwrap_or_else(|error| {
            problems.push(error.to_string());
            None
        });
        let mut runs: Vec<RunReport> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let planned: Vec<&PlannedRun> = plan.iter().flat_map(|plan| &plan.runs).collect();
        let read = planned.par_iter().map(|planned| {
            let folder = run_folder(results, name, &planned.run, planned.seed);
            let mut seed = read_seed(results, &folder, planned.seed);
            let stale = seed
                .record
                .as_ref()
                .and_then(|record| planned.staleness(record));
            seed.stale = stale.filter(|_| seed.state == State::Complete);
            seed.remarks.extend(planned.later_attempt(results));
            seed.remarks.extend(damage(&seed));
            seed
        });
        let read: Vec<SeedReport> = read.collect();
        for (planned, seed) in planned.iter().zip(read) {
            push(&mut runs, &mut places, &planned.run, seed, true);
        }
        let planned: HashSet<(&str, u64)> = planned
            .iter()
            .map(|run| (run.run.as_str(), run.seed))
            .collect();
        let mut others = found(results, name)?;
        others.retain(|(run, seed, _)| !planned.contains(&(run.as_str(), *seed)));
        let read = others.par_iter().map(|(_, seed, folder)| {
            let mut seed = read_seed(results, folder, *seed);
            if plan.is_some() && seed.state == State::Complete {
                seed.stale = Some("the experiment no longer has this run".to_owned());
            }
            seed
        });
        let read: Vec<SeedReport> = read.collect();
        for ((run, ..), seed) in others.iter().zip(read) {
            push(&mut runs, &mut places, run, seed, plan.is_none());
        }
        let runs: Vec<RunReport> = runs.into_iter().flat_map(RunReport::parted).collect();
        let (mut kind, mut description, mut compare) = (String::new(), None, None);
        if let Some(plan) = plan {
            (kind, description, compare) = (plan.kind, plan.description, plan.compare);
        } else if let Some(record) = runs
            .iter()
            .flat_map(|run| &run.seeds)
            .find_map(|seed| seed.record.as_ref())
        {
            kind.clone_from(&record.kind);
        } else if let Some(word) = runs
            .iter()
            .flat_map(|run| &run.seeds)
            .find_map(|seed| seed.settings.get("kind"))
        {
            kind.clone_from(word);
        }
        let mut report = Self {
            name: name.to_owned(),
            description,
            kind,
            runs,
            varying: Vec::new(),
            evaluation: String::new(),
            compare,
            compared: None,
            beside: Vec::new(),
            problems,
            best: Arc::default(),
        };
        let varying = {
            let current = report.current().flat_map(|run| &run.seeds);
            let mut known = current.filter(|seed| !seed.settings.is_empty()).peekable();
            if known.peek().is_some() {
                settings::varying(known.map(|seed| &seed.settings))
            } else {
                settings::varying(report.seeds().map(|(_, seed)| &seed.settings))
            }
        };
        report.varying = varying;
        Ok(report)
    }

    /// The runs whose results are what the experiment asks for now: only these are compared.
    pub(super) fn current(&self) -> impl Iterator<Item = &RunReport> + Clone {
        self.runs.iter().filter(|run| run.stale.is_none())
    }

    /// All seeds of all runs.
    pub(super) fn seeds(&self) -> impl Iterator<Item = (&RunReport, &SeedReport)> + Clone {
        self.runs
            .iter()
            .flat_map(|run| run.seeds.iter().map(move |seed| (run, seed)))
    }

    /// Whether any run has more than one seed.
    pub(super) fn has_several_seeds(&self) -> bool {
        self.runs.iter().any(|run| run.seeds.len() > 1)
    }

    /// Seeds in this state, stale ones apart.
    pub(super) fn count(&self, state: State) -> usize {
        let fresh = self.seeds().filter(|(_, seed)| seed.stale.is_none());
        fresh.filter(|(_, seed)| seed.state == state).count()
    }

    /// The share that always naming the largest class would get right, if it is the same for all
    /// runs.
    pub(super) fn largest_class(&self) -> Option<f64> {
        let mut shares = self
            .current()
            .flat_map(|run| &run.seeds)
            .filter_map(|seed| seed.largest_class(&self.evaluation));
        let first = shares.next()?;
        shares
            .all(|share| (share - first).abs() < 1e-12)
            .then_some(first)
    }
}

impl RunReport {
    /// Seeds that are complete.
    pub(super) fn complete(&self) -> impl Iterator<Item = &SeedReport> + Clone {
        self.seeds
            .iter()
            .filter(|seed| seed.state == State::Complete)
    }

    /// The accuracy in an evaluation over the complete seeds.
    pub(super) fn accuracy(&self, evaluation: &str) -> Option<Estimate> {
        self.figure(evaluation, Figure::Accuracy)
    }

    /// A figure in an evaluation over the complete seeds, with the interval that the seeds of all
    /// runs of its experiment give it.
    pub(super) fn figure(&self, evaluation: &str, figure: Figure) -> Option<Estimate> {
        seed::estimate_of(self.complete(), evaluation, figure)
    }

    /// Whether its seeds differ by more than those of the other runs and chance explain.
    pub(super) fn stands_apart(&self, evaluation: &str) -> bool {
        let first = self.complete().next();
        let noise = first.and_then(|seed| seed.noise.on(evaluation));
        let run = seed::trainings(self.complete(), evaluation, Figure::Accuracy, None);
        noise.is_some_and(|noise| noise.accuracy.stands_apart(&run))
    }

    /// A figure over the complete seeds that have it.
    pub(super) fn estimate(&self, figure: impl Fn(&SeedReport) -> Option<f64>) -> Option<Estimate> {
        Estimate::of_seeds(&self.complete().filter_map(figure).collect::<Vec<_>>())
    }

    /// The mean of a figure over the complete seeds that have it.
    pub(super) fn mean(&self, figure: impl Fn(&SeedReport) -> Option<f64>) -> Option<f64> {
        self.estimate(figure).map(|estimate| estimate.value)
    }

    /// The state of the run as a whole: complete if all seeds are, else that of the first seed that
    /// is not.
    pub(super) fn state(&self) -> State {
        self.seeds
            .iter()
            .map(|seed| seed.state)
            .find(|&state| state != State::Complete)
            .unwrap_or(State::Complete)
    }

    /// The same run in rows that each have one identity but for the seed: its current results, then
    /// those of other settings.
    fn parted(self) -> Vec<Self> {
        let mut current = Self {
            seeds: Vec::new(),
            ..self.clone()
        };
        let mut others: Vec<Self> = Vec::new();
        // Without a plan, the last execution says which settings are the current ones.
        let complete = |seed: &&SeedReport| seed.stale.is_none() && seed.state == State::Complete;
        let started = |seed: &&SeedReport| Some(seed.record.as_ref()?.started.clone());
        let last = self.seeds.iter().filter(complete).max_by_key(started);
        let wanted = last.and_then(settings_of);
        for mut seed in self.seeds {
            let own = settings_of(&seed);
            if complete(&&seed) && own != wanted {
                seed.stale = Some("other settings or inputs than the rest".to_owned());
            }
            let Some(reason) = seed.stale.clone() else {
                current.seeds.push(seed);
                continue;
            };
            seed.remarks.push(format!(
                "results of earlier settings or inputs, left out of comparisons: {reason}"
            ));
            let same = |row: &&mut Self| row.seeds.first().and_then(settings_of) == own;
            match others.iter_mut().find(same) {
                Some(row) => row.seeds.push(seed),
                None => others.push(Self {
                    name: self.name.clone(),
                    planned: self.planned,
                    stale: Some(reason),
                    seeds: vec![seed],
                }),
            }
        }
        let first = (!current.seeds.is_empty()).then_some(current);
        first.into_iter().chain(others).collect()
    }

    /// What there is to say of the row beside its figures: nothing where all of it is complete.
    pub(super) fn status(&self, evaluation: &str) -> Option<&'static str> {
        match self.state() {
            State::Complete if self.stale.is_some() => Some("stale"),
            State::Complete if self.says_one_class(evaluation) => Some("one class only"),
            State::Complete => None,
            state => Some(state.text()),
        }
    }

    /// The name, with a remark where the plan does not have the run.
    pub(super) fn title(&self) -> String {
        self.titled(&self.name)
    }

    /// The same with another form of the name.
    pub(super) fn titled(&self, name: &str) -> String {
        if self.planned {
            name.to_owned()
        } else {
            format!("{name} (not in the plan)")
        }
    }

    /// Whether some seed of it answers every row of an evaluation alike.
    pub(super) fn says_one_class(&self, evaluation: &str) -> bool {
        self.complete()
            .any(|seed| seed.only_class(evaluation).is_some())
    }
}

/// Adds a seed to its run, whose place is found by its name.
fn push(
    runs: &mut Vec<RunReport>,
    places: &mut HashMap<String, usize>,
    run: &str,
    seed: SeedReport,
    planned: bool,
) {
    let place = *places.entry(run.to_owned()).or_insert(runs.len());
    match runs.get_mut(place) {
        Some(known) => known.seeds.push(seed),
        None => runs.push(RunReport {
            name: run.to_owned(),
            planned,
            stale: None,
            seeds: vec![seed],
        }),
    }
}

/// Everything that decides a seed's result but the seed.
fn settings_of(seed: &SeedReport) -> Option<BTreeMap<String, String>> {
    let settings = seed.record.as_ref()?.settings().into_iter();
    let owned = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Some(owned.collect())
}

/// What became of the files of a finished run, and what makes them again.
fn damage(seed: &SeedReport) -> Option<String> {
    let record = seed.record.as_ref()?;
    let damage = record.damage(seed.folder())?;
    Some(format!(
        "its result is damaged: {damage}; `ensayo run {}` makes it again",
        record.label()
    ))
}

fn read_seed(results: &Path, folder: &Path, seed: u64) -> SeedReport {
    let record: Option<Result<_, RecordError>> = record::read_in_place(results, folder).transpose();
    SeedReport::read(folder, seed, record)
}

/// (run, seed, folder) of what stands in an experiment's folder, by name.
fn found(
    results: &Path,
    name: &str,
) -> Result<Vec<(String, u64, std::path::PathBuf)>, ReportError> {
    let folder = experiment_folder(results, name);
    let mut found = Vec::new();
    for run in super::subfolders(&folder)? {
        for (seed, path) in seed::folders(&folder.join(&run)) {
            found.push((run.clone(), seed, path));
        }
    }
    Ok(found)
}
