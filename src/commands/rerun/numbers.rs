//! How near two numbers are that should be the same.

use serde::Serialize;

/// What became of numbers that were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Drift {
    /// How many are not the same.
    pub(super) numbers: usize,
    /// The largest difference, as a share of the scale that its number is measured by.
    #[serde(with = "crate::record::number")]
    pub(super) largest: f64,
}

impl Drift {
    /// Adds a pair of numbers. Whole numbers are counts, which are the same or infinitely far apart,
    /// as what is no number is from all others.
    pub(super) fn add(&mut self, before: f64, now: f64, scale: f64) {
        if before.to_bits() == now.to_bits() || before.is_nan() && now.is_nan() {
            return;
        }
        self.numbers += 1;
        let whole = before.fract() == 0.0 && now.fract() == 0.0;
        let distance = (before - now).abs();
        let share = distance / scale;
        let share = if distance == 0.0 {
            0.0
        } else if whole || share.is_nan() {
            f64::INFINITY
        } else {
            share
        };
        self.largest = self.largest.max(share);
    }
}

/// The largest of numbers, by which the differences of all of them are measured.
pub(super) fn scale(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers
        .filter(|number| number.is_finite())
        .fold(0.0, |largest, number| largest.max(number.abs()))
}

/// How far numbers may drift that were computed in a format, as a share of their scale: what
/// rounding makes of a training on another device.
pub(super) fn tolerance(format: &str) -> f64 {
    match format {
        "bf16" => 5e-2,
        "f16" => 1.25e-2,
        _ => 1e-3,
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "shares that are exact")]
mod tests {
    use super::*;

    fn drift(before: f64, now: f64, scale: f64) -> f64 {
        let mut drift = Drift::default();
        drift.add(before, now, scale);
        drift.largest
    }

    #[test]
    fn counts_are_exact_and_other_numbers_drift_by_a_share_of_their_scale() {
        assert_eq!(drift(0.5, 0.25, 1.0), 0.25);
        assert_eq!(drift(0.5, 0.25, 2.0), 0.125);
        assert_eq!(drift(4000.0, 4001.0, 1e9), f64::INFINITY);
        assert!((drift(1.0, 0.999_5, 1.0) - 5e-4).abs() < 1e-12);
        assert_eq!(drift(0.0, -0.0, 0.0), 0.0);
    }

    #[test]
    fn what_is_no_number_is_itself_and_nothing_else() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        for (before, now) in [(nan, -nan), (inf, inf)] {
            assert_eq!(drift(before, now, 1.0), 0.0);
        }
        for (before, now) in [(nan, 0.5), (0.5, inf), (inf, -inf), (0.5, nan)] {
            assert_eq!(drift(before, now, 1.0), inf);
        }
    }
}
