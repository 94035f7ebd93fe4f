//! Two classifiers on the same rows: how far apart they are, and whether that may be chance. Rows
//! are compared one by one, which tells small differences apart that two separate intervals cannot.

use std::collections::BTreeMap;

use super::random::Random;
use super::statistics::{Interval, percentile};

/// Resamples of [`PairedRows::bootstrap_interval`].
pub const RESAMPLES: usize = 10_000;

/// Rows on which two classifiers must differ before any test could tell them apart at the 5 %
/// level: with five, all in favour of one, McNemar's exact p is still 0.0625.
pub const FEWEST_DISCORDANT: u64 = 6;

/// How two classifiers differ row by row. A classifier may be several trainings of the same
/// settings; its share of right answers over them is then what counts of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairedRows {
    /// Rows by difference (first minus second), in units of 1 / `unit`.
    counts: BTreeMap<i64, u64>,
    /// What makes the shares of both whole: 1 for one training each.
    unit: i64,
}

impl PairedRows {
    /// Compares two classifiers, each given as one list per training of whether the answer to each
    /// row was right.
    ///
    /// # Panics
    ///
    /// If one has no training, or the lists differ in length.
    #[must_use]
    pub fn new<R: AsRef<[bool]>>(first: &[R], second: &[R]) -> Self {
        let (ones, twos) = (trainings(first), trainings(second));
        let rows = first[0].as_ref().len();
        assert!(
            first
                .iter()
                .chain(second)
                .all(|right| right.as_ref().len() == rows),
            "both are judged on the same rows"
        );
        let unit = ones / greatest_common_divisor(ones, twos) * twos;
        let (weight, other_weight) = (unit / ones, unit / twos);
        let mut counts = BTreeMap::new();
        for row in 0..rows {
            let difference =
                weight * times_right(first, row) - other_weight * times_right(second, row);
            *counts.entry(difference).or_insert(0) += 1;
        }
        Self { counts, unit }
    }

    /// Rows in all.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Rows on which the first is better, and rows on which the second is.
    #[must_use]
    pub fn discordant(&self) -> (u64, u64) {
        (
            self.counts.range(1..).map(|(_, count)| count).sum(),
            self.counts.range(..0).map(|(_, count)| count).sum(),
        )
    }

    /// Accuracy of the first minus that of the second; 0 for no rows.
    #[must_use]
    pub fn difference(&self) -> f64 {
        match self.rows() {
            0 => 0.0,
            rows => self.mean(self.total(), rows),
        }
    }

    /// The two-sided probability of a difference at least as large if each row were as likely to
    /// favour one as the other.
    ///
    /// With one training each this is McNemar's exact test (1947): a binomial test of the
    /// discordant rows, at any number of them, so that no approximation has to be chosen. With
    /// several, rows favour one by more or less, and the same question is answered by the exact
    /// sign-flip test (Fisher 1935), of which McNemar's is the special case.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        let (better, worse) = self.discordant();
        if self
            .counts
            .keys()
            .all(|size| [0, self.unit].contains(&size.abs()))
        {
            return mcnemar(better, worse);
        }
        let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
        for (&size, &count) in &self.counts {
            if let Ok(size) = usize::try_from(size.unsigned_abs())
                && size > 0
            {
                *sizes.entry(size).or_insert(0) += count;
            }
        }
        sign_flip(&sizes, self.total().unsigned_abs())
    }

    /// The 95 % percentile interval of the difference under [`RESAMPLES`] draws of as many rows
    /// with replacement; none for fewer than [`FEWEST_DISCORDANT`] discordant rows, of which a
    /// bootstrap knows too little. The same seed gives the same interval.
    ///
    /// Only how many rows of each difference are drawn matters, and those counts are multinomial:
    /// drawing them directly is the same and takes far less time than drawing rows.
    #[must_use]
    pub fn bootstrap_interval(&self, seed: u64) -> Option<Interval> {
        let (better, worse) = self.discordant();
        if better + worse < FEWEST_DISCORDANT {
            return None;
        }
        let rows = self.rows();
        let mut random = Random(seed);
        let mut groups: Vec<(i64, u64)> = self
            .counts
            .iter()
            .map(|(&size, &count)| (size, count))
            .collect();
        // Draws cost as much as they find rows: rows without a difference come last, as what is
        // left over.
        groups.sort_by_key(|&(size, _)| (size == 0, size));
        let mut means: Vec<f64> = (0..RESAMPLES)
            .map(|_| self.mean(resampled_total(&groups, rows, &mut random), rows))
            .collect();
        means.sort_by(f64::total_cmp);
        Some(Interval {
            low: percentile(&means, 0.025),
            high: percentile(&means, 0.975),
        })
    }

    fn total(&self) -> i64 {
        self.counts
            .iter()
            .map(|(size, &count)| size * whole(count))
            .sum()
    }

    #[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
    fn mean(&self, total: i64, rows: u64) -> f64 {
        total as f64 / self.unit as f64 / rows as f64
    }
}

