//! Which runs get plots and a page of their own: all of a small experiment, of a large one those
//! that a reader looks for.

use std::collections::BTreeSet;

use super::experiment::ExperimentReport;
use super::seed::{SeedReport, State};
use super::views;

/// Runs, each seed counted, up to which all are shown.
const SMALL: usize = 200;
/// Of a larger experiment, how many of the best runs are.
const BEST: usize = 100;
/// And how many of those that something is wrong with.
const TROUBLED: usize = 100;

/// The places in [`ExperimentReport::seeds`] of the runs that are shown one by one. Of more than
/// [`SMALL`], these are the best by the figure that their kind says first, and those that failed,
/// are stale or have something to mind, unless `every_run` is asked for. A run that left nothing is
/// not among them.
pub(super) fn one_by_one(experiment: &ExperimentReport, every_run: bool) -> BTreeSet<usize> {
    let there = |(_, (_, seed)): &(usize, (_, &SeedReport))| seed.state != State::NotRun;
    let all = experiment.seeds().enumerate().filter(there);
    if every_run || all.clone().count() <= SMALL {
        return all.map(|(place, _)| place).collect();
    }
    let view = views::of(&experiment.kind);
    let mut ranked: Vec<(usize, f64)> = Vec::new();
    let mut troubled: Vec<usize> = Vec::new();
    for (place, (_, seed)) in all {
        if seed.state != State::Complete || seed.stale.is_some() || !seed.remarks.is_empty() {
            troubled.push(place);
        } else {
            let figure = view.headline(seed, &experiment.evaluation);
            let value = figure.map_or(f64::NEG_INFINITY, |(_, estimate)| estimate.value);
            ranked.push((place, value));
        }
    }
    // Stable: of equals, those that the plan names first.
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    let best = ranked.into_iter().take(BEST).map(|(place, _)| place);
    best.chain(troubled.into_iter().take(TROUBLED)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::sample::{Sample, write_plan};
    use super::*;
    use crate::record::Status;

    /// The first ones failed, the last hundred are the best.
    fn read(results: &Path, runs: usize, failed: usize) -> ExperimentReport {
        let names: Vec<String> = (0..runs).map(|run| format!("r{run:03}")).collect();
        for (place, name) in names.iter().enumerate() {
            let status = if place < failed {
                Status::Failed
            } else {
                Status::Complete
            };
            Sample {
                rows: 20,
                steps: 1,
                epochs: 1,
                accuracy: if place + BEST < runs { 0.4 } else { 1.0 },
                status,
                ..Sample::new("x", name)
            }
            .write(results);
        }
        let planned: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 42)).collect();
        let planned = [planned, vec![("never", 42)]].concat();
        write_plan(results, "x", &planned);
        super::super::read_experiment(results, "x").unwrap()
    }

    #[test]
    fn all_runs_of_a_small_experiment_are_shown_that_left_anything() {
        let results = tempfile::tempdir().unwrap();
        let experiment = read(results.path(), 3, 1);
        assert_eq!(one_by_one(&experiment, false).len(), 3);
    }

    #[test]
    fn of_a_large_experiment_the_best_and_the_troubled_are_shown() {
        let results = tempfile::tempdir().unwrap();
        let experiment = read(results.path(), 210, 5);
        let shown = one_by_one(&experiment, false);
        let expected: BTreeSet<usize> = (0..5).chain(210 - BEST..210).collect();
        assert_eq!(shown, expected);
        assert_eq!(one_by_one(&experiment, true).len(), 210);
    }
}
