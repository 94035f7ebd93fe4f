//! The order of an experiment's runs by one of their figures.

use std::collections::BTreeSet;

use super::experiment::{ExperimentReport, RunReport};
use super::seed::SeedReport;

/// Places of the runs, the best first; `None` if no run has the figure. Runs that lack it come last,
/// and those of earlier settings after all others.
pub(super) fn order(experiment: &ExperimentReport, metric: &str) -> Option<Vec<usize>> {
    let value = |run: &RunReport| {
        run.mean(|seed| figure(experiment, seed, metric))
            .filter(|value| !value.is_nan())
    };
    let values: Vec<Option<f64>> = experiment.runs.iter().map(value).collect();
    values.iter().flatten().next()?;
    let sign = if is_a_cost(metric) { 1.0 } else { -1.0 };
    let key = |place: usize| {
        let stale = experiment.runs[place].stale.is_some();
        let cost = values[place].map_or(f64::INFINITY, |value| sign * value);
        (stale, values[place].is_none(), cost)
    };
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&one, &two| {
        let ((one, lacks_one, cost_one), (two, lacks_two, cost_two)) = (key(one), key(two));
        (one, lacks_one)
            .cmp(&(two, lacks_two))
            .then(cost_one.total_cmp(&cost_two))
    });
    Some(order)
}

/// Names of all figures that runs can be ranked by.
pub(super) fn known(experiment: &ExperimentReport) -> BTreeSet<String> {
    let records = experiment
        .seeds()
        .filter_map(|(_, seed)| seed.record.as_ref());
    let mut known = BTreeSet::new();
    for record in records {
        known.insert("wall_seconds".to_owned());
        known.extend(record.measurements.iter().map(|row| row.metric.clone()));
        known.extend(record.metrics.iter().map(|row| {
            if row.evaluation == "run" || row.evaluation == experiment.evaluation {
                row.metric.clone()
            } else {
                format!("{}.{}", row.evaluation, row.metric)
            }
        }));
    }
    known
}

/// A figure under its plain name, where it is one of the main evaluation, of the run or measured;
/// one of another evaluation as `evaluation.metric`.
fn figure(experiment: &ExperimentReport, seed: &SeedReport, metric: &str) -> Option<f64> {
    let main = experiment.evaluation.as_str();
    let record = seed.record.as_ref()?;
    let measured = || record.measurements.iter().find(|row| row.metric == metric);
    record
        .metric(main, metric)
        .or_else(|| record.metric("run", metric))
        .or_else(|| measured().map(|row| row.value))
        .or_else(|| match metric {
            "wall_seconds" | "time" => Some(record.wall_seconds),
            "accuracy" => seed.accuracy(main),
            "macro_f1" => seed.macro_f1(main),
            _ => {
                let rows = record.metrics.iter();
                let mut own = rows.filter(|row| {
                    let rest = metric.strip_prefix(row.evaluation.as_str());
                    rest.and_then(|rest| rest.strip_prefix('.')) == Some(&*row.metric)
                });
                own.next().map(|row| row.value)
            }
        })
}

/// Whether less of it is better.
fn is_a_cost(metric: &str) -> bool {
    let last = metric.rsplit('.').next().unwrap_or(metric);
    let words = ["loss", "seconds", "time", "bytes", "parameters", "restarts"];
    last.split('_').any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_better_of_what_is_lost_or_spent() {
        for cost in ["loss", "validation.loss", "time", "peak_memory_bytes"] {
            assert!(is_a_cost(cost), "{cost}");
        }
        for merit in ["accuracy", "macro_f1", "hit@5", "train_samples_per_second"] {
            assert!(!is_a_cost(merit), "{merit}");
        }
    }
}
