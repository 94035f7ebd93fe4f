//! An experiment of a kind that this version does not know: its metrics by their names.

use super::{Score, View};
use crate::report::experiment::ExperimentReport;
use crate::report::figures;

pub(super) struct Generic;

impl View for Generic {
    fn evaluations(&self) -> &'static [&'static str] {
        &["test", "validation"]
    }

    fn scores<'a>(&self, experiment: &'a ExperimentReport, evaluation: &'a str) -> Vec<Score<'a>> {
        let mut names: Vec<&str> = Vec::new();
        for (_, seed) in experiment.seeds() {
            for row in seed.record.iter().flat_map(|record| &record.metrics) {
                if row.evaluation == evaluation && !names.contains(&row.metric.as_str()) {
                    names.push(&row.metric);
                }
            }
        }
        let score = |name: &'a str| {
            Score::new(name, move |run| {
                let value = run.mean(|seed| seed.metric(evaluation, &[name]));
                value.map(figures::count)
            })
        };
        names.into_iter().map(score).collect()
    }

    fn summary_column(
        &self,
        _: &ExperimentReport,
        evaluation: &str,
        metric: &str,
    ) -> Option<String> {
        Some(if evaluation == "run" {
            metric.to_owned()
        } else {
            format!("{evaluation}.{metric}")
        })
    }

    fn remarks(&self, experiment: &ExperimentReport) -> Vec<String> {
        if experiment.kind.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "This version of ensayo does not know experiments of kind `{}`, so their metrics are shown as they are.",
            experiment.kind
        )]
    }
}
