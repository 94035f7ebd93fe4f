//! What results are measured by: the experiments as their files have them now.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::commits::Commits;
use super::{load, say};
use crate::content::Contents;
use crate::plan::{Planner, Selection};
use crate::record::{PlanFile, PlannedRun, RunRecord};

/// The plans of experiments, by which their results are measured.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// By experiment; there the runs by name and seed.
    plans: HashMap<String, HashMap<(String, u64), PlannedRun>>,
}

impl Standing {
    /// Brings the plans in the results tree up to date with the experiments' files, and reads them.
    pub(super) fn of<'a>(
        results: &Path,
        experiments: &Path,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let names: BTreeSet<&str> = names.into_iter().collect();
        refresh(results, experiments, &names);
        let plans = names.into_iter().filter_map(|name| {
            let plan = PlanFile::read(results, name).ok().flatten()?;
            let runs = plan.runs.into_iter();
            let runs = runs.map(|run| ((run.run.clone(), run.seed), run));
            Some((name.to_owned(), runs.collect()))
        });
        Self {
            plans: plans.collect(),
        }
    }

    /// Whether the experiment still has the run; true without a plan.
    pub(super) fn has(&self, record: &RunRecord) -> bool {
        let runs = self.plans.get(&record.experiment);
        runs.is_none_or(|runs| runs.contains_key(&(record.run.clone(), record.seed)))
    }

    /// What became of a later attempt at the run, if a result stands in its place.
    pub(super) fn later_attempt(&self, results: &Path, record: &RunRecord) -> Option<String> {
        let runs = self.plans.get(&record.experiment)?;
        let planned = runs.get(&(record.run.clone(), record.seed))?;
        planned.later_attempt(results)
    }

    /// Why a finished result is not what its experiment asks for now, if it is not. Without a plan
    /// there is nothing to measure it by.
    pub(super) fn staleness(&self, record: &RunRecord) -> Option<String> {
        let runs = self.plans.get(&record.experiment)?;
        match runs.get(&(record.run.clone(), record.seed)) {
            Some(planned) => planned.staleness(record),
            None => Some("the experiment no longer has this run".to_owned()),
        }
    }
}

/// Brings the plans in the results tree up to date with the experiments' files, as far as those and
/// their inputs are here. Where they are not, results are compared with the last plan.
pub(super) fn refresh(results: &Path, experiments: &Path, names: &BTreeSet<&str>) {
    if !experiments.is_dir() {
        say(format_args!(
            "no folder {} here, so results are compared with the last plan; --experiments names the folder with their files",
            experiments.display()
        ));
        return;
    }
    let selection = Selection::default();
    let mut commits = Commits::of(results, false).unwrap_or_default();
    let Ok(mut loaded) = load::load_on(experiments, &[], &selection, &commits) else {
        return;
    };
    // Nothing is asked, and nothing can be wrong with what is not asked.
    let _ = commits.pin(&mut loaded.grids, None);
    let planner = Planner {
        results,
        selection: &selection,
        force: false,
        device: "auto",
        format: None,
    };
    let mut contents = Contents::open(results);
    let unsound = loaded.unsound();
    for name in names.iter().filter(|name| unsound.contains(**name)) {
        say(format_args!(
            "{name}: its file has problems (`ensayo check {name}`), so its results are compared with the last plan"
        ));
    }
    for source in loaded.sources() {
        if !names.contains(source.experiment) {
            continue;
        }
        let written = match planner.file(&source, &mut contents) {
            Ok(file) => match PlanFile::read(results, source.experiment) {
                Ok(Some(known)) if known == file => Ok(()),
                // Of a newer version.
                Err(error) if error.is_other_version() => Err(error.to_string()),
                _ => file.write(results).map_err(|error| error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = written {
            say(format_args!(
                "{}: results are compared with the last plan: {reason}",
                source.experiment
            ));
        }
    }
    // Only saves time.
    let _ = contents.save();
}