/// The two-sided p of McNemar's exact test for rows that only one or only the other got right.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
pub fn mcnemar(only_first: u64, only_second: u64) -> f64 {
    let n = only_first + only_second;
    let fewer = only_first.min(only_second);
    // The binomial term at `fewer`, its halvings spread over the product so that it neither over-
    // nor underflows on the way.
    let (mut term, mut halvings) = (1.0, 0);
    for index in 1..=fewer {
        term *= (n - fewer + index) as f64 / index as f64;
        while term > 1.0 && halvings < n {
            term *= 0.5;
            halvings += 1;
        }
    }
    for _ in halvings..n {
        term *= 0.5;
    }
    let mut tail = 0.0;
    for index in (0..=fewer).rev() {
        tail += term;
        term *= index as f64 / (n - index + 1) as f64;
    }
    (2.0 * tail).min(1.0)
}

/// The two-sided p of a total at least as far from 0 as `total`, when each of `sizes` (size, how
/// often) takes its sign by a fair coin. Exact: the distribution of the sum of the sizes with a
/// positive sign is built up size by size.
fn sign_flip(sizes: &BTreeMap<usize, u64>, total: u64) -> f64 {
    let mut probability = vec![1.0_f64];
    for (&size, &count) in sizes {
        for _ in 0..count {
            probability.resize(probability.len() + size, 0.0);
            // From above, so that what a sum comes from still is what it was.
            for sum in (0..probability.len()).rev() {
                let from = sum.checked_sub(size).map_or(0.0, |from| probability[from]);
                probability[sum] = 0.5 * (probability[sum] + from);
            }
        }
    }
    // A sum s of positive signs is a total of 2 s - all: symmetric, so the lower tail counts twice.
    let all = probability.len() as u64 - 1;
    let last = (all - total) / 2;
    let tail: f64 = (0..=last).zip(&probability).map(|(_, share)| share).sum();
    (2.0 * tail).min(1.0)
}

/// Holm's correction (1979): for each p of a family of tests the level at which it still stands
/// among all of them, in the same order.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a few tests")]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut highest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        highest = highest.max((remaining * p_values[index]).min(1.0));
        adjusted[index] = highest;
    }
    adjusted
}

fn trainings<R>(of: &[R]) -> i64 {
    assert!(!of.is_empty(), "a classifier was trained at least once");
    whole(of.len() as u64)
}

