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

    /// Of a share, such as accuracy, from each seed's value and the rows it was measured on. None
    /// without values.
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
mod tests;
