//! Runs against each other on the same rows: `ensayo compare`, and what the report says about
//! experiments that name others.

pub(super) mod answers;
mod baseline;
mod beside;
mod best;
mod best_run;
mod pair;
mod side_tables;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

pub use super::compared::{Compared, Table};
pub use baseline::against;
pub(super) use beside::beside;
pub(super) use best::side_by_side;

use super::chosen::MOST_RUNS;
use super::estimate::{self, Fresh, Noises};
use super::experiment::ExperimentReport;
use super::read_experiment;
use crate::metrics::{self, Pool};
use answers::Answers;
use pair::Pair;

/// Differences whose p lies below are held to be more than chance.
const LEVEL: f64 = 0.05;

/// Why runs cannot be compared.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum CompareError {
    #[error("{0}")]
    Predictions(String),
    #[error("{0} left no predictions to compare: only runs that classify do")]
    NoPredictions(String),
    #[error(
        "{first} and {second} were not evaluated on the same rows of `{evaluation}`: {difference}; only runs with the same data and split can be compared{fix}"
    )]
    OtherRows {
        first: String,
        second: String,
        evaluation: String,
        difference: String,
        fix: String,
    },
    #[error("{0}")]
    NothingShared(String),
}

/// A run with the seeds under which it is compared.
#[derive(Debug, Clone)]
pub struct Contender {
    /// `experiment/run@seed`, or followed by its seeds where there are several.
    pub label: String,
    /// Answers by evaluation, for each seed.
    seeds: Vec<BTreeMap<String, Answers>>,
    /// How the figures of its experiment vary between seeds.
    noise: Arc<Noises>,
}

impl Contender {
    /// Reads the predictions that a run left under each of its seeds.
    ///
    /// # Errors
    /// When there are none, they cannot be read, or its seeds were judged on different rows.
    pub fn read(name: &str, seeds: &[(u64, PathBuf)]) -> Result<Self, CompareError> {
        let one = |(seed, folder): &(u64, PathBuf)| read_seed(&format!("{name}@{seed}"), folder);
        let answers: Vec<_> = seeds.iter().map(one).collect::<Result<_, _>>()?;
        let Some(first) = answers.first() else {
            return Err(CompareError::NoPredictions(name.to_owned()));
        };
        for ((seed, _), other) in seeds.iter().zip(&answers) {
            for (evaluation, ours) in first {
                let difference = other
                    .get(evaluation)
                    .and_then(|theirs| ours.differs_from(theirs));
                if let Some(difference) = difference {
                    return Err(CompareError::OtherRows {
                        first: format!("{name}@{}", seeds[0].0),
                        second: format!("{name}@{seed}"),
                        evaluation: evaluation.clone(),
                        difference,
                        fix: String::new(),
                    });
                }
            }
        }
        let numbers: Vec<_> = seeds.iter().map(|(seed, _)| seed.to_string()).collect();
        let label = match numbers.as_slice() {
            [one] => format!("{name}@{one}"),
            several => format!("{name} (seeds {})", several.join(", ")),
        };
        Ok(Self {
            label,
            seeds: answers,
            noise: Arc::default(),
        })
    }

    /// Evaluations that all seeds have: `test` first, then `validation`, then the others by name.
    fn evaluations(&self) -> Vec<String> {
        let first = self.seeds.iter().flat_map(BTreeMap::keys);
        let mut names: Vec<String> = first
            .filter(|name| self.seeds.iter().all(|seed| seed.contains_key(*name)))
            .cloned()
            .collect();
        names.sort_by_key(|name| (rank(name), name.clone()));
        names.dedup();
        names
    }

    /// Each seed's answers in an evaluation.
    fn answers(&self, evaluation: &str) -> Vec<&Answers> {
        let seeds = self.seeds.iter();
        seeds.filter_map(|seed| seed.get(evaluation)).collect()
    }

    /// Both in one evaluation that both have.
    ///
    /// # Errors
    /// When their rows differ.
    fn against(&self, other: &Self, evaluation: &str) -> Result<Pair, CompareError> {
        if self.differs_from(other, evaluation).is_some() {
            return Err(self.on_other_rows(other, evaluation));
        }
        let (ours, theirs) = (self.answers(evaluation), other.answers(evaluation));
        let accuracies = [self.accuracy(evaluation), other.accuracy(evaluation)];
        Ok(Pair::new(evaluation, accuracies, &ours, &theirs))
    }

