//! From data to ticks: which range an axis spans, where its ticks stand and how they are written.

/// One axis of a panel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// Value at its start.
    pub from: f64,
    /// Value at its end, above `from`.
    pub to: f64,
    /// Where ticks stand, and their texts.
    pub ticks: Vec<(f64, String)>,
    /// Whether equal ratios are equally long.
    pub logarithmic: bool,
}

/// How tick values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `0.25`, `1,500`.
    Decimal,
    /// Small ones as `2e-4`, as people write learning rates.
    Scientific,
}

/// A largest value this many times the smallest gets a logarithmic axis.
const LOGARITHMIC_FROM: f64 = 60.0;

impl Axis {
    /// Position of `value` along the axis, 0 at its start and 1 at its end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        if share.is_finite() {
            share.clamp(-1.0, 2.0)
        } else {
            0.0
        }
    }

    /// An axis around the finite ones of `values`: a little room beyond them, but not beyond a
    /// zero, and about `count` ticks in between.
    pub(crate) fn around(
        values: impl IntoIterator<Item = f64>,
        count: usize,
        notation: Notation,
    ) -> Self {
        let Some((low, high)) = range(values) else {
            return Self::linear(0.0, 1.0, count, notation);
        };
        let span = high - low;
        // For one value only, a tenth of it.
        let constant = span <= f64::EPSILON * high.abs().max(low.abs());
        let room = if constant {
            high.abs() * 0.1
        } else {
            span * 0.05
        };
        let room = if room > 0.0 { room } else { 1.0 };
        let from = if low >= 0.0 {
            (low - room).max(0.0)
        } else {
            low - room
        };
        let to = if high <= 0.0 && !constant {
            (high + room).min(0.0)
        } else {
            high + room
        };
        Self::linear(from, to, count, notation)
    }

    /// Like [`Axis::around`], but logarithmic when the values are positive and span orders of
    /// magnitude, as a diverging loss does.
    pub(crate) fn around_losses(values: &[f64], count: usize) -> Self {
        match range(values.iter().copied()) {
            Some((low, high)) if low > 0.0 && high / low > LOGARITHMIC_FROM => {
                Self::decades(low, high)
            }
            _ => Self::around(values.iter().copied(), count, Notation::Decimal),
        }
    }

    /// A share: [`Axis::around`], but never beyond 1.
    pub(crate) fn around_shares(values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let axis = Self::around(values, count, Notation::Decimal);
        if axis.to <= 1.0 || axis.from >= 1.0 {
            axis
        } else {
            Self::linear(axis.from, 1.0, count, Notation::Decimal)
        }
    }

    /// Whole numbers from `low` to `high` with `room` beyond both, at most about `count` ticks.
    pub(crate) fn integers(low: usize, high: usize, room: f64, count: usize) -> Self {
        let high = high.max(low);
        let step = nice_step(count_f64(high - low) / count_f64(count))
            .max(1.0)
            .ceil();
        let mut ticks = Vec::new();
        // Counted from 0, so that an axis from 1 has 5, 10, 15 … when it cannot have all.
        let mut value = (count_f64(low) / step).ceil() * step;
        while value <= count_f64(high) + 1e-9 {
            ticks.push((value, write(value, step, Notation::Decimal)));
            value += step;
        }
        let (mut from, mut to) = (count_f64(low) - room, count_f64(high) + room);
        if to - from < 1e-9 {
            (from, to) = (from - 0.5, to + 0.5);
        }
        Self {
            from,
            to,
            ticks,
            logarithmic: false,
        }
    }

    fn linear(from: f64, to: f64, count: usize, notation: Notation) -> Self {
        let span = to - from;
        let mut step = nice_step(span / count_f64(count));
        // Two ticks are the least that make a scale.
        while (to / step + 1e-9).floor() - (from / step - 1e-9).ceil() < 1.0 && step > span * 1e-3 {
            step = nice_step(step * 0.49);
        }
        let mut ticks = Vec::new();
        let mut place = (from / step - 1e-9).ceil();
        while place * step <= to + step * 1e-9 && ticks.len() < 100 {
            let value = place * step;
            ticks.push((value, write(value, step, notation)));
            place += 1.0;
        }
        Self {
            from,
            to,
            ticks,
            logarithmic: false,
        }
    }

    fn decades(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let every = ((last - first) / 6.0).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut power = first;
        while power <= last + 1e-9 {
            let value = 10_f64.powf(power);
            ticks.push((value, write_power(power)));
            power += every;
        }
        Self {
            from: 10_f64.powf(first),
            to: 10_f64.powf(last),
            ticks,
            logarithmic: true,
        }
    }
}

