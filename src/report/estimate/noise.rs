//! How the figures of an experiment vary between seeds, pooled over its runs.

use std::collections::{BTreeMap, HashMap};

use super::Estimate;
use crate::metrics::{ClassRows, Pool, Trainings, macro_f1_row_variance};
use crate::record::ReportRow;

/// A figure with an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Figure {
    Accuracy,
    MacroF1,
    Loss,
}

/// What an experiment's current runs say of each evaluation; nothing where all have one seed.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Noises {
    pub evaluations: BTreeMap<String, Noise>,
}

/// How the figures of one evaluation vary.
#[derive(Debug, Clone)]
pub(in crate::report) struct Noise {
    pub accuracy: Pool,
    pub macro_f1: Pool,
    pub loss: Pool,
    /// The part of the rows' variance that the trainings of a run have in common, by its name.
    pub common: HashMap<String, f64>,
}

impl Noises {
    /// Of one evaluation; none if no run has several seeds there.
    pub(in crate::report) fn on(&self, evaluation: &str) -> Option<&Noise> {
        self.evaluations.get(evaluation)
    }
}

impl Noise {
    fn pool(&self, figure: Figure) -> &Pool {
        match figure {
            Figure::Accuracy => &self.accuracy,
            Figure::MacroF1 => &self.macro_f1,
            Figure::Loss => &self.loss,
        }
    }
}

impl Estimate {
    /// A figure that a run measured, by what its experiment knows of the evaluation; by its own
    /// seeds alone where that is nothing. None if no seed has it.
    pub(in crate::report) fn of_run(
        run: &Trainings,
        noise: Option<&Noise>,
        figure: Figure,
    ) -> Option<Self> {
        let found = match noise {
            Some(noise) => noise.pool(figure).estimate(run)?,
            None => Pool::of([run]).estimate(run)?,
        };
        let estimate = Self::new(found, run);
        Some(match figure {
            // Beside an accuracy with its interval, a second one of the same texts says nothing.
            Figure::MacroF1 if run.values.len() < 2 && noise.is_none() => {
                Self::plain(estimate.value)
            }
            Figure::Accuracy | Figure::MacroF1 => estimate.within_a_share(),
            Figure::Loss => estimate,
        })
    }
}

/// What a row adds to the macro F1 of a classification report, its three averages at the end, over
/// that of a share as large. None without a report.
pub(in crate::report) fn macro_f1_scale(value: f64, report: &[&ReportRow]) -> Option<f64> {
    let classes = &report[..report.len().checked_sub(3)?];
    let classes: Vec<ClassRows> = classes.iter().map(|row| class_rows(row)).collect();
    let scale = macro_f1_row_variance(&classes)? / (value * (1.0 - value));
    // A row of a figure at its end says nothing of others: as much as of a share.
    Some(if scale.is_finite() { scale } else { 1.0 })
}

#[expect(clippy::cast_precision_loss, reason = "row counts")]
fn class_rows(row: &ReportRow) -> ClassRows {
    let support = row.support as f64;
    let right = row.recall.unwrap_or(0.0) * support;
    let given = row.precision.filter(|&precision| precision > 0.0);
    ClassRows {
        support,
        right,
        predicted: given.map_or(0.0, |precision| right / precision),
    }
}