    /// In what the rows differ that both were judged on, if they do.
    fn differs_from(&self, other: &Self, evaluation: &str) -> Option<String> {
        self.answers(evaluation)[0].differs_from(other.answers(evaluation)[0])
    }

    fn on_other_rows(&self, other: &Self, evaluation: &str) -> CompareError {
        CompareError::OtherRows {
            first: self.label.clone(),
            second: other.label.clone(),
            evaluation: evaluation.to_owned(),
            difference: self.differs_from(other, evaluation).unwrap_or_default(),
            fix: String::new(),
        }
    }
}

fn read_seed(label: &str, folder: &Path) -> Result<BTreeMap<String, Answers>, CompareError> {
    let answers = answers::read(folder).map_err(CompareError::Predictions)?;
    if answers.is_empty() {
        return Err(CompareError::NoPredictions(label.to_owned()));
    }
    Ok(answers)
}

/// Tells contenders how the figures of their experiments vary between seeds, so that they have the
/// intervals that the report gives them. What cannot be read leaves them those of their own seeds.
pub fn pool_seeds(results: &Path, contenders: &mut [Contender]) {
    let mut known: BTreeMap<String, Arc<Noises>> = BTreeMap::new();
    for contender in contenders {
        let name = contender.label.split('/').next().unwrap_or_default();
        let noise = known.entry(name.to_owned()).or_insert_with(|| {
            let experiment = read_experiment(results, name).ok();
            let mut seeds = experiment.iter().flat_map(ExperimentReport::seeds);
            seeds
                .next()
                .map_or_else(Arc::default, |(_, seed)| Arc::clone(&seed.noise))
        });
        contender.noise = Arc::clone(noise);
    }
}

/// What the best of runs that stand in the order of their accuracy is worth on fresh rows.
fn best_on_fresh_rows(ranked: &[&Contender], evaluation: &str) -> Option<Fresh> {
    let (best, _) = ranked
        .split_first()
        .filter(|(_, others)| !others.is_empty())?;
    let single = Pool::of(&[]);
    let noise = best.noise.on(evaluation);
    let pool = noise.map_or(&single, |noise| &noise.accuracy);
    let contenders: Vec<estimate::Contender<&[bool]>> = ranked
        .iter()
        .take(MOST_RUNS)
        .map(|one| estimate::Contender {
            run: one.trainings(evaluation),
            right: one.right(evaluation),
        })
        .collect();
    let seen = best.accuracy(evaluation);
    Some(Fresh::new(
        &best.label,
        seen,
        ranked.len(),
        &contenders,
        pool,
    ))
}

/// Evaluations that every experiment may have come first.
fn rank(evaluation: &str) -> usize {
    let known = ["test", "validation"];
    known
        .iter()
        .position(|name| *name == evaluation)
        .unwrap_or(known.len())
}

/// Evaluations that all contenders have, in the order of the first.
fn shared_evaluations(contenders: &[&Contender]) -> Vec<String> {
    let all: Vec<Vec<String>> = contenders.iter().map(|one| one.evaluations()).collect();
    let mut shared = all.first().cloned().unwrap_or_default();
    shared.retain(|name| all.iter().all(|names| names.contains(name)));
    shared
}

/// The evaluations to compare on: the one asked for, or all that are shared.
fn evaluations(
    contenders: &[&Contender],
    asked: Option<&str>,
) -> Result<Vec<String>, CompareError> {
    let shared = shared_evaluations(contenders);
    let lists = || {
        let each = contenders
            .iter()
            .map(|one| format!("{} has {}", one.label, one.evaluations().join(", ")));
        each.collect::<Vec<_>>().join("; ")
    };
    match asked {
        None if shared.is_empty() => Err(CompareError::NothingShared(format!(
            "the runs have no evaluation in common: {}",
            lists()
        ))),
        None => Ok(shared),
        Some(name) if shared.iter().any(|known| known == name) => Ok(vec![name.to_owned()]),
        Some(name) if shared.is_empty() => Err(CompareError::NothingShared(format!(
            "not every run has an evaluation `{name}`: {}",
            lists()
        ))),
        Some(name) => Err(CompareError::NothingShared(format!(
            "not every run has an evaluation `{name}`; they share {}",
            shared.join(", ")
        ))),
    }
}

