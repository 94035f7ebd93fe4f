//! Tests of `split`.

use proptest::prelude::*;
use serde::Deserialize;

use super::{Unsplittable, permutation, stratified_split, train_test_split};

#[derive(Deserialize)]
struct Permuted {
    seed: u64,
    n: usize,
    first: Vec<usize>,
    last: Vec<usize>,
    /// Sum over all places of (place + 1) * row, modulo 2^64.
    checksum: u64,
}

#[derive(Deserialize)]
struct Parted {
    seed: u64,
    n: usize,
    test_size: f64,
    test_count: usize,
    train_count: usize,
    test_first: Vec<usize>,
    train_first: Vec<usize>,
}

#[derive(Deserialize)]
struct Fixture {
    permutations: Vec<Permuted>,
    splits: Vec<Parted>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../tests/parity/split/expected.json")).unwrap()
}

#[test]
fn permutation_is_numpys() {
    for case in fixture().permutations {
        let order = permutation(case.n, case.seed);
        let name = format!("n {}, seed {}", case.n, case.seed);
        assert_eq!(order[..case.first.len()], case.first, "{name}");
        assert_eq!(order[case.n - case.last.len()..], case.last, "{name}");
        let checksum = (1u64..).zip(&order).fold(0u64, |sum, (place, &row)| {
            sum.wrapping_add(place.wrapping_mul(row as u64))
        });
        assert_eq!(checksum, case.checksum, "{name}");
    }
}

#[test]
fn split_is_that_of_datasets() {
    for case in fixture().splits {
        let split = train_test_split(case.n, case.test_size, case.seed);
        let name = format!("{} of {}, seed {}", case.test_size, case.n, case.seed);
        assert_eq!(split.test.len(), case.test_count, "{name}");
        assert_eq!(split.train.len(), case.train_count, "{name}");
        assert_eq!(
            split.test[..case.test_first.len()],
            case.test_first,
            "{name}"
        );
        assert_eq!(
            split.train[..case.train_first.len()],
            case.train_first,
            "{name}"
        );
    }
}

#[derive(Deserialize)]
struct Stratified {
    name: String,
    /// Runs of (class, rows), of which the classes of all rows are made.
    runs: Vec<(usize, usize)>,
    test_size: f64,
    seed: u32,
    test: Vec<usize>,
    train_first: Vec<usize>,
    /// Sum over all places of (place + 1) * row, modulo 2^64.
    train_checksum: u64,
}

#[test]
fn stratified_split_is_that_of_scikit_learn() {
    #[derive(Deserialize)]
    struct Fixture {
        cases: Vec<Stratified>,
    }
    let text = include_str!("../../../tests/parity/split/stratified.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    assert!(fixture.cases.len() > 30);
    for case in fixture.cases {
        let classes: Vec<usize> = case
            .runs
            .iter()
            .flat_map(|&(class, rows)| std::iter::repeat_n(class, rows))
            .collect();
        let split = stratified_split(&classes, case.test_size, case.seed).unwrap();
        assert_eq!(split.test, case.test, "{}", case.name);
        let first = &split.train[..case.train_first.len()];
        assert_eq!(first, case.train_first, "{}", case.name);
        let checksum = (1u64..).zip(&split.train).fold(0u64, |sum, (place, &row)| {
            sum.wrapping_add(place.wrapping_mul(row as u64))
        });
        assert_eq!(checksum, case.train_checksum, "{}", case.name);
    }
}

#[test]
fn what_cannot_be_split_by_classes_is_said() {
    let split = |classes: &[usize], size| stratified_split(classes, size, 1);
    assert_eq!(split(&[0, 0, 1], 0.5), Err(Unsplittable::OneRow(1)));
    let few = |test, rows| {
        Err(Unsplittable::TooFew {
            test,
            rows,
            classes: 2,
        })
    };
    assert_eq!(split(&[0, 0, 1, 1], 0.25), few(true, 1));
    assert_eq!(split(&[0, 0, 2, 2], 0.75), few(false, 1));
    assert_eq!(split(&[], 0.5).unwrap().test, [0; 0]);
}

#[test]
fn study_permutation_of_20000_starts_as_published() {
    let order = permutation(20_000, 42);
    assert_eq!(
        order[..10],
        [
            12534, 16210, 11174, 11799, 17466, 13351, 13263, 18423, 3205, 4033
        ]
    );
    assert_eq!(order[19_997..], [4802, 5668, 9864]);
}

#[test]
fn test_sizes_out_of_range_leave_one_part_empty() {
    assert!(train_test_split(5, 2.0, 0).train.is_empty());
    assert!(train_test_split(5, -1.0, 0).test.is_empty());
    assert!(train_test_split(5, f64::NAN, 0).test.is_empty());
    assert!(train_test_split(0, 0.5, 0).test.is_empty());
}

proptest! {
    #[test]
    fn every_row_of_every_class_stands_in_exactly_one_part(
        counts in prop::collection::vec(2usize..20, 1..12), size in 0.0f64..1.0, seed: u32,
    ) {
        let each = counts.iter().enumerate();
        let classes: Vec<usize> = each.flat_map(|(class, &count)| std::iter::repeat_n(class, count)).collect();
        if let Ok(split) = stratified_split(&classes, size, seed) {
            let mut rows = [split.train, split.test].concat();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..classes.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_row_stands_in_exactly_one_part(n in 0usize..500, size in 0.0f64..1.0, seed: u64) {
        let split = train_test_split(n, size, seed);
        let mut rows = [split.train, split.test].concat();
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
    }
}
