//! Precision, recall, F1 and support of each class, as scikit-learn prints them.

use super::super::compare::{Basis, numbers};
use super::super::context::Context;
use super::super::nature::Nature;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::record::ReportRow;
use crate::report::seed::SeedReport;
use crate::study::{ClassRow, Figure, Printed, Report};

/// The last three rows of a report, which are no classes.
const AVERAGES: [&str; 3] = ["accuracy", "macro avg", "weighted avg"];
const COLUMNS: [&str; 4] = ["precision", "recall", "f1-score", "support"];

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let evaluation = figure.evaluation();
    let many = subjects.len() > 1;
    let labels: &[&str] = if many { &["run", "class"] } else { &["class"] };
    let mut table = Table::new(labels, &COLUMNS);
    for subject in subjects {
        let published = context.published().report(subject.name, evaluation);
        for class in classes(published, subject, evaluation) {
            let line = Line {
                subject,
                printed: published.and_then(|report| report.row(&class)),
                ours: rows(subject, evaluation, &class),
            };
            let run = many.then_some(subject.name.to_owned());
            let labels = run.into_iter().chain([class]);
            table.push(labels, line.cells(), subject.command_if_due());
        }
    }
    table
}

/// The classes and averages that were published, then those that only ours has.
fn classes(published: Option<&Report>, subject: &Subject<'_>, evaluation: &str) -> Vec<String> {
    let printed = published.into_iter().flat_map(|report| &report.rows);
    let mut names: Vec<String> = printed.map(|row| row.class.clone()).collect();
    let ours = subject.first().into_iter();
    let ours: Vec<&str> = ours
        .flat_map(|seed| seed.classes_of(evaluation))
        .map(|row| row.class.as_str())
        .collect();
    if names.is_empty() {
        return ours.into_iter().map(str::to_owned).collect();
    }
    for name in ours {
        if !names.iter().any(|known| known == name) && !AVERAGES.contains(&name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// A class's row of each seed.
fn rows<'a>(subject: &Subject<'a>, evaluation: &str, class: &str) -> Vec<&'a ReportRow> {
    let of_seed = |seed: &&'a SeedReport| -> Option<&'a ReportRow> {
        let seed: &'a SeedReport = seed;
        let rows = seed.classes().iter();
        let mut rows = rows.filter(|row| row.evaluation == evaluation);
        if AVERAGES.contains(&class) {
            // The last of the name: a class may be called so, too.
            rows.rfind(|row| row.class == class)
        } else {
            rows.find(|row| row.class == class)
        }
    };
    subject.seeds().iter().filter_map(of_seed).collect()
}

/// A row of the table.
struct Line<'a> {
    subject: &'a Subject<'a>,
    printed: Option<&'a ClassRow>,
    ours: Vec<&'a ReportRow>,
}

/// A figure of a row, in both forms of it.
type Of<T, R> = fn(&T) -> Option<R>;

impl Line<'_> {
    fn cells(&self) -> Vec<Cell> {
        let precision = self.share(
            |row| row.precision.clone(),
            |row| row.precision,
            |support, [precision, recall, _]| {
                // Precision is one of the rows that were given the class.
                precision.zip(recall).and_then(|(precision, recall)| {
                    (precision > 0.0 && recall > 0.0).then_some(support * recall / precision)
                })
            },
        );
        let recall = self.share(|row| row.recall.clone(), |row| row.recall, |_, _| None);
        let f1 = self.share(
            |row| row.f1_score.clone(),
            |row| Some(row.f1_score),
            |support, [precision, recall, f1]| {
                // F1 is 2 J / (1 + J) of the share J that both agree on, of the rows that are of the
                // class or were given it; so many rows have a share with F1's variance.
                let f1 = f1.filter(|f1| *f1 > 0.0)?;
                precision?;
                let either = support * recall? * (2.0 / f1 - 1.0);
                Some(2.0 * either / (2.0 - f1).powi(2))
            },
        );
        vec![precision, recall, f1, self.support()]
    }

    #[allow(clippy::cast_precision_loss, reason = "row counts")]
    fn share(
        &self,
        printed: Of<ClassRow, Printed>,
        ours: Of<ReportRow, f64>,
        behind: fn(f64, [Option<f64>; 3]) -> Option<f64>,
    ) -> Cell {
        let text = self.printed.and_then(printed);
        let values: Vec<f64> = self.ours.iter().filter_map(|row| ours(row)).collect();
        if text.is_none() && values.is_empty() {
            return Cell::Empty;
        }
        let published_rows = self.printed.map(|row| {
            let support = row.support as f64;
            let of = |printed: &Option<Printed>| printed.as_ref().map(|printed| printed.value);
            let figures = [of(&row.precision), of(&row.recall), of(&row.f1_score)];
            behind(support, figures).unwrap_or(support)
        });
        let rows = self.ours.first().map(|row| {
            let support = row.support as f64;
            let figures = [row.precision, row.recall, Some(row.f1_score)];
            behind(support, figures).unwrap_or(support)
        });
        let basis = Basis {
            published_rows,
            rows,
            deviation: None,
        };
        let printed = (
            text.as_ref().map(|printed| printed.text.as_str()),
            text.as_ref(),
        );
        Cell::Value(numbers(
            self.subject,
            Nature::Share,
            printed,
            &values,
            basis,
        ))
    }

    #[allow(clippy::cast_precision_loss, reason = "row counts")]
    fn support(&self) -> Cell {
        let text = self.printed.map(|row| row.support.to_string());
        let printed = text.as_deref().and_then(Printed::parse);
        let ours: Vec<f64> = self.ours.iter().map(|row| row.support as f64).collect();
        let printed = (text.as_deref(), printed.as_ref());
        Cell::Value(numbers(
            self.subject,
            Nature::Exact,
            printed,
            &ours,
            Basis::default(),
        ))
    }
}
