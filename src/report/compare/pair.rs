//! Two runs on the same rows of one evaluation, and what may be concluded.

use super::answers::Answers;
use super::{Contender, LEVEL};
use crate::metrics::{
    self, FEWEST_DISCORDANT, Interval, PairedRows, Pool, Rows, Trainings, common_part,
};
use crate::report::estimate::Estimate;
use crate::report::figures;

/// Seed of the resamples: any will do, as long as it stays.
const RESAMPLING_SEED: u64 = 42;

/// How the first of two runs compares with the second in an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// The evaluation.
    pub evaluation: String,
    /// Its rows.
    pub rows: u64,
    /// Whether one of them has several seeds.
    pub several: bool,
    /// Accuracy of each.
    pub accuracies: [Estimate; 2],
    /// Rows on which the first, and on which the second is right, or right under more of its seeds.
    pub better: (u64, u64),
    /// Accuracy of the first minus that of the second.
    pub difference: f64,
    /// Its bootstrap interval.
    pub interval: Option<Interval>,
    /// p of the test over rows: would other texts show the difference?
    pub rows_p: f64,
    /// p of the test over seeds: would other trainings? None where one of the runs has one seed
    /// only.
    pub seeds_p: Option<f64>,
}

impl Pair {
    /// Compares what two runs of these accuracies answered, a list of answers for each of a run's
    /// seeds; the rows must be the same.
    pub(super) fn new(
        evaluation: &str,
        accuracies: [Estimate; 2],
        first: &[&Answers],
        second: &[&Answers],
    ) -> Self {
        let right = |seeds: &[&Answers]| -> Vec<Vec<bool>> {
            seeds.iter().map(|answers| answers.right.clone()).collect()
        };
        let paired = PairedRows::new(&right(first), &right(second));
        let (ones, twos) = (each_accuracy(first), each_accuracy(second));
        Self {
            evaluation: evaluation.to_owned(),
            rows: paired.rows(),
            several: first.len() > 1 || second.len() > 1,
            accuracies,
            better: paired.discordant(),
            difference: paired.difference(),
            interval: paired.bootstrap_interval(RESAMPLING_SEED),
            rows_p: paired.p_value(),
            seeds_p: metrics::welch_p_value(&ones, &twos),
        }
    }

    /// The p that decides: the larger one, so that a difference counts only if both other texts
    /// and, where that can be told, other trainings would show it.
    pub(super) fn p(&self) -> f64 {
        self.seeds_p
            .map_or(self.rows_p, |seeds_p| self.rows_p.max(seeds_p))
    }

    /// Whether the two can be told apart, going by `p`, and why, as a sentence that begins with the
    /// evaluation.
    pub(super) fn verdict(&self, names: [&str; 2], p: f64) -> String {
        let [first, second] = names;
        let (better, worse) = self.better;
        let discordant = better + worse;
        let evaluation = &self.evaluation;
        if discordant < FEWEST_DISCORDANT {
            let rows = if discordant == 1 { "row" } else { "rows" };
            return format!(
                "{evaluation}: {first} and {second} cannot be told apart: they differ on {discordant} {rows} of {}, and fewer than {FEWEST_DISCORDANT} are never enough.",
                self.rows
            );
        }
        let said = p_in_words(p);
        if p < LEVEL {
            let (winner, loser) = if self.difference > 0.0 {
                (first, second)
            } else {
                (second, first)
            };
            let size = figures::decimal(self.difference.abs());
            format!(
                "{evaluation}: {winner} is better than {loser}, by {size}; chance is an unlikely explanation (p {said})."
            )
        } else {
            let why = match self.seeds_p {
                Some(seeds_p) if self.rows_p < LEVEL && seeds_p >= LEVEL => {
                    ", since their seeds differ among themselves by as much"
                }
                _ => "",
            };
            format!(
                "{evaluation}: {first} and {second} cannot be told apart{why} (p {said}); the difference may be chance."
            )
        }
    }
}

/// Accuracy of each seed.
fn each_accuracy(seeds: &[&Answers]) -> Vec<f64> {
    let shares = seeds.iter().map(|answers| answers.accuracy());
    shares.collect()
}

impl Contender {
    /// Whether each seed got each row right.
    pub(super) fn right(&self, evaluation: &str) -> Vec<&[bool]> {
        let seeds = self.answers(evaluation).into_iter();
        seeds.map(|answers| &*answers.right).collect()
    }

    /// What its seeds measured.
    pub(super) fn trainings(&self, evaluation: &str) -> Trainings {
        let right = self.right(evaluation);
        let rows = right.first().map_or(0, |right| right.len() as u64);
        Trainings {
            values: each_accuracy(&self.answers(evaluation)),
            rows: Some(Rows::of_share(rows, common_part(&right))),
        }
    }

    /// Accuracy in an evaluation that it has, with the interval that the seeds of all runs of its
    /// experiment give it; where those are not known, its own.
    pub(super) fn accuracy(&self, evaluation: &str) -> Estimate {
        let run = self.trainings(evaluation);
        let found = match self.noise.on(evaluation) {
            Some(noise) => noise.accuracy.estimate(&run),
            None => Pool::of([&run]).estimate(&run),
        };
        found.map_or(Estimate::plain(0.0), |found| Estimate::new(found, &run))
    }
}

/// `= 0.0123`, or `< 0.0001`.
fn p_in_words(p: f64) -> String {
    if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        format!("= {p:.4}")
    }
}

/// `0.0123`, or `< 0.0001`.
pub(super) fn p_cell(p: f64) -> String {
    p_in_words(p).trim_start_matches("= ").to_owned()
}

/// A difference with its sign and, where it has one, its interval.
pub(super) fn difference_cell(pair: &Pair) -> String {
    let value = format!("{:+.4}", pair.difference);
    pair.interval.map_or(value.clone(), |interval| {
        format!("{value} [{:+.4}, {:+.4}]", interval.low, interval.high)
    })
}
