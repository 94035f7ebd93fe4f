//! Numbers as people read them in tables.

use super::estimate::{Basis, Estimate};

pub(super) use crate::draw::group;

/// An accuracy with its interval, where it has one.
pub(super) fn with_interval(estimate: &Estimate) -> String {
    let value = decimal(estimate.value);
    if estimate.basis == Basis::None {
        value
    } else {
        format!("{value} [{:.4}, {:.4}]", estimate.low, estimate.high)
    }
}

/// A figure with half the width of its interval, where it has one.
pub(super) fn give_or_take(estimate: &Estimate) -> String {
    let value = decimal(estimate.value);
    if estimate.basis == Basis::None {
        value
    } else {
        format!("{value} ± {:.4}", (estimate.high - estimate.low) / 2.0)
    }
}

/// How many runs beside the best one lie somewhere, as the beginning of a sentence.
pub(super) fn others_lie(near: usize, others: usize) -> String {
    match (near, others) {
        (1, 1) => "The other run lies".to_owned(),
        (2, 2) => "Both other runs lie".to_owned(),
        (near, others) if near == others => format!("All {others} other runs lie"),
        (1, others) => format!("1 of the {others} other runs lies"),
        (near, others) => format!("{near} of the {others} other runs lie"),
    }
}

/// A share or loss with four decimals.
pub(super) fn decimal(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.4}")
    } else {
        "not finite".to_owned()
    }
}

/// A count with commas; what is no count with four decimals.
pub(super) fn count(value: f64) -> String {
    if value.is_finite() && value.fract() == 0.0 {
        group(&format!("{value:.0}"))
    } else {
        decimal(value)
    }
}

/// A share in percent, with enough digits for the few parameters of an adapter.
pub(super) fn percent(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.2} %")
    } else {
        "not finite".to_owned()
    }
}

/// A duration: `0.8 s`, `2 min 05 s`, `3 h 07 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 99.95 {
        return format!("{seconds:.1} s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite and positive"
    )]
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_runs_are_counted_in_plain_words() {
        let said = [(1, 1), (2, 2), (3, 3), (1, 4), (2, 4)];
        assert_eq!(
            said.map(|(near, others)| others_lie(near, others)),
            [
                "The other run lies",
                "Both other runs lie",
                "All 3 other runs lie",
                "1 of the 4 other runs lies",
                "2 of the 4 other runs lie"
            ]
        );
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(
            [0.84, 59.0, 125.2, 3600.0, 11_220.0].map(duration),
            ["0.8 s", "59.0 s", "2 min 05 s", "1 h 00 min", "3 h 07 min"]
        );
        assert_eq!(duration(f64::NAN), "unknown");
    }

    #[test]
    fn counts_have_commas_and_others_decimals() {
        assert_eq!(
            [1_038_338.0, 12.0, 0.25, f64::NAN].map(count),
            ["1,038,338", "12", "0.2500", "not finite"]
        );
    }
}
