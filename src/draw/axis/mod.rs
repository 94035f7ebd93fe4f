//! From data to ticks: which range an axis spans, and where its ticks stand.

mod texts;

pub(crate) use texts::group;

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

/// A largest loss this many times the smallest gets a logarithmic axis.
const LOGARITHMIC_FROM: f64 = 60.0;
/// The same of what a run costs.
const LOGARITHMIC_COST: f64 = 5.0;
/// Values nearer to one another than this share of them count as one: their ticks would differ in
/// the eighth digit.
const ALIKE: f64 = 1e-7;
/// Values beyond are drawn as this one, and those below its inverse as zero, so that no step
/// between ticks passes what a number can hold.
const LARGEST: f64 = 1e300;

impl Axis {
    /// Position of `value` along the axis, 0 at its start and 1 at its end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.ln() - self.from.ln()) / (self.to.ln() - self.from.ln())
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
        let constant = span <= ALIKE * high.abs().max(low.abs());
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

    /// What runs cost: logarithmic where the dearest costs several times the cheapest.
    pub(crate) fn around_costs(values: &[f64], count: usize) -> Self {
        match range(values.iter().copied()) {
            Some((low, high)) if low > 0.0 && high / low > LOGARITHMIC_COST => {
                Self::ratios(low, high)
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

    /// Differences: [`Axis::around`] the values and zero.
    pub(crate) fn around_differences(values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let axis = Self::around(values.into_iter().chain([0.0]), count, Notation::Decimal);
        // What stands at zero is drawn, too, and needs its room on the other side.
        let room = (axis.to - axis.from) * 0.05;
        let (from, to) = (axis.from.min(-room), axis.to.max(room));
        Self::linear(from, to, count, Notation::Decimal)
    }

    /// One without a scale, along which things stand in rows.
    pub(crate) fn none() -> Self {
        Self {
            from: 0.0,
            to: 1.0,
            ticks: Vec::new(),
            logarithmic: false,
        }
    }

    /// Whole numbers from `low` to `high` with `room` beyond both, at most about `count` ticks.
    pub(crate) fn integers(low: usize, high: usize, room: f64, count: usize) -> Self {
        let high = high.max(low);
        let step = nice_step(count_f64(high - low) / count_f64(count.max(1)))
            .max(1.0)
            .ceil();
        // Counted from 0, so that an axis from 1 has 5, 10, 15 … when it cannot have all.
        let first = (count_f64(low) / step).ceil() * step;
        let (mut from, mut to) = (count_f64(low) - room, count_f64(high) + room);
        if to - from < 1e-9 {
            (from, to) = (from - 0.5, to + 0.5);
        }
        Self {
            from,
            to,
            ticks: ticks(first, count_f64(high), step, Notation::Decimal),
            logarithmic: false,
        }
    }

    fn linear(from: f64, to: f64, count: usize, notation: Notation) -> Self {
        let span = to - from;
        let mut step = nice_step(span / count_f64(count.max(1)));
        // Two ticks are the least that make a scale.
        while (to / step + 1e-9).floor() - (from / step - 1e-9).ceil() < 1.0 && step > span * 1e-3 {
            step = nice_step(step * 0.49);
        }
        let first = (from / step - 1e-9).ceil() * step;
        Self {
            from,
            to,
            ticks: ticks(first, to, step, notation),
            logarithmic: false,
        }
    }

    /// From one power of ten to another.
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

    /// Logarithmic with a little room around two positive values.
    fn ratios(low: f64, high: f64) -> Self {
        const MANTISSAS: [&[f64]; 4] = [
            &[1.0],
            &[1.0, 3.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        ];
        if high.log10() - low.log10() > 7.0 {
            return Self::decades(low, high);
        }
        let room = (high / low).powf(0.07);
        let (from, to) = (low / room, high * room);
        let places = |mantissas: &[f64]| -> Vec<f64> {
            let mut places = Vec::new();
            let mut power = from.log10().floor();
            while power <= to.log10() {
                let of_power = mantissas.iter().map(|m| m * 10_f64.powf(power));
                places.extend(of_power.filter(|place| (from..=to).contains(place)));
                power += 1.0;
            }
            places
        };
        let places = MANTISSAS.map(places);
        let enough = places.iter().find(|places| places.len() > 2);
        let places = enough.unwrap_or(&places[3]);
        Self {
            from,
            to,
            ticks: places
                .iter()
                .map(|&place| (place, texts::short(place)))
                .collect(),
            logarithmic: true,
        }
    }
}

/// Ticks from `first` to `last` and their texts.
fn ticks(first: f64, last: f64, step: f64, notation: Notation) -> Vec<(f64, String)> {
    let mut values: Vec<f64> = Vec::new();
    for place in 0..100 {
        let value = first + step * f64::from(place);
        if value > last + step * 1e-9 {
            break;
        }
        // What is left of a zero after rounding would be written as one with a sign.
        values.push(if value.abs() < step * 1e-6 {
            0.0
        } else {
            value
        });
    }
    let texts = texts::all(&values, step, notation);
    let mut ticks: Vec<(f64, String)> = values.into_iter().zip(texts).collect();
    ticks.dedup_by(|next, one| next.1 == one.1);
    ticks
}

/// Smallest and largest of the finite values.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let tame = |value: f64| {
        let value = value.clamp(-LARGEST, LARGEST);
        if value.abs() < 1.0 / LARGEST {
            0.0
        } else {
            value
        }
    };
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .map(tame)
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

fn write_power(power: f64) -> String {
    if (-3.0..=3.0).contains(&power) {
        format!("{}", 10_f64.powf(power))
    } else {
        format!("1e{power}")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of ticks and steps are far below 2^52"
)]
pub(crate) fn count_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
