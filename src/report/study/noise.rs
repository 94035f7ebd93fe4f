//! How far a published value and ours lie apart by chance: each is judged on so many rows, by one
//! training or a few.

use crate::metrics::mean_interval;
use crate::study::Printed;

/// The normal distribution's 97.5 % quantile.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// Whether our trainings' mean is as near to a published share as chance makes them: both rows'
/// noise (Newcombe 1998), that of our seeds, and the rounding of the printed digits.
pub(super) fn share_is_near(
    printed: &Printed,
    published_rows: f64,
    ours: &[f64],
    rows: f64,
) -> bool {
    let Some(mean) = mean(ours) else {
        return false;
    };
    let (published, own) = (printed.value.clamp(0.0, 1.0), mean.clamp(0.0, 1.0));
    let (low, high) = wilson(published, published_rows);
    let (own_low, own_high) = wilson(own, rows);
    let reach = if own > published {
        (own - own_low).hypot(high - published)
    } else {
        (own_high - own).hypot(published - low)
    };
    near(mean - printed.value, reach.hypot(of_seeds(ours)), printed)
}

/// The same of a figure whose rows have this standard deviation.
pub(super) fn mean_is_near(
    printed: &Printed,
    published_rows: f64,
    ours: &[f64],
    rows: f64,
    deviation: f64,
) -> bool {
    let Some(mean) = mean(ours) else {
        return false;
    };
    let variance = deviation.powi(2) * (1.0 / published_rows.max(1.0) + 1.0 / rows.max(1.0));
    let reach = QUANTILE * variance.sqrt();
    near(mean - printed.value, reach.hypot(of_seeds(ours)), printed)
}

fn near(difference: f64, reach: f64, printed: &Printed) -> bool {
    difference.abs() <= reach + printed.half_digit()
}

/// What one more training, the published one, and the mean of ours differ by, as far as our seeds
/// tell; nothing for one seed.
#[allow(clippy::cast_precision_loss, reason = "a number of seeds")]
fn of_seeds(ours: &[f64]) -> f64 {
    // The interval's half is t * s / sqrt(k); the difference has a variance of s² (1 + 1 / k).
    let interval = mean_interval(ours);
    let half = interval.map_or(0.0, |interval| (interval.high - interval.low) / 2.0);
    half * (ours.len() as f64 + 1.0).sqrt()
}

fn mean(values: &[f64]) -> Option<f64> {
    crate::metrics::mean(values).filter(|mean| mean.is_finite())
}

/// Wilson's interval of a share of rows that need not be a whole count.
fn wilson(share: f64, rows: f64) -> (f64, f64) {
    if rows <= 0.0 {
        return (0.0, 1.0);
    }
    let square = QUANTILE * QUANTILE;
    let scale = 1.0 + square / rows;
    let centre = (share + square / (2.0 * rows)) / scale;
    let spread = share * (1.0 - share) / rows + square / (4.0 * rows * rows);
    let half = QUANTILE / scale * spread.max(0.0).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::wilson_interval;

    fn printed(text: &str) -> Printed {
        Printed::parse(text).unwrap()
    }

    #[test]
    fn whole_counts_have_wilsons_interval() {
        let (low, high) = wilson(0.3, 20.0);
        let known = wilson_interval(6, 20);
        assert!((low - known.low).abs() < 1e-12 && (high - known.high).abs() < 1e-12);
    }

    #[test]
    fn the_noise_of_four_thousand_rows_is_a_point_and_a_half() {
        let near = |own: f64| share_is_near(&printed("0.85"), 4000.0, &[own], 4000.0);
        assert!(near(0.835) && near(0.865));
        assert!(!near(0.82) && !near(0.88));
    }

    #[test]
    fn four_rows_exclude_little() {
        assert!(share_is_near(&printed("1.00"), 4.0, &[0.5], 4.0));
        assert!(!share_is_near(&printed("1.00"), 4.0, &[0.0], 4.0));
    }

    #[test]
    fn seeds_that_lie_far_apart_make_the_noise_wider() {
        let apart = |ours: &[f64]| share_is_near(&printed("0.90"), 4000.0, ours, 4000.0);
        assert!(!apart(&[0.85]) && !apart(&[0.849, 0.85, 0.851]));
        assert!(apart(&[0.80, 0.85, 0.90]));
    }

    #[test]
    fn the_printed_digits_are_part_of_it() {
        let near = |text: &str| share_is_near(&printed(text), 1e9, &[0.8], 1e9);
        assert!(near("0.80") && near("0.8") && !near("0.81"));
        assert!(share_is_near(&printed("1"), 1e9, &[0.6], 1e9));
    }

    #[test]
    fn what_is_no_number_is_never_near() {
        assert!(!share_is_near(&printed("0.8"), 10.0, &[f64::NAN], 10.0));
        assert!(!share_is_near(&printed("0.8"), 10.0, &[], 10.0));
        assert!(!mean_is_near(
            &printed("0.8"),
            10.0,
            &[f64::INFINITY],
            10.0,
            1.0
        ));
    }

    #[test]
    fn losses_are_as_near_as_their_rows_let_them_be() {
        let near = |own: f64| mean_is_near(&printed("0.400000"), 4000.0, &[own], 4000.0, 0.5);
        assert!(near(0.42) && !near(0.43));
    }
}
