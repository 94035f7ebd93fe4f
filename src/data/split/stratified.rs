//! The split that keeps the shares of the classes: scikit-learn's `StratifiedShuffleSplit`, as
//! `train_test_split(stratify=…, random_state=…)` uses it.

use super::Split;
use super::mersenne::RandomState;

/// Why rows cannot be split by their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum Unsplittable {
    /// This class has one row, which cannot stand in both parts.
    OneRow(usize),
    /// So many rows in the one part, fewer than there are classes.
    TooFew {
        test: bool,
        rows: usize,
        classes: usize,
    },
}

/// `train_test_split(rows, test_size=test_size, random_state=seed, stratify=classes)`: the test part
/// has `ceil(test_size * n)` rows, and each class as many of them as its share comes to.
pub(in crate::data) fn stratified_split(
    classes: &[usize],
    test_size: f64,
    seed: u32,
) -> Result<Split, Unsplittable> {
    let n = classes.len();
    let test_count = super::test_count(n, test_size);
    let train_count = n - test_count;
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (row, &class) in classes.iter().enumerate() {
        if members.len() <= class {
            members.resize(class + 1, Vec::new());
        }
        members[class].push(row);
    }
    if let Some(class) = members.iter().position(|rows| rows.len() == 1) {
        return Err(Unsplittable::OneRow(class));
    }
    members.retain(|rows| !rows.is_empty());
    for (test, rows) in [(false, train_count), (true, test_count)] {
        if rows < members.len() {
            let classes = members.len();
            return Err(Unsplittable::TooFew {
                test,
                rows,
                classes,
            });
        }
    }
    let mut random = RandomState::new(seed);
    let counts: Vec<usize> = members.iter().map(Vec::len).collect();
    let of_train = shares(&counts, train_count, &mut random);
    let left = counts.iter().zip(&of_train);
    let left: Vec<usize> = left
        .map(|(all, taken)| all.saturating_sub(*taken))
        .collect();
    let of_test = shares(&left, test_count, &mut random);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (rows, (&first, &second)) in members.iter().zip(of_train.iter().zip(&of_test)) {
        let order = random.permutation(rows.len());
        let drawn: Vec<usize> = order.into_iter().map(|place| rows[place]).collect();
        let end = (first + second).min(drawn.len());
        train.extend(&drawn[..first.min(end)]);
        test.extend(&drawn[first.min(end)..end]);
    }
    random.shuffle(&mut train);
    random.shuffle(&mut test);
    Ok(Split { train, test })
}

/// How many of `draws` rows each class gets: its share rounded down, and those that remain to the
/// classes with the largest remainders, by lot among equal ones. In `f64`, step by step, since the
/// remainders that rounding leaves decide.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "row counts lie far below 2^53; equal remainders are those with the same bits"
)]
fn shares(counts: &[usize], draws: usize, random: &mut RandomState) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let exact: Vec<f64> = counts
        .iter()
        .map(|&count| count as f64 / all as f64 * draws as f64)
        .collect();
    let mut shares: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut missing = draws.saturating_sub(shares.iter().sum());
    let remainders: Vec<f64> = exact.iter().map(|share| share - share.floor()).collect();
    let mut values = remainders.clone();
    values.sort_by(|one, other| other.total_cmp(one));
    values.dedup();
    for value in values {
        if missing == 0 {
            break;
        }
        let equal: Vec<usize> = (0..counts.len())
            .filter(|&class| remainders[class] == value)
            .collect();
        let order = random.permutation(equal.len());
        for place in order.into_iter().take(missing.min(equal.len())) {
            shares[equal[place]] += 1;
        }
        missing -= missing.min(equal.len());
    }
    shares
}
