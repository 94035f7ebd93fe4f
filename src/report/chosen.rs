//! The best run of an experiment, and what it is worth on rows that had no part in choosing it.

use std::fs;
use std::sync::PoisonError;

use rayon::prelude::*;

use super::compare::answers::{self, Answers};
use super::estimate::{Contender, Estimate, Figure, Fresh};
use super::experiment::{ExperimentReport, RunReport};
use super::seed::{SeedReport, trainings};
use crate::metrics::Pool;
use crate::record::PREDICTIONS_FILE;

/// Runs that may be chosen: those below the best so many are hardly ever.
pub(super) const MOST_RUNS: usize = 200;
/// How much of their predictions is read.
const MOST_BYTES: u64 = 128 << 20;

/// The best current run by accuracy; none for fewer than two runs. The predictions that say what
/// it is worth are read once.
pub(super) fn best(experiment: &ExperimentReport, evaluation: &str) -> Option<Fresh> {
    let known = || {
        experiment
            .best
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(best) = known().get(evaluation) {
        return best.clone();
    }
    // Not under the lock: reading waits for threads that may ask the same.
    let best = look(experiment, evaluation);
    known().insert(evaluation.to_owned(), best.clone());
    best
}

fn look(experiment: &ExperimentReport, evaluation: &str) -> Option<Fresh> {
    let mut runs: Vec<(&RunReport, Estimate)> = experiment
        .current()
        .filter_map(|run| Some((run, run.accuracy(evaluation)?)))
        .filter(|(_, accuracy)| accuracy.value.is_finite())
        .collect();
    if runs.len() < 2 {
        return None;
    }
    // Stable: the first of equals stays the best, as the table has them.
    runs.sort_by(|one, two| two.1.value.total_cmp(&one.1.value));
    let single = Pool::of(&[]);
    let first = runs[0].0.seeds.first();
    let noise = first.and_then(|seed| seed.noise.on(evaluation));
    let pool = noise.map_or(&single, |noise| &noise.accuracy);
    let contenders: Vec<Contender<Vec<bool>>> = read(&runs, evaluation)
        .into_iter()
        .map(|(run, right)| Contender {
            run: trainings(run.complete(), evaluation, Figure::Accuracy, None),
            right,
        })
        .collect();
    Some(Fresh::new(
        &runs[0].0.name,
        runs[0].1,
        runs.len(),
        &contenders,
        pool,
    ))
}

/// The answers of the best runs that were judged on the rows of the best one; none if its own
/// cannot be read.
fn read<'a>(
    runs: &[(&'a RunReport, Estimate)],
    evaluation: &str,
) -> Vec<(&'a RunReport, Vec<Vec<bool>>)> {
    let mut bytes = 0;
    let size = |seed: &SeedReport| {
        fs::metadata(seed.folder().join(PREDICTIONS_FILE)).map_or(0, |file| file.len())
    };
    let within = |(run, _): &&(&RunReport, Estimate)| {
        bytes += run.complete().map(size).sum::<u64>();
        bytes <= MOST_BYTES
    };
    let few: Vec<&'a RunReport> = runs
        .iter()
        .take(MOST_RUNS)
        .take_while(within)
        .map(|(run, _)| *run)
        .collect();
    let answers: Vec<Option<Vec<Answers>>> = few
        .par_iter()
        .map(|run| {
            let one = |seed: &SeedReport| answers::read(seed.folder()).ok()?.remove(evaluation);
            let seeds: Vec<Answers> = run
                .complete()
                .filter(|seed| seed.accuracy(evaluation).is_some())
                .map(one)
                .collect::<Option<_>>()?;
            (!seeds.is_empty()).then_some(seeds)
        })
        .collect();
    let Some(Some(best)) = answers.first() else {
        return Vec::new();
    };
    let rows = best[0].clone();
    let alike = |seeds: &Vec<Answers>| seeds.iter().all(|one| one.differs_from(&rows).is_none());
    let kept = few.iter().zip(answers).filter_map(|(&run, seeds)| {
        let seeds = seeds.filter(alike)?;
        Some((run, seeds.into_iter().map(|one| one.right).collect()))
    });
    kept.collect()
}
