//! A report that disagrees with the last epoch of the same run, and accuracies that so many rows
//! cannot have.

use super::Finding;
use crate::study::Study;

/// What epochs may have been evaluated on, the first that a run has a report of.
const EVALUATIONS: [&str; 2] = ["validation", "test"];

pub(super) fn find(study: &Study) -> Vec<Finding> {
    study.names().flat_map(|run| of_run(study, run)).collect()
}

fn of_run(study: &Study, run: &str) -> Vec<Finding> {
    let published = &study.published;
    let reports = EVALUATIONS
        .iter()
        .filter_map(|evaluation| published.report(run, evaluation));
    let Some(report) = reports.clone().next() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for epoch in published.epochs_of(run) {
        let Some((accuracy, rows)) = epoch.accuracy.as_ref().zip(report.rows()) else {
            continue;
        };
        if !accuracy.is_share_of(rows) {
            let text = format!(
                "{run} prints an accuracy of {} after epoch {}, which no number of right answers out of {rows} gives.",
                accuracy.text, epoch.epoch
            );
            found.push(Finding::new("accuracy that the rows rule out", [run], text));
        }
    }
    let last = published.epochs_of(run).last();
    let last = last.and_then(|epoch| Some((epoch.epoch, epoch.accuracy.as_ref()?)));
    if let Some(((epoch, after), reported)) = last.zip(report.accuracy())
        && !after.may_equal(reported)
    {
        let text = format!(
            "{run} ends epoch {epoch} at an accuracy of {}, but its report on the same rows says {}: the report is of another model, or of another time.",
            after.text, reported.text
        );
        found.push(Finding::new("report against the last epoch", [run], text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::{Sample, report};

    fn found(epochs: &str) -> Vec<String> {
        let sample = Sample {
            // Accuracy 0.905.
            reports: report("a", "test", [[180, 20], [18, 182]]),
            epochs: epochs.to_owned(),
            ..Sample::default()
        };
        find(&sample.study())
            .into_iter()
            .map(|finding| finding.text)
            .collect()
    }

    #[test]
    fn a_report_that_is_the_last_epoch_rounded_is_sound() {
        // Ties may be rounded either way.
        assert_eq!(found("a,1,,,0.8\na,2,,,0.905\n"), [""; 0]);
        assert_eq!(found(""), [""; 0]);
    }

    #[test]
    fn a_report_of_another_model_is_found() {
        let found = found("a,1,,,0.905\na,2,,,0.8925\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("0.8925") && found[0].contains("epoch 2"),
            "{found:?}"
        );
    }

    #[test]
    fn an_accuracy_between_two_counts_is_found() {
        let found = found("a,1,,,0.8831\na,2,,,0.905\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("0.8831") && found[0].contains("400"),
            "{found:?}"
        );
    }
}