/// Smallest and largest of the finite values.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
        })
}

/// The next of 1, 2, 2.5, 5 times a power of ten that is not below `rough`.
fn nice_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|factor| rough <= factor * power * (1.0 + 1e-9))
        .unwrap_or(10.0);
    factor * power
}

/// A tick of an axis whose ticks are `step` apart.
fn write(value: f64, step: f64, notation: Notation) -> String {
    let tiny = step
        < if notation == Notation::Scientific {
            1e-3
        } else {
            1e-5
        };
    if tiny || value.abs() >= 1e7 {
        return if value == 0.0 {
            "0".to_owned()
        } else {
            scientific(value, step)
        };
    }
    // As many decimals as the step needs: one more for 0.25 than for 0.2.
    let decimals = (0..8_i32).find(|&places| {
        let scaled = step * 10_f64.powi(places);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
    });
    let text = format!(
        "{value:.*}",
        usize::try_from(decimals.unwrap_or(8)).unwrap_or(0)
    );
    if value.abs() >= 10_000.0 {
        group(&text)
    } else {
        text
    }
}

/// `2e-4`, `1.5e-4`: with the decimals that a difference of `step` needs.
fn scientific(value: f64, step: f64) -> String {
    let exponent = (value.abs().log10() + 1e-9).floor();
    let mantissa = value / 10_f64.powf(exponent);
    let unit = step / 10_f64.powf(exponent);
    let decimals = (0..8_i32).find(|&places| {
        let (scaled, whole) = (unit * 10_f64.powi(places), mantissa * 10_f64.powi(places));
        scaled >= 1.0 - 1e-9 && (whole - whole.round()).abs() < 1e-6 * whole.abs()
            || (whole - whole.round()).abs() < 1e-9 * whole.abs()
    });
    format!(
        "{mantissa:.*}e{exponent}",
        usize::try_from(decimals.unwrap_or(3)).unwrap_or(3)
    )
}

fn write_power(power: f64) -> String {
    if (-3.0..=3.0).contains(&power) {
        format!("{}", 10_f64.powf(power))
    } else {
        format!("1e{power}")
    }
}

