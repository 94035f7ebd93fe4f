//! One interval for a figure of a run: how far it would move with other trainings and other texts.
//! What trainings add is pooled over the runs of an experiment, since the two or three seeds of one
//! run know too little of it. `docs/statistics.md` has the derivation.

use super::agreement::KNOWN_FROM;
use super::statistics::{Interval, NORMAL_QUANTILE, f_tail, mean, t_quantile};

/// Degrees of freedom from which others can say that a run's seeds differ by more than theirs.
const ENOUGH: usize = 5;
/// How seldom all of an experiment's runs would have to pass the test for one to stand apart.
const APART: f64 = 0.01;

/// What a run measured of one figure: a value for each of its trainings, all on the same rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trainings {
    /// A value for each training.
    pub values: Vec<f64>,
    /// What the rows add, where that is known.
    pub rows: Option<Rows>,
}

/// The rows that a figure was measured on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows {
    /// How many.
    pub count: u64,
    /// The variance of what one row adds to the figure `f` of one training, over `f` (1 - `f`): 1
    /// for a share of the rows.
    pub scale: f64,
    /// The part of this variance that all trainings of the run have in common, since the same rows
    /// are hard for all of them; none where it was not looked up.
    pub common: Option<f64>,
}

impl Rows {
    /// Rows of which the figure is a share.
    #[must_use]
    pub fn of_share(count: u64, common: Option<f64>) -> Self {
        Self {
            count,
            scale: 1.0,
            common,
        }
    }
}

/// What the runs of an experiment say together of how a figure varies.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    seeds: Option<Seeds>,
    /// The part of the rows' variance that trainings have in common.
    common: f64,
    /// Runs for which that was looked up.
    looked_up: usize,
}

/// The variance between the trainings of one run on the same rows, pooled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seeds {
    /// The variance.
    pub variance: f64,
    /// Its degrees of freedom.
    pub freedom: usize,
    /// Runs that it is pooled over.
    pub runs: usize,
    /// Runs with several seeds that are left out, since theirs differ by more than chance explains.
    pub apart: usize,
    /// The part of the variance that stems from the rows: trainings disagree on some of them.
    from_rows: f64,
}

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimated {
    /// The mean over the trainings.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
    /// What the interval covers.
    pub covers: Covers,
}

/// What an interval covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// There is none.
    Nothing,
    /// The same trainings on other texts.
    Texts,
    /// Other trainings on the same texts.
    Trainings,
    /// Other trainings on other texts.
    Both,
}

/// A run with several trainings.
struct Several {
    variance: f64,
    freedom: usize,
    rows: Option<(f64, Rows)>,
}

