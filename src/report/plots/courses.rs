//! What is drawn over epochs or ranks: the course of each run, and its measure.

use crate::draw::axis::{Axis, count_f64};
use crate::metrics;

/// The course of one run, once for each of its seeds.
#[derive(Debug, Clone)]
pub(in crate::report) struct Course {
    /// The run's name.
    pub name: String,
    /// (epoch, value) in the order of the epochs, for each seed.
    pub seeds: Vec<Vec<(usize, f64)>>,
    /// What follows the name in parentheses, such as that the run failed.
    pub remark: Option<&'static str>,
    /// How good the run is by another figure, the higher the better, where there is one.
    pub standing: Option<f64>,
}

/// What is drawn over the epochs.
#[derive(Debug, Clone)]
pub(in crate::report) struct Measure {
    /// With its unit, for the axis.
    pub name: String,
    /// What it is drawn over: `epoch`, `rank`.
    pub place: &'static str,
    /// Whether the last value says how good a run is.
    pub judged: bool,
    /// Whether it is a share, the higher the better, instead of a loss, the lower the better.
    pub share: bool,
}

/// Room around a figure.
pub(in crate::report) const MARGIN: f64 = 18.0;
impl Measure {
    pub(in crate::report) fn axis(&self, values: &[f64], ticks: usize) -> Axis {
        if self.share {
            Axis::around_shares(values.iter().copied(), ticks)
        } else {
            Axis::around_losses(values, ticks)
        }
    }
}

impl Course {
    /// The last value of the mean over the seeds, if it is finite.
    pub(in crate::report) fn last(&self) -> Option<f64> {
        let last = self.mean().last().map(|point| point.1);
        last.filter(|value| value.is_finite())
    }

    /// The mean over the seeds for each epoch that any of them reached; seeds without a finite
    /// value there do not count.
    pub(in crate::report) fn mean(&self) -> Vec<(f64, f64)> {
        let last = self
            .seeds
            .iter()
            .flatten()
            .map(|point| point.0)
            .max()
            .unwrap_or(0);
        let first = self
            .seeds
            .iter()
            .flatten()
            .map(|point| point.0)
            .min()
            .unwrap_or(1);
        (first..=last)
            .filter_map(|epoch| {
                let here: Vec<f64> = self
                    .seeds
                    .iter()
                    .flatten()
                    .filter(|point| point.0 == epoch)
                    .map(|point| point.1)
                    .collect();
                if here.is_empty() {
                    return None;
                }
                let finite: Vec<f64> = here.into_iter().filter(|value| value.is_finite()).collect();
                let mean = if finite.is_empty() {
                    f64::NAN
                } else {
                    finite.iter().sum::<f64>() / count_f64(finite.len())
                };
                Some((count_f64(epoch), mean))
            })
            .collect()
    }

    /// The 95 % t-interval of the mean for each epoch that three seeds or more reached. Of two it
    /// would dwarf every curve.
    pub(in crate::report) fn intervals(&self) -> Vec<(f64, [f64; 2])> {
        let mut epochs: Vec<usize> = self.seeds.iter().flatten().map(|point| point.0).collect();
        epochs.sort_unstable();
        epochs.dedup();
        let interval = |epoch: usize| {
            let points = self.seeds.iter().flatten();
            let here: Vec<f64> = points
                .filter(|point| point.0 == epoch && point.1.is_finite())
                .map(|point| point.1)
                .collect();
            let interval = metrics::mean_interval(&here).filter(|_| here.len() > 2)?;
            Some((count_f64(epoch), [interval.low, interval.high]))
        };
        epochs.into_iter().filter_map(interval).collect()
    }

    /// The name with its remark.
    pub(in crate::report) fn label(&self) -> String {
        match self.remark {
            Some(remark) => format!("{} ({remark})", self.name),
            None if self.has_values() => self.name.clone(),
            None => format!("{} (no values)", self.name),
        }
    }

    pub(in crate::report) fn has_values(&self) -> bool {
        self.seeds.iter().flatten().any(|point| point.1.is_finite())
    }

    /// Each seed's points.
    pub(in crate::report) fn lines(&self) -> impl Iterator<Item = Vec<(f64, f64)>> + '_ {
        self.seeds.iter().map(|seed| {
            seed.iter()
                .map(|&(epoch, value)| (count_f64(epoch), value))
                .collect()
        })
    }
}

/// Which run ends best, and how many were better before their end.
pub(in crate::report) fn in_words(courses: &[Course], measure: &Measure) -> String {
    let sign = if measure.share { 1.0 } else { -1.0 };
    let ended: Vec<(&Course, f64)> = courses
        .iter()
        .filter_map(|course| Some((course, course.last()?)))
        .collect();
    let best = ended
        .iter()
        .max_by(|one, other| (sign * one.1).total_cmp(&(sign * other.1)));
    let Some((best, value)) = best else {
        return String::new();
    };
    let was_better = |(course, last): &&(&Course, f64)| {
        let before = course.mean().into_iter().map(|point| sign * point.1);
        // What the fourth digit tells apart.
        before.fold(f64::NEG_INFINITY, f64::max) > sign * last + 5e-5
    };
    let before = ended.iter().filter(was_better).count();
    let word = if measure.share { "Highest" } else { "Lowest" };
    let all = ended.len();
    let said = format!(" {word} at the end: {}, {value:.4}.", best.name);
    match (before, all) {
        (0, _) => said,
        (1, 1) => format!("{said} It was better before."),
        (1, all) => format!("{said} Of {all} runs, 1 was better before its end."),
        (before, all) => format!("{said} Of {all} runs, {before} were better before their end."),
    }
}
