//! Tests of `additive`, against numpy's least squares.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    levels: Vec<usize>,
    runs: Vec<Run>,
    noise: (String, usize),
    effects: Vec<Option<Expected>>,
}

#[derive(Deserialize)]
struct Run {
    levels: Vec<usize>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    added: Vec<(f64, Option<f64>)>,
    share: f64,
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

#[test]
fn effects_and_intervals_are_numpys_least_squares() {
    let cases: BTreeMap<String, Case> =
        serde_json::from_str(include_str!("../../../tests/parity/additive/expected.json")).unwrap();
    assert_eq!(cases.len(), 7);
    for (name, case) in cases {
        let runs: Vec<Observed> = case
            .runs
            .into_iter()
            .map(|run| Observed {
                levels: run.levels,
                values: run.values,
            })
            .collect();
        let found = additive(&case.levels, &runs).unwrap();
        let noise = match case.noise.0.as_str() {
            "seeds" => Noise::Seeds(case.noise.1),
            "residual" => Noise::Residual(case.noise.1),
            _ => Noise::None,
        };
        assert_eq!(found.noise, noise, "{name}");
        for (found, expected) in found.effects.iter().zip(&case.effects) {
            assert_eq!(found.is_some(), expected.is_some(), "{name}");
            let Some((found, expected)) = found.as_ref().zip(expected.as_ref()) else {
                continue;
            };
            assert!(near(found.share, expected.share), "{name}");
            assert_eq!(found.added.len(), expected.added.len(), "{name}");
            for (found, expected) in found.added.iter().zip(&expected.added) {
                assert!(near(found.0, expected.0), "{name}: {found:?} {expected:?}");
                match (found.1, expected.1) {
                    (Some(found), Some(expected)) => assert!(near(found, expected), "{name}"),
                    (found, expected) => assert_eq!(found, expected, "{name}"),
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_none() {
    let run = |level: usize, value: f64| Observed {
        levels: vec![level],
        values: vec![value],
    };
    assert_eq!(additive(&[2], &[]), None);
    assert_eq!(additive(&[2], &[run(0, 0.5)]), None);
    assert_eq!(additive(&[2], &[run(0, 0.5), run(1, 0.5)]), None);
    assert_eq!(additive(&[2], &[run(0, 0.5), run(2, 0.6)]), None);
    assert_eq!(additive(&[2], &[run(0, 0.5), run(1, f64::NAN)]), None);
    assert_eq!(additive(&[2, 2], &[run(0, 0.5), run(1, 0.6)]), None);
}

/// 400 sweeps of 3 x 3 cells with three seeds each: the interval of an effect of known size.
#[test]
fn intervals_hold_what_was_added_as_often_as_they_say() {
    let mut state = 7_u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1_u32 << 24)
    };
    let (mut held, mut all) = (0, 0);
    for _ in 0..400 {
        let mut runs = Vec::new();
        for cell in 0..9 {
            let (one, other) = (cell / 3, cell % 3);
            // A sum of twelve is nearly normal, of unit spread.
            let mut noise = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            let figure = 0.8 + 0.03 * float(one) - 0.01 * float(other);
            let values = (0..3).map(|_| figure + 0.02 * noise()).collect();
            runs.push(Observed {
                levels: vec![one, other],
                values,
            });
        }
        let found = additive(&[3, 3], &runs).unwrap();
        let effect = found.effects[0].as_ref().unwrap();
        for (index, &(added, half)) in effect.added.iter().enumerate() {
            all += 1;
            held += i32::from((added - 0.03 * float(index + 1)).abs() <= half.unwrap());
        }
    }
    let share = f64::from(held) / f64::from(all);
    assert!((0.93..0.97).contains(&share), "{share}");
}