impl Pool {
    /// Pools runs whose trainings were all judged on comparable rows.
    #[must_use]
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a Trainings>) -> Self {
        let mut several: Vec<Several> = runs.into_iter().filter_map(Several::of).collect();
        let (common, looked_up) = common_of(&several);
        let tested = several.len();
        // Sorted, the one that may stand apart is the last, and what the others say a sum.
        several.sort_by(|one, two| one.variance.total_cmp(&two.variance));
        let mut apart = 0;
        while let Some((last, rest)) = several.split_last() {
            let others = seeds(rest, common);
            if !others.is_some_and(|others| others.is_exceeded(last.variance, last.freedom, tested))
            {
                break;
            }
            several.pop();
            apart += 1;
        }
        let seeds = seeds(&several, common).map(|seeds| Seeds { apart, ..seeds });
        Self {
            seeds,
            common,
            looked_up,
        }
    }

    /// The pooled variance between trainings; none where no run has several.
    #[must_use]
    pub fn seeds(&self) -> Option<Seeds> {
        self.seeds
    }

    /// Runs of which the rows were looked up on which their trainings agree.
    #[must_use]
    pub fn looked_up(&self) -> usize {
        self.looked_up
    }

    /// Whether a run's own trainings differ by more than those of the other runs and chance
    /// explain, so that its interval rests on them alone.
    #[must_use]
    pub fn stands_apart(&self, run: &Trainings) -> bool {
        Several::of(run).is_some_and(|own| self.is_exceeded(&own))
    }

    fn is_exceeded(&self, own: &Several) -> bool {
        let tested = |seeds: &Seeds| seeds.runs + seeds.apart;
        self.seeds
            .is_some_and(|seeds| seeds.is_exceeded(own.variance, own.freedom, tested(&seeds)))
    }

    /// The mean of a run's trainings with its interval; none for no trainings.
    #[must_use]
    pub fn estimate(&self, run: &Trainings) -> Option<Estimated> {
        Some(self.around(mean(&run.values)?, run))
    }

    /// The interval that a run would have around another value than the mean of its trainings.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
    pub fn around(&self, value: f64, run: &Trainings) -> Estimated {
        let plain = Estimated {
            value,
            interval: None,
            covers: Covers::Nothing,
        };
        let usable = |rows: &Rows| rows.count > 0 && rows.scale.is_finite();
        let rows = run.rows.filter(usable);
        if !value.is_finite() {
            return plain;
        }
        let trainings = self.training_variance(value, rows, run);
        let (squared, in_proportion, covers) = match (trainings, rows) {
            (None, None) => return plain,
            (None, Some(rows)) => {
                let row = rows.scale / rows.count as f64;
                (0.0, NORMAL_QUANTILE.powi(2) * row, Covers::Texts)
            }
            (Some((variance, freedom)), None) => {
                let t = t_quantile(freedom as f64);
                (t * t * variance, 0.0, Covers::Trainings)
            }
            (Some((variance, freedom)), Some(rows)) => {
                let t = t_quantile(freedom as f64);
                let row = self.common_of(value, &rows) * rows.scale / rows.count as f64;
                (
                    t * t * variance,
                    NORMAL_QUANTILE.powi(2) * row,
                    Covers::Both,
                )
            }
        };
        let interval = if rows.is_some() {
            score_interval(value, squared, in_proportion)
        } else {
            let half = squared.sqrt();
            Interval {
                low: value - half,
                high: value + half,
            }
        };
        Estimated {
            value,
            interval: Some(interval),
            covers,
        }
    }

    /// The variance of a run's mean that stems from its trainings, what the rows add to it
    /// included, and its degrees of freedom.
    #[allow(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
    fn training_variance(
        &self,
        value: f64,
        rows: Option<Rows>,
        run: &Trainings,
    ) -> Option<(f64, usize)> {
        let seeds = self.seeds?;
        let trainings = run.values.len().max(1) as f64;
        if let Some(own) = Several::of(run).filter(|own| self.is_exceeded(own)) {
            return Some((own.variance / trainings, own.freedom));
        }
        let from_rows = rows.map_or(0.0, |rows| {
            (1.0 - self.common) * row_variance(value, &rows) / rows.count as f64
        });
        let variance = seeds.at(from_rows);
        Some((variance / trainings, seeds.freedom))
    }

    /// The variance of a run's mean that its trainings would add on any rows: none if no run has
    /// several.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
    pub fn variance_of_trainings(&self, run: &Trainings) -> f64 {
        let trainings = run.values.len().max(1) as f64;
        self.seeds.map_or(0.0, |seeds| {
            (seeds.variance - seeds.from_rows).max(0.0) / trainings
        })
    }

    /// The part of the rows' variance that a run's trainings have in common: its own, drawn to that
    /// of all runs as long as few rows speak for it.
    #[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
    fn common_of(&self, value: f64, rows: &Rows) -> f64 {
        let weight = rows.count as f64 * row_variance(value, rows);
        match rows.common {
            Some(own) => (weight * own + KNOWN_FROM * self.common) / (weight + KNOWN_FROM),
            None => self.common,
        }
    }
}