/// Commas between groups of three digits.
pub(crate) fn group(digits: &str) -> String {
    let (whole, decimals) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
    let (sign, whole) = whole
        .strip_prefix('-')
        .map_or(("", whole), |rest| ("-", rest));
    let mut grouped = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(decimals) = decimals {
        grouped.push('.');
        grouped.push_str(decimals);
    }
    grouped
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of ticks and steps are far below 2^52"
)]
pub(crate) fn count_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_enclose_the_data() {
        let axis = Axis::around([0.364, 0.475], 5, Notation::Decimal);
        assert_eq!(texts(&axis), ["0.375", "0.400", "0.425", "0.450", "0.475"]);
        assert!(axis.from <= 0.364 && axis.to >= 0.475);
    }

    #[test]
    fn learning_rates_are_written_as_in_a_toml() {
        let axis = Axis::around([0.0, 2e-4], 5, Notation::Scientific);
        assert_eq!(texts(&axis), ["0", "5e-5", "1e-4", "1.5e-4", "2e-4"]);
    }

    #[test]
    fn epochs_have_whole_ticks() {
        assert_eq!(texts(&Axis::integers(1, 3, 0.2, 8)), ["1", "2", "3"]);
        assert_eq!(texts(&Axis::integers(1, 1, 0.5, 8)), ["1"]);
        assert_eq!(
            texts(&Axis::integers(1, 40, 0.5, 8)),
            ["5", "10", "15", "20", "25", "30", "35", "40"]
        );
        assert_eq!(
            texts(&Axis::integers(0, 12_000, 0.0, 4)),
            ["0", "5000", "10,000"]
        );
        assert!(Axis::integers(0, 0, 0.0, 4).to > Axis::integers(0, 0, 0.0, 4).from);
    }

    #[test]
    fn one_value_gets_room_on_both_sides() {
        let axis = Axis::around([0.69; 5], 5, Notation::Decimal);
        assert!(
            axis.from < 0.69 && axis.to > 0.69 && axis.ticks.len() > 2,
            "{axis:?}"
        );
        let zero = Axis::around([0.0], 5, Notation::Decimal);
        assert!(zero.from >= 0.0 && zero.to > 0.0);
    }

    #[test]
    fn nothing_finite_still_gives_an_axis() {
        let axis = Axis::around([f64::NAN, f64::INFINITY], 5, Notation::Decimal);
        assert_eq!((axis.from, axis.to), (0.0, 1.0));
        assert!(axis.position(f64::NAN).is_finite());
    }

    #[test]
    fn shares_stay_between_0_and_1() {
        let axis = Axis::around_shares([0.93, 1.0], 5);
        assert!((axis.to - 1.0).abs() < 1e-12 && axis.from < 0.93);
        assert_eq!(texts(&axis), ["0.94", "0.96", "0.98", "1.00"]);
        assert!(Axis::around_shares([0.0, 0.2], 5).from >= 0.0);
        assert!(Axis::around_shares([1.0, 1.0], 5).to > Axis::around_shares([1.0, 1.0], 5).from);
    }

    #[test]
    fn every_scale_has_two_ticks_and_room_around_its_data() {
        for (low, high) in [
            (0.5, 0.86),
            (0.1, 0.1001),
            (3.0, 17.0),
            (-2.0, 5.0),
            (0.0, 2e-4),
            (1.0, 1.0),
        ] {
            for count in 2..8 {
                let axis = Axis::around([low, high], count, Notation::Decimal);
                assert!(axis.ticks.len() > 1 && axis.ticks.len() < 20, "{axis:?}");
                assert!(
                    (axis.from < low || low == 0.0) && axis.to > high,
                    "{axis:?}"
                );
                assert!(
                    axis.ticks
                        .iter()
                        .all(|(value, _)| (axis.from - 1e-9..=axis.to + 1e-9).contains(value)),
                    "{axis:?}"
                );
            }
        }
    }

    #[test]
    fn a_diverging_loss_gets_a_logarithmic_axis() {
        let axis = Axis::around_losses(&[0.4, 3e5], 5);
        assert!(axis.logarithmic);
        assert_eq!(texts(&axis), ["0.1", "10", "1000", "1e5"]);
        assert!((axis.position(0.1)).abs() < 1e-9 && (axis.position(1e6) - 1.0).abs() < 1e-9);
        assert!(!Axis::around_losses(&[0.4, 0.9], 5).logarithmic);
    }

    #[test]
    fn neighbouring_ticks_never_share_a_text() {
        for (low, high) in [
            (0.0, 1e-9),
            (123_456.0, 123_457.0),
            (-3.0, 5.0),
            (0.69, 0.690_01),
            (1e12, 3e12),
        ] {
            for notation in [Notation::Decimal, Notation::Scientific] {
                let axis = Axis::around([low, high], 5, notation);
                let texts = texts(&axis);
                assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
                assert!(texts.len() <= 12, "{texts:?}");
            }
        }
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(
            (group("1234567"), group("-123"), group("12345.5")),
            ("1,234,567".into(), "-123".into(), "12,345.5".into())
        );
    }
}
