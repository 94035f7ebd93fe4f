//! The figures of a run: what was computed, evaluation by evaluation, and what was measured.

use crate::report::figures;
use crate::report::seed::SeedReport;

/// A figure under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Figure {
    /// The evaluation; `run` for what belongs to none, `measured` for what was measured.
    pub evaluation: String,
    /// Its name.
    pub metric: String,
    /// In words, with its interval where it has one.
    pub value: String,
}

/// The figures of a run in the order of its record.
pub(in crate::report) fn of(seed: &SeedReport) -> Vec<Figure> {
    let Some(record) = &seed.record else {
        return Vec::new();
    };
    let computed = record.metrics.iter().map(|row| {
        let estimate = (row.metric == "accuracy")
            .then(|| seed.estimate(&row.evaluation))
            .flatten();
        Figure {
            evaluation: row.evaluation.clone(),
            metric: row.metric.clone(),
            value: estimate.map_or_else(
                || number(row.value),
                |estimate| figures::with_interval(&estimate),
            ),
        }
    });
    let measured = record.measurements.iter().map(|row| Figure {
        evaluation: "measured".to_owned(),
        metric: row.metric.clone(),
        value: number(row.value),
    });
    computed.chain(measured).collect()
}

/// A figure with as many digits as help: what four decimals would make nothing of keeps its first
/// three.
fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:.3e}")
    } else {
        figures::count(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_figures_keep_their_digits() {
        let said = [2e-5, 0.0, 1200.0, 0.25, f64::NAN].map(number);
        assert_eq!(said, ["2.000e-5", "0", "1,200", "0.2500", "not finite"]);
    }
}
