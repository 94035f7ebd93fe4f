//! How far shares of so many rows lie apart by chance.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::metrics::wilson_interval;

/// The normal distribution's 97.5 % quantile.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// The lower end of the 95 % interval of a difference between two shares of independent rows
/// (Newcombe 1998, from Wilson's intervals).
pub(super) fn least_difference(one: (f64, u64), other: (f64, u64)) -> f64 {
    let low = wilson_interval(count(one), one.1).low;
    let high = wilson_interval(count(other), other.1).high;
    let down = (one.0 - low).max(0.0);
    let up = (high - other.0).max(0.0);
    one.0 - other.0 - down.hypot(up)
}

/// How far two shares near `share` must be apart on so many rows each to be told apart.
#[allow(clippy::cast_precision_loss, reason = "row counts")]
pub(super) fn needed_difference(share: f64, rows: u64) -> f64 {
    let variance = (share * (1.0 - share)).max(0.0) / (rows.max(1) as f64);
    QUANTILE * (2.0 * variance).sqrt()
}

/// How many rows each would tell such a difference apart.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of rows to be named"
)]
pub(super) fn needed_rows(share: f64, difference: f64) -> u64 {
    let variance = 2.0 * share * (1.0 - share);
    let rows = QUANTILE.powi(2) * variance / difference.powi(2);
    rows.ceil().clamp(1.0, 1e15) as u64
}

/// How far the best of so many equally good ones lies above them on average, in standard deviations
/// (Blom 1958).
#[allow(clippy::cast_precision_loss, reason = "a number of runs")]
pub(super) fn lead_of_the_best(many: usize) -> f64 {
    let place = (many as f64 - 0.375) / (many as f64 + 0.25);
    Normal::new(0.0, 1.0).map_or(f64::NAN, |normal| normal.inverse_cdf(place))
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a row count"
)]
fn count((share, rows): (f64, u64)) -> u64 {
    (share.clamp(0.0, 1.0) * rows as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_newcombes_interval() {
        // Newcombe's own example: 56 of 70 against 48 of 80, from 0.0524 on.
        let low = least_difference((0.8, 70), (0.6, 80));
        assert!((low - 0.0524).abs() < 5e-5, "{low}");
    }

    #[test]
    fn four_rows_tell_little_apart() {
        assert!(least_difference((1.0, 4), (0.5, 4)) < 0.0);
        assert!(least_difference((1.0, 4), (0.0, 4)) > 0.0);
    }

    #[test]
    fn rows_and_differences_belong_together() {
        let difference = needed_difference(0.85, 4000);
        let rows = needed_rows(0.85, difference);
        assert!((3999..=4001).contains(&rows), "{difference} {rows}");
    }

    #[test]
    fn the_best_of_ten_leads_by_one_and_a_half_deviations() {
        assert!((lead_of_the_best(10) - 1.539).abs() < 0.01);
        assert!(lead_of_the_best(1).abs() < 1e-9);
    }
}
