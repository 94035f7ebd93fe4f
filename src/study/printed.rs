//! A number as it was printed: its digits say how far it was rounded.

/// A printed number.
#[derive(Debug, Clone, PartialEq)]
pub struct Printed {
    /// As printed.
    pub text: String,
    /// Its value.
    pub value: f64,
    /// Digits after the point that it stands for; negative for a number with a positive exponent.
    pub decimals: i32,
}

/// Values beyond half a digit by this share of it still count as rounded: what doubles leave of a
/// tie.
const TIE: f64 = 1e-9;

impl Printed {
    /// Reads digits with an optional sign, point and exponent; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let sound = !whole.is_empty() && is_number(whole) && is_number(fraction);
        let value: f64 = text.parse().ok().filter(|_| sound)?;
        let decimals = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        (value.is_finite() && exponent.unsigned_abs() <= 300).then(|| Self {
            text: text.to_owned(),
            value,
            decimals,
        })
    }

    /// Half of its last digit: how far the exact value may lie from it.
    #[must_use]
    pub fn half_digit(&self) -> f64 {
        0.5 * 10_f64.powi(-self.decimals)
    }

    /// Whether a value may have been printed so, however ties are rounded.
    #[must_use]
    pub fn is_of(&self, value: f64) -> bool {
        let slack = TIE * self.half_digit() + 4.0 * f64::EPSILON * self.value.abs();
        (value - self.value).abs() <= self.half_digit() + slack
    }

    /// Whether some count out of so many rows has a share that may have been printed so.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "rows are fewer than 2^53")]
    pub fn is_share_of(&self, rows: u64) -> bool {
        let rows = rows as f64;
        let near = (self.value * rows).round();
        let counts = [near - 1.0, near, near + 1.0];
        let mut counts = counts.iter().filter(|count| (0.0..=rows).contains(*count));
        rows > 0.0 && counts.any(|count| self.is_of(count / rows))
    }

    /// Whether both may be the same value, differently rounded.
    #[must_use]
    pub fn may_equal(&self, other: &Self) -> bool {
        let reach = self.half_digit() + other.half_digit();
        (self.value - other.value).abs() <= reach * (1.0 + TIE) + 1e-15
    }

    /// The smallest and the largest value that may have been printed so.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let half = self.half_digit();
        (self.value - half, self.value + half)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_say_how_far_a_number_was_rounded() {
        let of = |text: &str| {
            let printed = Printed::parse(text).unwrap();
            (printed.value, printed.decimals)
        };
        assert_eq!(of("0.84"), (0.84, 2));
        assert_eq!(of("-0.02374"), (-0.02374, 5));
        assert_eq!(of("296450"), (296_450.0, 0));
        assert_eq!(of("2e-4"), (2e-4, 4));
        assert_eq!(of("1.5e3"), (1500.0, -2));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            ".",
            "-",
            ".5",
            "1,5",
            "1e-2147483648",
            "1 000",
            "0x10",
            "inf",
            "NaN",
            "1e",
            "1e999",
            "1.2.3",
            "５",
        ] {
            assert_eq!(Printed::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_tie_may_be_rounded_either_way() {
        let printed = |text| Printed::parse(text).unwrap();
        assert!(printed("0.84").is_of(0.845) && printed("0.85").is_of(0.845));
        assert!(!printed("0.84").is_of(0.845_01) && !printed("0.84").is_of(0.8549));
        assert!(printed("0").is_of(0.0));
    }

    proptest! {
        #[test]
        fn whatever_is_printed_may_have_been_printed_so(value in -1e6..1e6_f64, decimals in 0..9_usize) {
            let printed = Printed::parse(&format!("{value:.decimals$}")).unwrap();
            prop_assert!(printed.is_of(value), "{value} as {}", printed.text);
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,12}") {
            let _ = Printed::parse(&text);
        }
    }
}
