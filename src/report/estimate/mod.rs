//! A figure together with how far it can be trusted.

mod fresh;
mod noise;

use crate::metrics::{self, Covers, Estimated, Pool, Rows, Trainings};
pub(super) use fresh::{Contender, Fresh};
pub(super) use noise::{Figure, Noise, Noises, macro_f1_scale};

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
    /// So many rows: the same training on other texts.
    Rows(u64),
    /// So many seeds, or those of other runs: other trainings on the same texts.
    Seeds(usize),
    /// Seeds and so many rows: other trainings on other texts.
    Both(u64),
}

impl Basis {
    /// What the interval covers, in words.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Rows(_) => "other texts",
            Self::Seeds(_) => "other trainings",
            Self::Both(_) => "other trainings and other texts",
        }
    }
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

    /// Of a share of so many rows, seen once: the interval of other texts alone.
    pub(super) fn of_share(value: f64, rows: u64) -> Self {
        let run = Trainings {
            values: vec![value],
            rows: Some(Rows::of_share(rows, None)),
        };
        Self::new(Pool::of(&[]).around(value, &run), &run)
    }

    /// Of any figure, from each seed's value alone. None without values.
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

    /// What was estimated of a run.
    pub(super) fn new(found: Estimated, run: &Trainings) -> Self {
        let Some(interval) = found.interval else {
            return Self::plain(found.value);
        };
        let rows = run.rows.map_or(0, |rows| rows.count);
        Self {
            value: found.value,
            low: interval.low,
            high: interval.high,
            basis: match found.covers {
                Covers::Nothing => Basis::None,
                Covers::Texts => Basis::Rows(rows),
                Covers::Trainings => Basis::Seeds(run.values.len()),
                Covers::Both => Basis::Both(rows),
            },
        }
    }

    /// Of what cannot be below 0 or above 1.
    fn within_a_share(self) -> Self {
        Self {
            low: self.low.clamp(0.0, 1.0).min(self.value),
            high: self.high.clamp(0.0, 1.0).max(self.value),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
