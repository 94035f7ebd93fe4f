//! Means and intervals: how far a figure from a few rows or seeds can be trusted.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

/// The normal distribution's 97.5 % quantile.
pub(super) const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A 95 % confidence interval, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The 95 % interval of a share of which `correct` of `n` rows were seen (Wilson 1927); from 0 to 1
/// for no rows. Unlike the textbook's normal interval it stays within 0 and 1 and holds for few
/// rows.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
pub fn wilson_interval(correct: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let rows = n as f64;
    let share = correct as f64 / rows;
    let z = NORMAL_QUANTILE;
    let scale = 1.0 + z * z / rows;
    let centre = (share + z * z / (2.0 * rows)) / scale;
    let spread = (share * (1.0 - share) / rows + z * z / (4.0 * rows * rows)).sqrt();
    let half = z / scale * spread;
    // With none or all correct one end is exactly 0 or 1; rounding must not push it past.
    Interval {
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    }
}

/// The mean; none for no values.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "far below 2^53 values")]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample standard deviation (over `n - 1`); none for fewer than two values.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "far below 2^53 values")]
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// The 95 % t-interval of the mean of the population from which `values` are drawn; none for fewer
/// than two values.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "far below 2^53 values")]
pub fn mean_interval(values: &[f64]) -> Option<Interval> {
    let mean = mean(values)?;
    let deviation = standard_deviation(values)?;
    let half = t_quantile((values.len() - 1) as f64) * deviation / (values.len() as f64).sqrt();
    Some(Interval {
        low: mean - half,
        high: mean + half,
    })
}

/// The two-sided p of Welch's t-test (1947): how often means as far apart would be drawn from two
/// populations of equal mean, whatever their spread. None for fewer than two values on either side.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "far below 2^53 values")]
pub fn welch_p_value(one: &[f64], two: &[f64]) -> Option<f64> {
    let squared_error = |values: &[f64]| {
        standard_deviation(values).map(|deviation| deviation.powi(2) / values.len() as f64)
    };
    let (first, second) = (squared_error(one)?, squared_error(two)?);
    let difference = (mean(one)? - mean(two)?).abs();
    let squared = first + second;
    if squared == 0.0 {
        return Some(if difference > 0.0 { 0.0 } else { 1.0 });
    }
    let weighted = |error: f64, values: &[f64]| error.powi(2) / (values.len() - 1) as f64;
    let freedom = squared.powi(2) / (weighted(first, one) + weighted(second, two));
    Some(t_tails(freedom, difference / squared.sqrt()))
}

/// The probability that |t| exceeds `t >= 0` with `freedom >= 1` degrees of freedom, whole or not.
fn t_tails(freedom: f64, t: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |student| 2.0 * student.sf(t))
}

/// The value below which a share of sorted values lies, between neighbours in proportion (numpy's
/// default).
///
/// # Panics
///
/// If there are no values.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index"
)]
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    below + (above - below) * place.fract()
}

/// The probability that a variance with `above` degrees of freedom exceeds one with `below` degrees
/// of freedom `ratio` times, where both are of the same population.
pub(super) fn f_tail(ratio: f64, above: f64, below: f64) -> f64 {
    FisherSnedecor::new(above, below).map_or(f64::NAN, |fisher| fisher.sf(ratio))
}

/// The 97.5 % quantile of Student's t distribution with `freedom >= 1` degrees of freedom.
pub(super) fn t_quantile(freedom: f64) -> f64 {
    if freedom > 100_000.0 {
        // Beyond, the two differ by less than 3e-5, and the search for the quantile loses its way.
        return NORMAL_QUANTILE;
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |student| student.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Fixture {
        wilson: Vec<(u64, u64, f64, f64)>,
        t_quantiles: Vec<(usize, f64)>,
        means: Vec<Means>,
    }

    #[derive(Deserialize)]
    struct Means {
        values: Vec<f64>,
        mean: f64,
        standard_deviation: f64,
        interval: (f64, f64),
    }

    fn fixture() -> Fixture {
        serde_json::from_str(include_str!("../../tests/parity/metrics/expected.json")).unwrap()
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    #[test]
    fn wilson_interval_is_scipys() {
        for (correct, n, low, high) in fixture().wilson {
            let interval = wilson_interval(correct, n);
            assert!(
                near(interval.low, low) && near(interval.high, high),
                "{correct} of {n}: {interval:?} for {low} to {high}"
            );
        }
    }

    #[test]
    fn wilson_interval_of_no_rows_excludes_nothing() {
        assert_eq!(
            wilson_interval(0, 0),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
    }

    #[test]
    fn t_quantiles_are_scipys() {
        for (freedom, expected) in fixture().t_quantiles {
            #[allow(clippy::cast_precision_loss, reason = "small")]
            let found = t_quantile(freedom as f64);
            assert!(
                (found - expected).abs() < 3e-5,
                "{freedom}: {found} for {expected}"
            );
            if freedom <= 1000 {
                assert!(near(found, expected), "{freedom}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn means_and_their_intervals_are_scipys() {
        for case in fixture().means {
            assert!(near(mean(&case.values).unwrap(), case.mean));
            let deviation = standard_deviation(&case.values).unwrap();
            assert!(near(deviation, case.standard_deviation));
            let interval = mean_interval(&case.values).unwrap();
            assert!(near(interval.low, case.interval.0), "{interval:?}");
            assert!(near(interval.high, case.interval.1), "{interval:?}");
        }
    }

    #[test]
    fn one_value_has_a_mean_but_no_interval() {
        assert_eq!(mean(&[0.5]), Some(0.5));
        assert_eq!(standard_deviation(&[0.5]), None);
        assert_eq!(mean_interval(&[0.5]), None);
        assert_eq!(mean(&[]), None);
    }
}
