//! Reads how the figures of an experiment vary between seeds, and tells it to each of them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::Arc;

use rayon::prelude::*;

use super::compare::answers;
use super::estimate::{Figure, Noise, Noises};
use super::experiment::{ExperimentReport, RunReport};
use super::seed::{SeedReport, trainings};
use crate::metrics::{Pool, Trainings, common_part};
use crate::record::PREDICTIONS_FILE;

/// Runs of which the predictions are read to see how far their trainings agree; a few say it for
/// all.
const MOST_RUNS: usize = 60;
/// And how much of them is read.
const MOST_BYTES: u64 = 64 << 20;

/// Tells every seed of an experiment how the figures vary between the seeds of all current runs.
pub(super) fn share(experiment: &mut ExperimentReport) {
    let noise = Arc::new(noises(experiment));
    for seed in experiment.runs.iter_mut().flat_map(|run| &mut run.seeds) {
        seed.noise = Arc::clone(&noise);
    }
}

/// Reads what the current runs that have several complete seeds left.
fn noises(experiment: &ExperimentReport) -> Noises {
    let several: Vec<&RunReport> = experiment
        .current()
        .filter(|run| run.complete().count() > 1)
        .collect();
    let mut names: Vec<&str> = several
        .iter()
        .flat_map(|run| run.complete())
        .flat_map(SeedReport::evaluations)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| {
        let mut seeds = several.iter().flat_map(|run| run.complete());
        seeds.any(|seed| seed.accuracy(name).is_some())
    });
    if names.is_empty() {
        return Noises::default();
    }
    let mut common = agreements(&several);
    let evaluations = names.into_iter().map(|name| {
        let common = common.remove(name).unwrap_or_default();
        let pool = |figure| {
            let runs: Vec<Trainings> = several
                .iter()
                .map(|run| trainings(run.complete(), name, figure, common.get(&run.name)))
                .collect();
            Pool::of(&runs)
        };
        let noise = Noise {
            accuracy: pool(Figure::Accuracy),
            macro_f1: pool(Figure::MacroF1),
            loss: pool(Figure::Loss),
            common,
        };
        (name.to_owned(), noise)
    });
    Noises {
        evaluations: evaluations.collect(),
    }
}

/// How far the trainings of runs agree on the rows, by evaluation and name: of all runs, or of some
/// spread over them where they are many or their predictions large.
fn agreements(several: &[&RunReport]) -> BTreeMap<String, HashMap<String, f64>> {
    let step = several.len().div_ceil(MOST_RUNS).max(1);
    let mut bytes = 0;
    let mut read: Vec<&RunReport> = Vec::new();
    for run in several.iter().step_by(step) {
        let size = |seed: &SeedReport| {
            let file = fs::metadata(seed.folder().join(PREDICTIONS_FILE));
            file.map_or(0, |file| file.len())
        };
        bytes += run.complete().map(size).sum::<u64>();
        if bytes > MOST_BYTES && !read.is_empty() {
            break;
        }
        read.push(run);
    }
    let found: Vec<(String, String, f64)> = read
        .par_iter()
        .flat_map_iter(|run| {
            let all = agreement(run).into_iter();
            all.map(|(evaluation, part)| (evaluation, run.name.clone(), part))
        })
        .collect();
    let mut by_evaluation: BTreeMap<String, HashMap<String, f64>> = BTreeMap::new();
    for (evaluation, run, part) in found {
        by_evaluation
            .entry(evaluation)
            .or_default()
            .insert(run, part);
    }
    by_evaluation
}

/// How far a run's trainings agree in each evaluation; a broken file is said where it is shown.
fn agreement(run: &RunReport) -> Vec<(String, f64)> {
    let read = |seed: &SeedReport| answers::read(seed.folder()).ok();
    let Some(seeds) = run.complete().map(read).collect::<Option<Vec<_>>>() else {
        return Vec::new();
    };
    let Some(first) = seeds.first() else {
        return Vec::new();
    };
    let part = |name: &String| {
        let of_all: Vec<_> = seeds
            .iter()
            .map(|seed| seed.get(name))
            .collect::<Option<_>>()?;
        let alike = of_all[1..]
            .iter()
            .all(|other| of_all[0].differs_from(other).is_none());
        let right: Vec<&[bool]> = of_all.iter().map(|answers| &*answers.right).collect();
        Some((name.clone(), alike.then(|| common_part(&right))??))
    };
    first.keys().filter_map(part).collect()
}
