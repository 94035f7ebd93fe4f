//! Numbers in words.

/// `1 run`, `4 runs`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// A number of bytes, as memory is sold: `310 MB`, `1.2 GB`.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
pub(super) fn bytes(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 999.5 {
        format!("{megabytes:.0} MB")
    } else {
        format!("{:.1} GB", megabytes / 1e3)
    }
}

/// A metric with as many digits as help: counts whole, shares with four decimals, small values in
/// scientific notation.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        format!("{value:.0}")
    } else if size >= 1000.0 {
        format!("{value:.1}")
    } else if size >= 0.001 {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_said_in_megabytes_or_gigabytes() {
        assert_eq!(
            [310_400_000, 999_600_000, 12_340_000_000].map(bytes),
            ["310 MB", "1.0 GB", "12.3 GB"]
        );
    }

    #[test]
    fn numbers_have_as_many_digits_as_help() {
        let said: Vec<_> = [1200.0, 0.85, 0.000_02, 1234.56, f64::NAN]
            .into_iter()
            .map(number)
            .collect();
        assert_eq!(said, ["1200", "0.8500", "2.000e-5", "1234.6", "NaN"]);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([count(1, "run"), count(0, "run")], ["1 run", "0 runs"]);
    }
}
