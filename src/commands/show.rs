//! `ensayo show`: settings, metrics and classification reports of runs; with `--prompt`, their
//! prompts.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::standing::Standing;
use super::{CommandError, Ended, finished, table, words};
use crate::cli::ShowArgs;
use crate::metrics::{ClassificationReport, Interval, ReportLine, wilson_interval};
use crate::record::{self, ReportRow, RunRecord, Status};
use crate::report::duration;

/// Shows every run that the patterns match.
///
/// # Errors
/// When a pattern matches nothing or a file cannot be read.
pub fn run(args: &ShowArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if let Some(which) = &args.prompt {
        return super::prompts::run(args, which, output);
    }
    let found = finished::find(&args.results, &args.patterns)?;
    let names = found.iter().map(|(_, record)| &*record.experiment);
    let standing = Standing::of(&args.results, &args.experiments, names);
    let results = &args.results;
    for (index, (folder, record)) in found.iter().enumerate() {
        if index > 0 {
            writeln!(output)?;
        }
        let standing = [
            standing
                .staleness(record)
                .map(|reason| format!("stale, not what its experiment says now: {reason}")),
            standing.later_attempt(results, record),
            record.damage(folder).map(|damage| {
                format!(
                    "its result is damaged: {damage}; `ensayo run {}` makes it again",
                    record.label()
                )
            }),
        ];
        show(&standing, folder, record, output)?;
    }
    Ok(Ended::Done)
}

fn show(
    standing: &[Option<String>],
    folder: &Path,
    record: &RunRecord,
    output: &mut dyn Write,
) -> Result<(), CommandError> {
    let status = match record.status {
        Status::Complete => "complete",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
    };
    writeln!(output, "{}: {status}", record.label())?;
    let environment = &record.environment;
    writeln!(
        output,
        "  {}, {}, on {}{}, ensayo {}",
        to_the_second(&record.started),
        duration(record.wall_seconds),
        environment.device,
        if environment.tf32 == Some(true) {
            " (products of f32 may be in TF32)"
        } else {
            ""
        },
        environment.version
    )?;
    writeln!(output, "  {}", folder.display())?;
    if let Some(from) = &record.adopted_from {
        writeln!(output, "  computed as {from}, which has the same settings")?;
    }
    if record.sittings.len() > 1 {
        let sittings = record.sittings.iter().map(|sitting| {
            let device = &sitting.device;
            format!("{} on {device}", duration(sitting.seconds))
        });
        let sittings: Vec<_> = sittings.collect();
        writeln!(
            output,
            "  in {} sittings: {}",
            sittings.len(),
            sittings.join(", ")
        )?;
    }
    for remark in standing.iter().flatten() {
        writeln!(output, "  {remark}")?;
    }
    if !record.overrides.is_empty() {
        writeln!(output, "  --set {}", record.overrides.join(" --set "))?;
    }
    if let Some(error) = &record.error {
        writeln!(output, "\nerror: {error}")?;
    }
    for note in &record.notes {
        writeln!(output, "\nnote: {note}")?;
    }
    let settings = fs::read_to_string(folder.join(record::RUN_FILE));
    if let Ok(settings) = settings {
        writeln!(output, "\n{}", settings.trim_end())?;
    }
    let metrics = record.metrics.iter().map(|row| {
        vec![
            row.evaluation.clone(),
            row.metric.clone(),
            words::number(row.value),
        ]
    });
    let measurements = record.measurements.iter().map(|row| {
        vec![
            "measured".into(),
            row.metric.clone(),
            words::number(row.value),
        ]
    });
    let head = ["evaluation", "metric", "value"]
        .map(str::to_owned)
        .to_vec();
    let rows: Vec<_> = std::iter::once(head)
        .chain(metrics)
        .chain(measurements)
        .collect();
    writeln!(output, "\n{}", table::lines(&rows).trim_end())?;

    for (evaluation, report) in reports(&record::read_rows(folder)?) {
        writeln!(output, "\n{evaluation}:\n{}", report.to_text(4).trim_end())?;
        writeln!(output, "{}", interval(&report))?;
    }
    Ok(())
}

/// The accuracy of a report with the interval of its rows.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a row count"
)]
fn interval(report: &ClassificationReport) -> String {
    let right = (report.accuracy * report.support as f64).round() as u64;
    let Interval { low, high } = wilson_interval(right, report.support);
    format!(
        "accuracy {:.4} [{low:.4}, {high:.4}]: 95 % Wilson interval on {}",
        report.accuracy,
        words::count(usize::try_from(report.support).unwrap_or(usize::MAX), "row")
    )
}

/// A time without the fraction of its second, which tells attempts apart but no person anything.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

/// The classification reports of a file, one per evaluation in their order.
fn reports(rows: &[ReportRow]) -> Vec<(String, ClassificationReport)> {
    let groups = rows.chunk_by(|one, next| one.evaluation == next.evaluation);
    groups
        .filter_map(|group| {
            let lines = group.iter().map(|row| ReportLine {
                class: row.class.clone(),
                precision: row.precision,
                recall: row.recall,
                f1_score: row.f1_score,
                support: row.support,
            });
            let report = ClassificationReport::from_lines(&lines.collect::<Vec<_>>())?;
            Some((group[0].evaluation.clone(), report))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::classification_report;

    #[test]
    fn reports_read_from_rows_are_the_reports_written() {
        let names = ["accuracy".to_owned(), "good".to_owned()];
        let written = [
            (
                "test",
                classification_report(&[0, 0, 1, 1, 1], &[0, 1, 1, 1, 0], &names),
            ),
            ("custom", classification_report(&[0, 1], &[1, 1], &names)),
        ];
        let mut rows = Vec::new();
        for (evaluation, report) in &written {
            rows.extend(report.lines().into_iter().map(|line| ReportRow {
                evaluation: (*evaluation).to_owned(),
                class: line.class,
                precision: line.precision,
                recall: line.recall,
                f1_score: line.f1_score,
                support: line.support,
            }));
        }
        let read = reports(&rows);
        assert_eq!(read.len(), 2);
        for ((evaluation, report), (wanted, original)) in read.iter().zip(&written) {
            assert_eq!(evaluation, wanted);
            assert_eq!(report.to_text(4), original.to_text(4));
        }
    }
}
