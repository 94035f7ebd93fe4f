//! The runs of one experiment, in the order of its plan.

use std::path::Path;

use super::ReportError;
use super::compared::Compared;
use super::estimate::Estimate;
use super::seed::{self, SeedReport, State};
use super::settings;
use crate::record::{
    self, PlanFile, PlannedComparison, RecordError, experiment_folder, run_folder,
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
    /// What concerns no single run.
    pub problems: Vec<String>,
}

/// One run under all of its seeds.
#[derive(Debug, Clone)]
pub(super) struct RunReport {
    /// Its name.
    pub name: String,
    /// Whether the plan has it; true where there is no plan.
    pub planned: bool,
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
        for planned in plan.iter().flat_map(|plan| &plan.runs) {
            let seed = read_seed(
                &run_folder(results, name, &planned.run, planned.seed),
                planned.seed,
                Some(&planned.identity),
            );
            push(&mut runs, &planned.run, seed, true);
        }
        for (run, seed, folder) in found(results, name)? {
            let known = runs.iter().any(|known| {
                known.name == run && known.seeds.iter().any(|report| report.seed == seed)
            });
            if !known {
                push(
                    &mut runs,
                    &run,
                    read_seed(&folder, seed, None),
                    plan.is_none(),
                );
            }
        }
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
            problems,
        };
        report.varying = settings::varying(report.seeds().map(|(_, seed)| &seed.settings));
        Ok(report)
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

    /// Seeds in this state.
    pub(super) fn count(&self, state: State) -> usize {
        self.seeds().filter(|(_, seed)| seed.state == state).count()
    }

    /// The share that always naming the largest class would get right, if it is the same for all
    /// runs.
    pub(super) fn largest_class(&self) -> Option<f64> {
        let mut shares = self
            .seeds()
            .filter_map(|(_, seed)| seed.largest_class(&self.evaluation));
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
        let seeds: Vec<(f64, Option<u64>)> = self
            .complete()
            .filter_map(|seed| Some((seed.accuracy(evaluation)?, seed.rows(evaluation))))
            .collect();
        Estimate::of_share(&seeds)
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

    /// The name, with a remark where the plan does not have the run.
    pub(super) fn title(&self) -> String {
        if self.planned {
            self.name.clone()
        } else {
            format!("{} (not in the plan)", self.name)
        }
    }
}

/// Adds a seed to its run.
fn push(runs: &mut Vec<RunReport>, run: &str, seed: SeedReport, planned: bool) {
    match runs.iter_mut().find(|known| known.name == run) {
        Some(known) => known.seeds.push(seed),
        None => runs.push(RunReport {
            name: run.to_owned(),
            planned,
            seeds: vec![seed],
        }),
    }
}

fn read_seed(folder: &Path, seed: u64, identity: Option<&str>) -> SeedReport {
    let record: Option<Result<_, RecordError>> = record::read(folder).transpose();
    let mut report = SeedReport::read(folder, seed, record);
    let stale = identity.is_some_and(|identity| {
        report
            .record
            .as_ref()
            .is_some_and(|record| record.identity != identity)
    });
    if stale {
        report.problems.push(
            "these results are of earlier settings or inputs; `ensayo run` replaces them"
                .to_owned(),
        );
    }
    report
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