impl Several {
    /// None unless there are several values, all finite.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53 values")]
    fn of(run: &Trainings) -> Option<Self> {
        let freedom = run
            .values
            .len()
            .checked_sub(1)
            .filter(|&freedom| freedom > 0)?;
        let value = mean(&run.values).filter(|value| value.is_finite())?;
        let squares: f64 = run.values.iter().map(|one| (one - value).powi(2)).sum();
        Some(Self {
            variance: squares / freedom as f64,
            freedom,
            rows: run
                .rows
                .filter(|rows| rows.count > 0)
                .map(|rows| (value, rows)),
        })
    }
}

impl Seeds {
    /// The variance between the trainings of a run in which the rows account for `from_rows` of it.
    /// What exceeds the rows' part stems from training and is the same for all runs; where nothing
    /// does, it is in proportion to the rows' part.
    fn at(&self, from_rows: f64) -> f64 {
        if self.from_rows <= 0.0 {
            self.variance
        } else if self.variance > self.from_rows {
            self.variance - self.from_rows + from_rows
        } else {
            self.variance * from_rows / self.from_rows
        }
    }

    /// Whether a run's own variance is too large for this one, when the largest of `tested` runs is
    /// looked at.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53 runs")]
    fn is_exceeded(&self, variance: f64, freedom: usize, tested: usize) -> bool {
        let expected = self.variance.max(self.from_rows);
        if self.freedom < ENOUGH || variance <= expected {
            return false;
        }
        if expected <= 0.0 {
            return true;
        }
        f_tail(variance / expected, freedom as f64, self.freedom as f64) * (tested as f64) < APART
    }
}

/// Pools the variance of these runs.
#[allow(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
fn seeds(runs: &[Several], common: f64) -> Option<Seeds> {
    let freedom: usize = runs.iter().map(|run| run.freedom).sum();
    if freedom == 0 {
        return None;
    }
    let pooled = |part: &dyn Fn(&Several) -> f64| {
        let weighted = runs.iter().map(|run| part(run) * run.freedom as f64);
        weighted.sum::<f64>() / freedom as f64
    };
    let from_rows = |run: &Several| {
        run.rows.map_or(0.0, |(value, rows)| {
            (1.0 - common) * row_variance(value, &rows) / rows.count as f64
        })
    };
    Some(Seeds {
        variance: pooled(&|run| run.variance),
        freedom,
        runs: runs.len(),
        apart: 0,
        from_rows: pooled(&from_rows),
    })
}

/// The part of the rows' variance that trainings have in common, over all runs, and the runs that
/// say it. Where none does, all of it: the interval is then rather too wide.
fn common_of(runs: &[Several]) -> (f64, usize) {
    let known = runs.iter().filter_map(|run| {
        let (value, rows) = run.rows?;
        Some((rows.common?, row_variance(value, &rows)))
    });
    let (mut common, mut all, mut runs) = (0.0, 0.0, 0);
    for (part, variance) in known {
        common += part * variance;
        all += variance;
        runs += 1;
    }
    if all > 0.0 {
        ((common / all).clamp(0.0, 1.0), runs)
    } else {
        (1.0, runs)
    }
}

/// The variance of what one row adds to one training's figure.
fn row_variance(value: f64, rows: &Rows) -> f64 {
    rows.scale * (value * (1.0 - value)).max(0.0)
}

/// Where a share may lie of which `value` was seen: all `x` with (x - `value`)² no larger than
/// `squared` + `in_proportion` x (1 - x). Without the first it is Wilson's interval (1927): the
/// rows' variance is that of the share asked about, not of the one seen, and nothing leaves 0 to 1.
fn score_interval(value: f64, squared: f64, in_proportion: f64) -> Interval {
    let scale = 1.0 + in_proportion;
    let middle = value + in_proportion / 2.0;
    let inner = (middle * middle - scale * (value * value - squared)).max(0.0);
    let half = inner.sqrt();
    Interval {
        low: ((middle - half) / scale).clamp(0.0, 1.0).min(value),
        high: ((middle + half) / scale).clamp(0.0, 1.0).max(value),
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
