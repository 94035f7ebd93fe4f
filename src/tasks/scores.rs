//! From labels and predictions to the scalars and the classification report of an evaluation.

use crate::metrics::{ClassificationReport, classification_report};
use crate::record::{MetricRow, ReportRow};

/// A scalar of the result.
pub(super) fn metric(evaluation: &str, metric: &str, value: f64) -> MetricRow {
    MetricRow {
        evaluation: evaluation.to_owned(),
        metric: metric.to_owned(),
        value,
    }
}

/// The scalars and the report of predictions, with the loss where there is one. A prediction that is
/// no class counts as wrong.
#[allow(clippy::cast_precision_loss)]
pub(super) fn judge(
    evaluation: &str,
    labels: &[usize],
    predictions: &[usize],
    loss: Option<f64>,
    classes: &[String],
) -> (Vec<MetricRow>, Vec<ReportRow>) {
    let report: ClassificationReport = classification_report(labels, predictions, classes);
    let metric = |name: &str, value: f64| metric(evaluation, name, value);
    let mut metrics = vec![
        metric("rows", labels.len() as f64),
        metric("accuracy", report.accuracy),
    ];
    metrics.extend(loss.map(|loss| metric("loss", loss)));
    for (name, average) in [
        ("macro", &report.macro_average),
        ("weighted", &report.weighted_average),
    ] {
        metrics.push(metric(&format!("{name}_precision"), average.precision));
        metrics.push(metric(&format!("{name}_recall"), average.recall));
        metrics.push(metric(&format!("{name}_f1"), average.f1_score));
    }
    let rows = report.lines().into_iter().map(|line| ReportRow {
        evaluation: evaluation.to_owned(),
        class: line.class,
        precision: line.precision,
        recall: line.recall,
        f1_score: line.f1_score,
        support: line.support,
    });
    (metrics, rows.collect())
}
