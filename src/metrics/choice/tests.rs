//! Tests of `choice`, by simulation where that is the only way to know.

#![allow(clippy::cast_precision_loss, reason = "small made-up counts")]

use super::*;

/// Runs of true accuracies around 0.85 on rows that are easy or hard for all of them, and how far
/// the best one's figure and the corrected one lie above the truth, on average, with the spread of
/// both.
struct World {
    runs: usize,
    rows: usize,
    /// Standard deviation of the true accuracies.
    apart: f64,
    /// Trainings of each run, and what each adds.
    seeds: usize,
    training: f64,
}

impl World {
    /// The biases of the figure as it was seen and of the corrected one.
    fn biases(&self, worlds: usize) -> (f64, f64) {
        let mut random = Random(11);
        let (mut naive, mut corrected) = (0.0, 0.0);
        for world in 0..worlds {
            let truths: Vec<f64> = (0..self.runs)
                .map(|_| (0.85 + self.apart * random.normal()).clamp(0.6, 0.95))
                .collect();
            let hard: Vec<f64> = (0..self.rows).map(|_| random.uniform()).collect();
            let contenders: Vec<Contender> = truths
                .iter()
                .map(|&truth| self.contender(truth, &hard, &mut random))
                .collect();
            let seen = |one: &Contender| {
                let right: u64 = one.right.iter().map(|&right| u64::from(right)).sum();
                right as f64 / self.rows as f64 / f64::from(one.trainings)
            };
            let best = (0..self.runs)
                .max_by(|&one, &two| seen(&contenders[one]).total_cmp(&seen(&contenders[two])))
                .unwrap();
            naive += seen(&contenders[best]) - truths[best];
            corrected += on_fresh_rows(&contenders, 60, world as u64).unwrap() - truths[best];
        }
        (naive / worlds as f64, corrected / worlds as f64)
    }

    /// Half of what decides a row is the row's, half is chance.
    fn contender(&self, truth: f64, hard: &[f64], random: &mut Random) -> Contender {
        let trainings: Vec<Vec<bool>> = (0..self.seeds)
            .map(|_| {
                let own = truth + self.training * random.normal();
                hard.iter()
                    .map(|&hard| {
                        let row = if random.uniform() < 0.5 {
                            hard
                        } else {
                            random.uniform()
                        };
                        row < own
                    })
                    .collect()
            })
            .collect();
        Contender::new(&trainings, self.training.powi(2) / self.seeds as f64)
    }
}

/// Fewer where the program is not optimised.
fn worlds(many: usize) -> usize {
    if cfg!(debug_assertions) {
        many / 6
    } else {
        many
    }
}

#[test]
fn the_best_of_many_is_judged_without_the_luck_of_the_choice() {
    for (runs, rows, apart) in [
        (20, 300, 0.0),
        (20, 300, 0.01),
        (60, 200, 0.01),
        (8, 600, 0.02),
    ] {
        let world = World {
            runs,
            rows,
            apart,
            seeds: 1,
            training: 0.0,
        };
        let (naive, corrected) = world.biases(worlds(240));
        assert!(
            naive > 0.006 && corrected.abs() < 0.2 * naive + 0.0012,
            "{runs} runs {apart} apart on {rows} rows: {naive:.4} as seen, {corrected:.4} corrected"
        );
    }
}

#[test]
fn the_luck_of_the_training_is_taken_out_where_it_is_known() {
    let world = World {
        runs: 20,
        rows: 300,
        apart: 0.005,
        seeds: 2,
        training: 0.02,
    };
    let (naive, corrected) = world.biases(worlds(240));
    assert!(
        naive > 0.025 && corrected.abs() < 0.1 * naive,
        "{naive:.4} as seen, {corrected:.4} corrected"
    );
}

#[test]
fn one_that_is_best_on_every_resample_keeps_its_figure() {
    let contender = |wrong: usize| {
        let right: Vec<bool> = (0..400).map(|row| row % 40 >= wrong).collect();
        Contender::new(&[right], 0.0)
    };
    let fresh = on_fresh_rows(&[contender(30), contender(2)], 50, 1).unwrap();
    assert!((fresh - 0.95).abs() < 1e-12, "{fresh}");
}

#[test]
fn the_same_seed_gives_the_same_figure_and_nothing_is_no_panic() {
    let alike = |shift: u32| {
        let right: Vec<bool> = (0..100)
            .map(|row| !(row + shift).is_multiple_of(7))
            .collect();
        Contender::new(&[right], 1e-4)
    };
    let contenders = [alike(0), alike(1), alike(2)];
    let fresh = on_fresh_rows(&contenders, 50, 9).unwrap();
    assert_eq!(on_fresh_rows(&contenders, 50, 9), Some(fresh));
    assert!(fresh < 0.86, "{fresh}");
    assert_eq!(on_fresh_rows(&[], 50, 1), None);
    let none: [[bool; 0]; 1] = [[]];
    assert_eq!(on_fresh_rows(&[Contender::new(&none, 0.0)], 50, 1), None);
}

#[test]
fn rows_are_counted_as_often_as_they_were_drawn() {
    let right: Vec<u16> = (0..10_000).map(|row| row % 4).collect();
    let times: Vec<u32> = (0..10_000).map(|row| row % 3).collect();
    let expected: u64 = right
        .iter()
        .zip(&times)
        .map(|(&right, &times)| u64::from(right) * u64::from(times))
        .sum();
    assert_eq!(weighted(&right, &times), expected);
}
