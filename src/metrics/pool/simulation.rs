//! How often the intervals hold: sweeps are drawn whose true figures are known, row by row, and
//! the intervals are counted that contain them.

#![allow(clippy::cast_precision_loss, reason = "small made-up counts")]

use super::*;
use crate::metrics::random::Random;
use crate::metrics::{ClassRows, common_part, macro_f1_row_variance};

/// How hard rows differ from each other, in logits: trainings agree on many of them.
const DIFFICULTY: f64 = 2.0;

/// A sweep whose runs have these true accuracies, seeds and rows.
#[derive(Clone, Copy)]
struct Sweep {
    runs: usize,
    seeds: usize,
    rows: usize,
    /// Standard deviation of the accuracy between trainings, on any number of rows.
    training: f64,
    /// True accuracies, from the first run to the last.
    accuracies: (f64, f64),
}

/// A run's logit before the rows and the training have their say, and how far trainings move it.
#[derive(Clone, Copy)]
struct Truth {
    accuracy: f64,
    logit: f64,
    training: f64,
}

/// The mean of a function of a standard normal variable.
fn expected(of: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for place in -30..=30 {
        let z = f64::from(place) * 0.2;
        let weight = (-z * z / 2.0).exp();
        sum += weight * of(z);
        all += weight;
    }
    sum / all
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Where an increasing function is 0.
fn root(of: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if of(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The accuracy on any number of rows of a training that is off by `z` deviations.
fn of_training(logit: f64, training: f64, z: f64) -> f64 {
    expected(|row| logistic(logit + training * z + DIFFICULTY * row))
}

impl Truth {
    fn new(accuracy: f64, deviation: f64) -> Self {
        let logit = |training: f64| {
            // Row and training together are one normal variable.
            let all = DIFFICULTY.hypot(training);
            root(
                |logit| expected(|z| logistic(logit + all * z)) - accuracy,
                -20.0,
                20.0,
            )
        };
        let spread = |training: f64| {
            let logit = logit(training);
            expected(|z| (of_training(logit, training, z) - accuracy).powi(2)).sqrt()
        };
        let training = if deviation > 0.0 {
            root(|training| spread(training) - deviation, 0.0, 8.0)
        } else {
            0.0
        };
        Self {
            accuracy,
            logit: logit(training),
            training,
        }
    }
}

impl Sweep {
    fn truths(&self) -> Vec<Truth> {
        let (first, last) = self.accuracies;
        let same = (first - last).abs() < 1e-12;
        let each = |run: usize| first + (last - first) * run as f64 / (self.runs - 1).max(1) as f64;
        let one = Truth::new(first, self.training);
        (0..self.runs)
            .map(|run| {
                if same {
                    one
                } else {
                    Truth::new(each(run), self.training)
                }
            })
            .collect()
    }

    /// The share of intervals that hold the true figure of their run.
    fn coverage(&self, sweeps: usize) -> f64 {
        let truths = self.truths();
        let mut random = Random(self.rows as u64 * 31 + self.runs as u64 * 7 + self.seeds as u64);
        let (mut held, mut all) = (0_u32, 0_u32);
        for _ in 0..sweeps {
            let (runs, of_trainings) = self.draw(&truths, &mut random);
            let pool = Pool::of(&runs);
            for ((run, truth), trained) in runs.iter().zip(&truths).zip(of_trainings) {
                // One seed everywhere speaks of the training that there is.
                let truth = if self.seeds == 1 {
                    trained
                } else {
                    truth.accuracy
                };
                let interval = pool.estimate(run).unwrap().interval.unwrap();
                held += u32::from(interval.low <= truth && truth <= interval.high);
                all += 1;
            }
        }
        f64::from(held) / f64::from(all)
    }

    /// What the runs measured, and what the last training of each would on any number of rows.
    fn draw(&self, truths: &[Truth], random: &mut Random) -> (Vec<Trainings>, Vec<f64>) {
        let hard: Vec<f64> = (0..self.rows)
            .map(|_| DIFFICULTY * random.normal())
            .collect();
        let mut of_trainings = Vec::new();
        let runs = truths.iter().map(|truth| {
            let mut last = 0.0;
            let right: Vec<Vec<bool>> = (0..self.seeds)
                .map(|_| {
                    last = random.normal();
                    let logit = truth.logit + truth.training * last;
                    hard.iter()
                        .map(|row| random.uniform() < logistic(logit + row))
                        .collect()
                })
                .collect();
            if self.seeds == 1 {
                of_trainings.push(of_training(truth.logit, truth.training, last));
            } else {
                of_trainings.push(truth.accuracy);
            }
            let share = |right: &Vec<bool>| {
                right.iter().filter(|right| **right).count() as f64 / self.rows as f64
            };
            Trainings {
                values: right.iter().map(share).collect(),
                rows: Some(Rows::of_share(self.rows as u64, common_part(&right))),
            }
        });
        (runs.collect(), of_trainings)
    }
}

/// Sweeps to draw; fewer where the program is not optimised, and then the count is less exact.
fn sweeps(sweep: &Sweep) -> (usize, f64) {
    let answers = (sweep.runs + 4) * sweep.seeds * sweep.rows;
    if cfg!(debug_assertions) {
        ((2_500_000 / answers).clamp(40, 300), 0.045)
    } else {
        ((30_000_000 / answers).clamp(500, 3000), 0.015)
    }
}

fn hold(cases: &[Sweep]) {
    let mut off = Vec::new();
    for sweep in cases {
        let (count, room) = sweeps(sweep);
        let coverage = sweep.coverage(count);
        let Sweep {
            runs,
            seeds,
            rows,
            training,
            accuracies,
        } = sweep;
        let said = format!(
            "{seeds} seeds of {runs} runs on {rows} rows, {training} between trainings, {accuracies:?}: {coverage:.4} of {count} sweeps"
        );
        if (coverage - 0.95).abs() > room {
            off.push(said);
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

const fn sweep(seeds: usize, runs: usize, rows: usize, training: f64, accuracy: f64) -> Sweep {
    Sweep {
        runs,
        seeds,
        rows,
        training,
        accuracies: (accuracy, accuracy),
    }
}

#[test]
fn two_seeds_hold_what_they_say() {
    hold(&[
        sweep(2, 5, 200, 0.0, 0.55),
        sweep(2, 5, 1000, 0.005, 0.85),
        sweep(2, 5, 4000, 0.02, 0.85),
        sweep(2, 20, 400, 0.03, 0.85),
        sweep(2, 20, 2000, 0.01, 0.97),
        sweep(2, 60, 400, 0.0, 0.97),
    ]);
}

#[test]
fn three_seeds_hold_what_they_say() {
    hold(&[
        sweep(3, 5, 200, 0.03, 0.7),
        sweep(3, 5, 1000, 0.0, 0.85),
        sweep(3, 5, 4000, 0.005, 0.97),
        sweep(3, 20, 400, 0.01, 0.55),
        sweep(3, 60, 400, 0.02, 0.85),
    ]);
}

#[test]
fn five_seeds_hold_what_they_say() {
    hold(&[
        sweep(5, 5, 200, 0.01, 0.97),
        sweep(5, 5, 2000, 0.03, 0.85),
        sweep(5, 5, 4000, 0.0, 0.7),
        sweep(5, 20, 400, 0.005, 0.55),
        sweep(5, 60, 200, 0.01, 0.85),
    ]);
}

#[test]
fn runs_far_from_each_other_hold_on_average_what_they_say() {
    let far = |seeds, rows, training| Sweep {
        runs: 6,
        seeds,
        rows,
        training,
        accuracies: (0.55, 0.97),
    };
    hold(&[far(2, 400, 0.0), far(3, 1000, 0.01), far(5, 400, 0.02)]);
}

#[test]
fn one_seed_everywhere_holds_for_its_training_on_other_texts() {
    hold(&[
        sweep(1, 5, 200, 0.03, 0.85),
        sweep(1, 20, 1000, 0.02, 0.55),
        sweep(1, 5, 4000, 0.01, 0.97),
    ]);
}

#[test]
fn one_seed_beside_several_holds_for_other_trainings() {
    let of = sweep(3, 8, 600, 0.02, 0.85);
    let truths = of.truths();
    let mut random = Random(5);
    let count = sweeps(&of).0 * 4;
    let mut held = 0_u32;
    for _ in 0..count {
        let (mut runs, _) = of.draw(&truths, &mut random);
        runs[0].values.truncate(1);
        runs[0].rows = Some(Rows::of_share(600, None));
        let interval = Pool::of(&runs)
            .estimate(&runs[0])
            .unwrap()
            .interval
            .unwrap();
        held += u32::from(interval.low <= 0.85 && 0.85 <= interval.high);
    }
    let coverage = f64::from(held) / count as f64;
    let room = if cfg!(debug_assertions) { 0.045 } else { 0.015 };
    assert!((coverage - 0.95).abs() < room, "{coverage}");
}

/// Two runs with one seed pair between them know so little that the interval is rather too wide,
/// and never too narrow.
#[test]
fn very_few_trainings_err_on_the_wide_side() {
    let cases = [
        sweep(2, 1, 200, 0.0, 0.55),
        sweep(2, 1, 2000, 0.01, 0.85),
        sweep(2, 2, 1000, 0.03, 0.85),
        sweep(3, 1, 400, 0.01, 0.9),
    ];
    for sweep in cases {
        let (count, room) = sweeps(&sweep);
        let coverage = sweep.coverage(count);
        assert!(coverage > 0.95 - room, "{coverage}");
    }
}

/// Macro F1 of two classes, one of which is rarer and harder: the rows' part by the delta method.
#[test]
fn macro_f1_holds_what_it_says() {
    const SHARE: f64 = 0.7;
    let truths = [Truth::new(0.88, 0.012), Truth::new(0.75, 0.02)];
    let f1 = |recalls: [f64; 2]| {
        let support = [SHARE, 1.0 - SHARE];
        let right = [0, 1].map(|class| support[class] * recalls[class]);
        let given = |class: usize| right[class] + support[1 - class] - right[1 - class];
        let of = |class: usize| 2.0 * right[class] / (support[class] + given(class));
        f64::midpoint(of(0), of(1))
    };
    let truth = expected(|z| f1(truths.map(|truth| of_training(truth.logit, truth.training, z))));
    let mut random = Random(8);
    let (mut held, mut all) = (0_u32, 0_u32);
    let count = if cfg!(debug_assertions) { 100 } else { 2000 };
    for (seeds, rows) in [(2, 400), (3, 1000)] {
        for _ in 0..count {
            let row = |random: &mut Random| {
                let class = usize::from(random.uniform() > SHARE);
                (class, DIFFICULTY * random.normal())
            };
            let hard: Vec<(usize, f64)> = (0..rows).map(|_| row(&mut random)).collect();
            let runs: Vec<Trainings> = (0..5)
                .map(|_| macro_f1_run(&truths, &hard, seeds, &mut random))
                .collect();
            let pool = Pool::of(&runs);
            for run in &runs {
                let interval = pool.estimate(run).unwrap().interval.unwrap();
                held += u32::from(interval.low <= truth && truth <= interval.high);
                all += 1;
            }
        }
    }
    let coverage = f64::from(held) / f64::from(all);
    let room = if cfg!(debug_assertions) { 0.045 } else { 0.015 };
    assert!((coverage - 0.95).abs() < room, "{coverage}");
}

fn macro_f1_run(
    truths: &[Truth; 2],
    hard: &[(usize, f64)],
    seeds: usize,
    random: &mut Random,
) -> Trainings {
    let mut values = Vec::new();
    let mut scale = 0.0;
    let mut answers = Vec::new();
    for _ in 0..seeds {
        let z = random.normal();
        let logits = truths.map(|truth| truth.logit + truth.training * z);
        let right: Vec<bool> = hard
            .iter()
            .map(|&(class, row)| random.uniform() < logistic(logits[class] + row))
            .collect();
        let mut classes = [ClassRows {
            support: 0.0,
            predicted: 0.0,
            right: 0.0,
        }; 2];
        for (&(class, _), &is_right) in hard.iter().zip(&right) {
            classes[class].support += 1.0;
            if is_right {
                classes[class].right += 1.0;
                classes[class].predicted += 1.0;
            } else {
                classes[1 - class].predicted += 1.0;
            }
        }
        let of = |class: &ClassRows| 2.0 * class.right / (class.support + class.predicted);
        let value = f64::midpoint(of(&classes[0]), of(&classes[1]));
        let variance = macro_f1_row_variance(&classes).unwrap();
        scale += variance / (value * (1.0 - value)) / seeds as f64;
        values.push(value);
        answers.push(right);
    }
    Trainings {
        values,
        rows: Some(Rows {
            count: hard.len() as u64,
            scale,
            common: common_part(&answers),
        }),
    }
}
