//! Rows of the data by class, and the first text of each class that a run was judged on.

use super::super::compare::{Basis, numbers, value};
use super::super::context::Context;
use super::super::nature::Nature;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::record::read_predictions;
use crate::report::seed::SeedReport;
use crate::study::{Figure, Printed, Reference, Report};

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["run", "what"], &["value"]);
    let evaluation = figure.evaluation();
    for subject in subjects {
        let references = figure
            .values
            .iter()
            .filter_map(|name| Reference::parse(name).ok());
        for reference in references {
            let value = value(context.published(), subject, &reference);
            if value.published.is_empty() && value.ours.is_empty() {
                continue;
            }
            let labels = [subject.name.to_owned(), reference.to_string()];
            table.push(labels, vec![Cell::Value(value)], subject.command_if_due());
        }
        for (class, cell) in supports(context, subject, evaluation) {
            let labels = [
                subject.name.to_owned(),
                format!("rows of class {class} in `{evaluation}`"),
            ];
            table.push(labels, vec![cell], subject.command_if_due());
        }
        let texts = subject.first().map(|seed| first_texts(seed, evaluation));
        for (class, row, text) in texts.into_iter().flatten() {
            let labels = [
                subject.name.to_owned(),
                format!("first text of class {class} (row {row})"),
            ];
            table.push(labels, vec![Cell::Text(text)], None);
        }
    }
    table
}

/// Each class's rows in an evaluation.
#[allow(clippy::cast_precision_loss, reason = "row counts")]
fn supports(context: &Context<'_>, subject: &Subject<'_>, evaluation: &str) -> Vec<(String, Cell)> {
    let published = context.published().report(subject.name, evaluation);
    let printed = published.into_iter().flat_map(Report::classes);
    let printed: Vec<(String, u64)> = printed
        .map(|row| (row.class.clone(), row.support))
        .collect();
    let own: Vec<(String, u64)> = subject.first().map_or_else(Vec::new, |seed| {
        let rows: Vec<_> = seed.classes_of(evaluation).collect();
        // Accuracy and the averages are the last three.
        let classes = rows.len().saturating_sub(3);
        let classes = rows[..classes].iter();
        classes
            .map(|row| (row.class.clone(), row.support))
            .collect()
    });
    let mut names: Vec<&String> = printed.iter().chain(&own).map(|(class, _)| class).collect();
    names.sort_unstable();
    names.dedup();
    let of = |rows: &[(String, u64)], name: &String| {
        let row = rows.iter().find(|(class, _)| class == name);
        row.map(|(_, support)| *support)
    };
    names
        .into_iter()
        .map(|name| {
            let text = of(&printed, name).map(|support| support.to_string());
            let number = text.as_deref().and_then(Printed::parse);
            let ours: Vec<f64> = of(&own, name)
                .map(|support| support as f64)
                .into_iter()
                .collect();
            let printed = (text.as_deref(), number.as_ref());
            let value = numbers(subject, Nature::Exact, printed, &ours, Basis::default());
            (name.clone(), Cell::Value(value))
        })
        .collect()
}

/// The first text of each class by its row in the data.
fn first_texts(seed: &SeedReport, evaluation: &str) -> Vec<(String, u64, String)> {
    let mut first: Vec<(String, u64, String)> = Vec::new();
    let read = read_predictions(seed.folder(), |row| {
        if row.evaluation != evaluation {
            return;
        }
        match first.iter_mut().find(|(class, _, _)| class == row.label) {
            Some(known) if known.1 > row.row => {
                *known = (row.label.to_owned(), row.row, row.text.to_owned());
            }
            Some(_) => {}
            None => first.push((row.label.to_owned(), row.row, row.text.to_owned())),
        }
    });
    // What is wrong with the file is said where the run is.
    if read.is_err() {
        first.clear();
    }
    first.sort_unstable();
    first
}