/// Two runs in every evaluation that both have, or in the one asked for.
///
/// # Errors
/// When they share none, or were judged on different rows.
pub fn two(
    first: &Contender,
    second: &Contender,
    evaluation: Option<&str>,
) -> Result<Compared, CompareError> {
    let names = evaluations(&[first, second], evaluation)?;
    let pairs: Vec<Pair> = names
        .iter()
        .map(|name| {
            first
                .against(second, name)
                .map_err(|error| with_others(error, &names))
        })
        .collect::<Result<_, _>>()?;
    Ok(tables::two(first, second, &pairs))
}

/// Where the rows of one evaluation differ, others may still be compared.
fn with_others(error: CompareError, shared: &[String]) -> CompareError {
    match error {
        CompareError::OtherRows {
            first,
            second,
            evaluation,
            difference,
            ..
        } => {
            let other = shared.iter().find(|name| **name != evaluation);
            CompareError::OtherRows {
                first,
                second,
                evaluation,
                difference,
                fix: other.map_or_else(String::new, |name| {
                    format!("; `--evaluation {name}` leaves it out")
                }),
            }
        }
        other => other,
    }
}

/// All pairs of runs in one evaluation, the one asked for or the first that all have, with Holm's
/// correction. Runs that were judged on other rows than most are left out and named.
///
/// # Errors
/// When they share none, or no two of them were judged on the same rows.
pub fn all_pairs(
    contenders: &[Contender],
    evaluation: Option<&str>,
) -> Result<Compared, CompareError> {
    let borrowed: Vec<&Contender> = contenders.iter().collect();
    let shared = evaluations(&borrowed, evaluation)?;
    let evaluation = &shared[0];
    let (mut ranked, left_out) =
        judged_alike(&borrowed, evaluation).map_err(|error| with_others(error, &shared))?;
    ranked.sort_by(|one, two| {
        let value = |contender: &Contender| contender.accuracy(evaluation).value;
        value(two).total_cmp(&value(one))
    });
    let places: Vec<(usize, usize)> = (0..ranked.len())
        .flat_map(|one| (one + 1..ranked.len()).map(move |two| (one, two)))
        .collect();
    let pairs: Vec<Pair> = places
        .par_iter()
        .map(|&(one, two)| ranked[one].against(ranked[two], evaluation))
        .collect::<Result<_, _>>()?;
    let p_values: Vec<f64> = pairs.iter().map(Pair::p).collect();
    let mut compared = tables::all_pairs(&ranked, &places, &pairs, &metrics::holm(&p_values));
    compared.remarks.splice(0..0, left_out);
    Ok(compared)
}

/// The largest group of runs that were judged on the same rows, and what is said of the others.
fn judged_alike<'a>(
    contenders: &[&'a Contender],
    evaluation: &str,
) -> Result<(Vec<&'a Contender>, Vec<String>), CompareError> {
    let mut groups: Vec<Vec<&Contender>> = Vec::new();
    for &contender in contenders {
        let alike = groups
            .iter_mut()
            .find(|group| group[0].differs_from(contender, evaluation).is_none());
        match alike {
            Some(group) => group.push(contender),
            None => groups.push(vec![contender]),
        }
    }
    // The first of equals.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let Some((most, others)) = groups.split_first().filter(|(most, _)| most.len() > 1) else {
        return Err(contenders[0].on_other_rows(contenders[1], evaluation));
    };
    let left_out = others.iter().flatten().filter_map(|other| {
        let difference = other.differs_from(most[0], evaluation)?;
        let label = &other.label;
        Some(format!(
            "{label} is left out: it was evaluated on other rows of `{evaluation}` than the rest ({difference})."
        ))
    });
    Ok((most.clone(), left_out.collect()))
}