fn times_right<R: AsRef<[bool]>>(trainings: &[R], row: usize) -> i64 {
    let right = trainings.iter().filter(|right| right.as_ref()[row]);
    whole(right.count() as u64)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// The total of the differences of `rows` rows drawn with replacement.
#[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
fn resampled_total(groups: &[(i64, u64)], rows: u64, random: &mut Random) -> i64 {
    let (mut left, mut to_come, mut total) = (rows, rows, 0);
    for &(size, count) in groups {
        let drawn = if count == to_come {
            left
        } else {
            random.binomial(left, count as f64 / to_come as f64)
        };
        total += size * whole(drawn);
        left -= drawn;
        to_come -= count;
    }
    total
}

impl Random {
    /// Heads among `tosses` of a fair coin.
    fn heads(&mut self, tosses: u64) -> u64 {
        let mut heads = u64::from(
            (0..tosses / 64)
                .map(|_| self.bits().count_ones())
                .sum::<u32>(),
        );
        let rest = tosses % 64;
        if rest > 0 {
            heads += u64::from((self.bits() >> (64 - rest)).count_ones());
        }
        heads
    }

    /// How many of `trials` uniform numbers lie below `share`, of which 0 < `share` < 1. All
    /// numbers are compared at once, one binary digit after the other: those that differ from
    /// `share` in a digit are decided, about half each time.
    fn binomial(&mut self, trials: u64, share: f64) -> u64 {
        let (mut undecided, mut below, mut rest) = (trials, 0, share);
        while undecided > 0 && rest > 0.0 {
            rest *= 2.0;
            let ones = self.heads(undecided);
            if rest >= 1.0 {
                rest -= 1.0;
                below += undecided - ones;
                undecided = ones;
            } else {
                undecided -= ones;
            }
        }
        below
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small made-up counts"
)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::metrics::statistics::welch_p_value;

    #[derive(Deserialize)]
    struct Fixture {
        mcnemar: Vec<(u64, u64, f64)>,
        sign_flip: Vec<SignFlip>,
        bootstrap: Vec<Bootstrap>,
        welch: Vec<(Vec<f64>, Vec<f64>, f64)>,
        holm: Vec<(Vec<f64>, Vec<f64>)>,
        percentiles: Percentiles,
    }

    #[derive(Deserialize)]
    struct SignFlip {
        first: Vec<Vec<bool>>,
        second: Vec<Vec<bool>>,
        difference: f64,
        better: u64,
        worse: u64,
        p_value: f64,
    }

    #[derive(Deserialize)]
    struct Bootstrap {
        counts: [u64; 3],
        low: f64,
        high: f64,
        deviation: f64,
    }

    #[derive(Deserialize)]
    struct Percentiles {
        sorted: Vec<f64>,
        of: Vec<(f64, f64)>,
    }

    fn fixture() -> Fixture {
        let text = include_str!("../../tests/parity/statistics/expected.json");
        serde_json::from_str(text).unwrap()
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-12
    }

    /// Rows of which the first alone, both, and the second alone are right.
    fn rows(counts: [u64; 3]) -> PairedRows {
        let list = |right: [bool; 3]| -> Vec<bool> {
            let each = counts.iter().zip(right);
            each.flat_map(|(&count, right)| std::iter::repeat_n(right, count as usize))
                .collect()
        };
        PairedRows::new(&[list([false, true, true])], &[list([true, true, false])])
    }

    #[test]
    fn mcnemars_test_is_statsmodels() {
        for (first, second, expected) in fixture().mcnemar {
            let found = mcnemar(first, second);
            assert!(
                near(found, expected),
                "{first}, {second}: {found} for {expected}"
            );
            assert_eq!(found.to_bits(), mcnemar(second, first).to_bits());
            // Far out, p is small: its digits count, too.
            assert!(
                (found - expected).abs() <= 1e-10 * expected,
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn several_trainings_are_compared_as_scipy_flips_signs() {
        for case in fixture().sign_flip {
            let paired = PairedRows::new(&case.first, &case.second);
            assert!(near(paired.difference(), case.difference));
            assert_eq!(paired.discordant(), (case.better, case.worse));
            let found = paired.p_value();
            assert!(near(found, case.p_value), "{found} for {}", case.p_value);
        }
    }

    #[test]
    fn sign_flips_of_whole_rows_are_mcnemars_test() {
        for (first, second) in [(0, 3), (7, 3), (40, 61), (300, 380)] {
            let sizes = BTreeMap::from([(1, first + second)]);
            let flipped = sign_flip(&sizes, u64::abs_diff(first, second));
            assert!(near(flipped, mcnemar(first, second)), "{first}, {second}");
        }
        // The same training three times says no more than once.
        let once = PairedRows::new(&[[true, true, true, false]], &[[false, false, false, true]]);
        let thrice = PairedRows::new(
            &[[true, true, true, false]; 3],
            &[[false, false, false, true]; 3],
        );
        assert!(near(once.p_value(), thrice.p_value()));
    }

    #[test]
    fn bootstrap_intervals_lie_where_their_exact_distribution_has_them() {
        for case in fixture().bootstrap {
            let paired = rows(case.counts);
            let interval = paired.bootstrap_interval(1).unwrap();
            // 10,000 resamples place a 2.5 % quantile within 0.027 deviations; four times that, and
            // a step of the grid.
            let room = 0.11 * case.deviation + 1.0 / paired.rows() as f64;
            let (low, high) = (interval.low - case.low, interval.high - case.high);
            assert!(
                low.abs() <= room && high.abs() <= room,
                "{low}, {high} within {room}"
            );
            assert_eq!(paired.bootstrap_interval(1), Some(interval));
        }
    }

    #[test]
    fn too_few_discordant_rows_have_no_interval() {
        assert_eq!(rows([0, 100, 5]).bootstrap_interval(1), None);
        assert!(rows([0, 100, 6]).bootstrap_interval(1).is_some());
        assert!(mcnemar(0, FEWEST_DISCORDANT - 1) > 0.05);
        assert!(mcnemar(0, FEWEST_DISCORDANT) < 0.05);
    }

    #[test]
    fn equal_classifiers_differ_by_nothing() {
        let paired = PairedRows::new(&[[true, false]], &[[true, false]]);
        assert_eq!((paired.rows(), paired.discordant()), (2, (0, 0)));
        assert!(near(paired.p_value(), 1.0) && near(paired.difference(), 0.0));
        let none: [[bool; 0]; 1] = [[]];
        assert!(near(PairedRows::new(&none, &none).difference(), 0.0));
    }

    #[test]
    fn binomial_draws_have_their_mean_and_spread() {
        let mut random = Random(7);
        for (trials, share) in [(10_u64, 0.3), (200, 0.05), (4000, 0.5), (1, 0.9)] {
            let draws: Vec<f64> = (0..20_000)
                .map(|_| random.binomial(trials, share) as f64)
                .collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let spread = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 20_000.0;
            let variance = trials as f64 * share * (1.0 - share);
            let off = (mean - trials as f64 * share).abs() / (variance / 20_000.0).sqrt();
            assert!(off < 4.0, "{trials} x {share}: mean {mean}");
            assert!(
                (spread / variance - 1.0).abs() < 0.06,
                "{trials} x {share}: {spread}"
            );
        }
    }

    #[test]
    fn welchs_test_is_scipys() {
        for (one, two, expected) in fixture().welch {
            let found = welch_p_value(&one, &two).unwrap();
            assert!(near(found, expected), "{found} for {expected}");
        }
        assert_eq!(welch_p_value(&[0.5], &[0.5, 0.6]), None);
        assert_eq!(welch_p_value(&[0.5, 0.5], &[0.5, 0.5]), Some(1.0));
        assert_eq!(welch_p_value(&[0.5, 0.5], &[0.6, 0.6]), Some(0.0));
    }

    #[test]
    fn holms_correction_is_statsmodels() {
        for (family, expected) in fixture().holm {
            let found = holm(&family);
            assert!(
                found
                    .iter()
                    .zip(&expected)
                    .all(|(&found, &expected)| near(found, expected)),
                "{found:?} for {expected:?}"
            );
        }
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn percentiles_are_numpys() {
        let Percentiles { sorted, of } = fixture().percentiles;
        for (share, expected) in of {
            assert!(near(percentile(&sorted, share), expected));
        }
    }
}
