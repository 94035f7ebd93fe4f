//! A figure together with how far it can be trusted.

use crate::metrics;

/// A value with its 95 % interval, if it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// The value, or the mean over the seeds.
    pub value: f64,
    /// Lower end; `value` where there is no interval.
    pub low: f64,
    /// Upper end; `value` where there is no interval.
    pub high: f64,
    /// What the interval rests on.
    pub basis: Basis,
}

/// What an interval rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// There is none.
    None,
    /// One seed, evaluated on so many rows: Wilson's interval of a share.
    Rows(u64),
    /// So many seeds, at least two: the t-interval of their mean.
    Seeds(usize),
}

impl Estimate {
    /// A value without an interval.
    pub(super) fn plain(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
            basis: Basis::None,
        }
    }

    /// Of a share, such as accuracy, from each seed's value and the rows it was measured on. None without values.
    pub(super) fn of_share(seeds: &[(f64, Option<u64>)]) -> Option<Self> {
        match seeds {
            [(value, Some(rows))] if value.is_finite() && *rows > 0 => {
                let interval = metrics::wilson_interval(correct(*value, *rows), *rows);
                Some(Self {
                    value: *value,
                    low: interval.low,
                    high: interval.high,
                    basis: Basis::Rows(*rows),
                })
            }
            _ => {
                let mean = Self::of_seeds(&seeds.iter().map(|seed| seed.0).collect::<Vec<_>>())?;
                // Two seeds leave so much open that the interval may pass what a share can be.
                Some(Self {
                    low: mean.low.max(0.0),
                    high: mean.high.min(1.0),
                    ..mean
                })
            }
        }
    }

    /// Of any figure, from each seed's value. None without values.
    pub(super) fn of_seeds(values: &[f64]) -> Option<Self> {
        let value = metrics::mean(values)?;
        let interval = metrics::mean_interval(values).filter(|_| value.is_finite());
        Some(interval.map_or(Self::plain(value), |interval| Self {
            value,
            low: interval.low,
            high: interval.high,
            basis: Basis::Seeds(values.len()),
        }))
    }
}

/// The count behind a share of `rows`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a row count"
)]
fn correct(share: f64, rows: u64) -> u64 {
    (share.clamp(0.0, 1.0) * rows as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_has_the_interval_of_its_rows() {
        let estimate = Estimate::of_share(&[(0.5, Some(4))]).unwrap();
        assert_eq!(estimate.basis, Basis::Rows(4));
        assert!(
            (estimate.low - 0.150).abs() < 1e-3 && (estimate.high - 0.850).abs() < 1e-3,
            "{estimate:?}"
        );
    }

    #[test]
    fn two_seeds_have_a_wide_interval_within_what_a_share_can_be() {
        let near = Estimate::of_share(&[(0.80, Some(100)), (0.81, Some(100))]).unwrap();
        // t(0.975, 1) = 12.706, standard error 0.005.
        assert!((near.low - (0.805 - 0.063_53)).abs() < 1e-4, "{near:?}");
        assert_eq!(near.basis, Basis::Seeds(2));
        let far = Estimate::of_share(&[(0.8, Some(100)), (0.9, Some(100))]).unwrap();
        assert!((far.value - 0.85).abs() < 1e-12);
        assert!(
            far.low < 0.22 && far.high.to_bits() == 1.0_f64.to_bits(),
            "{far:?}"
        );
    }

    #[test]
    fn three_seeds_have_the_interval_of_their_mean() {
        let estimate = Estimate::of_seeds(&[0.8, 0.9, 1.0]).unwrap();
        // t(0.975, 2) = 4.303, standard error 0.1 / sqrt(3).
        assert!(
            (estimate.high - (0.9 + 4.303 * 0.057_735)).abs() < 1e-4,
            "{estimate:?}"
        );
        assert_eq!(estimate.basis, Basis::Seeds(3));
    }

    #[test]
    fn nothing_and_not_a_number_are_no_panic() {
        assert_eq!(Estimate::of_share(&[]), None);
        assert!(
            Estimate::of_share(&[(f64::NAN, Some(10))])
                .unwrap()
                .value
                .is_nan()
        );
        assert_eq!(
            Estimate::of_seeds(&[f64::NAN; 3]).unwrap().basis,
            Basis::None
        );
    }
}
