//! Tests of `pool`: what it says of single cases. How often its intervals hold is in `simulation`.

use super::*;
use crate::metrics::{mean_interval, wilson_interval};

fn shares(values: &[f64], count: u64, common: Option<f64>) -> Trainings {
    Trainings {
        values: values.to_vec(),
        rows: Some(Rows::of_share(count, common)),
    }
}

fn without_rows(values: &[f64]) -> Trainings {
    Trainings {
        values: values.to_vec(),
        rows: None,
    }
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-9
}

#[test]
fn single_seeds_everywhere_have_wilsons_interval_of_other_texts() {
    let runs = [shares(&[0.75], 200, None), shares(&[0.8], 200, None)];
    let found = Pool::of(&runs).estimate(&runs[0]).unwrap();
    let (interval, wilson) = (found.interval.unwrap(), wilson_interval(150, 200));
    assert!(near(interval.low, wilson.low) && near(interval.high, wilson.high));
    assert_eq!(found.covers, Covers::Texts);
}

#[test]
fn without_rows_one_run_has_the_t_interval_of_its_seeds() {
    let run = without_rows(&[0.4, 0.5, 0.45]);
    let found = Pool::of([&run]).estimate(&run).unwrap();
    let (interval, student) = (found.interval.unwrap(), mean_interval(&run.values).unwrap());
    assert!(near(interval.low, student.low) && near(interval.high, student.high));
    assert_eq!(found.covers, Covers::Trainings);
    let alone = without_rows(&[0.4]);
    let pooled = Pool::of([&run, &alone]).estimate(&alone).unwrap();
    assert!(pooled.interval.unwrap().low < 0.4, "{pooled:?}");
    let found = Pool::of([&alone]).estimate(&alone).unwrap();
    assert_eq!((found.interval, found.covers), (None, Covers::Nothing));
}

#[test]
fn two_equal_seeds_still_have_the_width_of_their_rows() {
    let run = shares(&[0.8, 0.8], 400, Some(0.5));
    let interval = Pool::of([&run]).estimate(&run).unwrap().interval.unwrap();
    assert!(interval.low < 0.78 && interval.high > 0.82, "{interval:?}");
}

#[test]
fn two_different_seeds_of_one_among_many_runs_have_a_usable_interval() {
    let mut runs: Vec<Trainings> = (0..9)
        .map(|run| {
            let value = 0.8 + 0.005 * f64::from(run);
            shares(&[value, value + 0.02], 400, Some(0.6))
        })
        .collect();
    runs.push(shares(&[0.80, 0.83], 400, Some(0.6)));
    let pool = Pool::of(&runs);
    let seeds = pool.seeds().unwrap();
    assert_eq!((seeds.freedom, seeds.runs, seeds.apart), (10, 10, 0));
    let interval = pool.estimate(&runs[9]).unwrap().interval.unwrap();
    assert!(interval.low > 0.75 && interval.high < 0.87, "{interval:?}");
}

#[test]
fn a_single_seed_beside_several_knows_that_training_varies() {
    let runs = [
        shares(&[0.80, 0.84], 2000, Some(0.6)),
        shares(&[0.82, 0.79], 2000, Some(0.6)),
        shares(&[0.81], 2000, None),
    ];
    let pool = Pool::of(&runs);
    let single = pool.estimate(&runs[2]).unwrap();
    let double = pool.estimate(&runs[0]).unwrap();
    assert_eq!(single.covers, Covers::Both);
    let width = |found: Estimated| {
        let interval = found.interval.unwrap();
        interval.high - interval.low
    };
    assert!(width(single) > 1.3 * width(double));
    let alone = Pool::of([&runs[2]]).estimate(&runs[2]).unwrap();
    assert!(width(single) > 2.0 * width(alone));
}

#[test]
fn a_run_whose_seeds_disagree_far_more_than_others_stands_apart() {
    let mut runs: Vec<Trainings> = (0..8)
        .map(|run| {
            shares(
                &[0.80, 0.81, 0.80 + 0.001 * f64::from(run)],
                1000,
                Some(0.6),
            )
        })
        .collect();
    let steady = Pool::of(&runs);
    runs.push(shares(&[0.5, 0.8, 0.81], 1000, Some(0.6)));
    let pool = Pool::of(&runs);
    let seeds = pool.seeds().unwrap();
    assert_eq!((seeds.runs, seeds.apart), (8, 1));
    assert!(near(seeds.variance, steady.seeds().unwrap().variance));
    assert!(pool.stands_apart(&runs[8]) && !pool.stands_apart(&runs[0]));
    let interval = pool.estimate(&runs[8]).unwrap().interval.unwrap();
    assert!(interval.low < 0.4, "{interval:?}");
}

#[test]
fn runs_that_all_vary_are_all_pooled() {
    let runs: Vec<Trainings> = (1..=12)
        .map(|run| shares(&[0.8, 0.8 + 0.003 * f64::from(run)], 1000, None))
        .collect();
    let seeds = Pool::of(&runs).seeds().unwrap();
    assert_eq!((seeds.freedom, seeds.apart), (12, 0));
}

#[test]
fn intervals_hold_their_value_and_stay_within_what_a_share_can_be() {
    let pools = [
        Pool::of(&[shares(&[0.9, 1.0], 10, None)]),
        Pool::of(&[shares(&[0.5, 0.5], 1, Some(1.0))]),
        Pool::of(&[]),
    ];
    for pool in &pools {
        for value in [0.0, 1e-9, 0.3, 0.97, 1.0] {
            for count in [1, 4, 4000] {
                for seeds in [1, 2, 5] {
                    let run = shares(&vec![value; seeds], count, None);
                    let found = pool.estimate(&run).unwrap();
                    let Some(Interval { low, high }) = found.interval else {
                        continue;
                    };
                    assert!(
                        0.0 <= low && low <= value && value <= high && high <= 1.0,
                        "{value} on {count} rows: {low} to {high}"
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_and_not_a_number_are_no_panic() {
    assert_eq!(Pool::of(&[]).estimate(&Trainings::default()), None);
    let odd = shares(&[f64::NAN, 0.8], 100, Some(0.5));
    let good = shares(&[0.81, 0.8], 100, Some(0.5));
    let pool = Pool::of([&odd, &good]);
    assert_eq!(pool.seeds().unwrap().freedom, 1);
    let found = pool.estimate(&odd).unwrap();
    assert!(found.value.is_nan() && found.interval.is_none());
}

#[test]
fn what_the_rows_explain_of_the_variance_goes_with_each_runs_own() {
    // All of it: a run near 1 has less.
    let seeds = Seeds {
        variance: 2e-4,
        freedom: 10,
        runs: 10,
        apart: 0,
        from_rows: 4e-4,
    };
    assert!(near(seeds.at(1e-4), 0.5e-4));
    // The rest is of training, and the same for all.
    let seeds = Seeds {
        variance: 6e-4,
        ..seeds
    };
    assert!(near(seeds.at(1e-4), 3e-4));
    let none = Seeds {
        from_rows: 0.0,
        ..seeds
    };
    assert!(near(none.at(0.0), 6e-4));
}
