//! The first values of questions' embeddings.

use super::super::compare::{Basis, numbers};
use super::super::context::Context;
use super::super::nature::Nature;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::record::{VectorRow, read_rows};
use crate::study::{EmbeddingRow, Figure, Printed};

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["run", "question", "place"], &["value"]);
    for subject in subjects {
        let vectors = vectors(subject);
        let printed: Vec<&EmbeddingRow> = context
            .published()
            .embeddings
            .iter()
            .filter(|row| row.run == subject.name)
            .collect();
        let mut questions: Vec<&str> = figure.questions.iter().map(String::as_str).collect();
        if questions.is_empty() {
            questions.extend(printed.iter().map(|row| row.question.as_str()));
            let own = vectors.iter().map(|row| row.question.as_str());
            own.for_each(|question| {
                if !questions.contains(&question) {
                    questions.push(question);
                }
            });
        }
        for question in questions {
            let printed = printed.iter().find(|row| row.question == question);
            let ours = vectors.iter().find(|row| row.question == question);
            for (place, value) in lines(subject, printed.copied(), ours) {
                let labels = [subject.name, question, &place];
                table.push(labels, vec![value], subject.command_if_due());
            }
        }
    }
    table
}

/// The vectors of the first seed: the others have the same.
fn vectors(subject: &Subject<'_>) -> Vec<VectorRow> {
    let seed = subject.first();
    let rows = seed.map(|seed| read_rows(seed.folder()).unwrap_or_default());
    rows.unwrap_or_default()
}

/// The dimension, then the values by their places.
#[allow(clippy::cast_precision_loss, reason = "a vector's width")]
fn lines(
    subject: &Subject<'_>,
    printed: Option<&EmbeddingRow>,
    ours: Option<&VectorRow>,
) -> Vec<(String, Cell)> {
    let cell = |printed: Option<&Printed>, own: Option<f64>| {
        let text = printed.map(|printed| printed.text.as_str());
        let own: Vec<f64> = own.into_iter().collect();
        let value = numbers(
            subject,
            Nature::Exact,
            (text, printed),
            &own,
            Basis::default(),
        );
        Cell::Value(value)
    };
    let dimension = printed.and_then(|row| Printed::parse(&row.dimension.to_string()));
    let width = ours.map(|row| row.dimension as f64);
    let mut lines = vec![("dimension".to_owned(), cell(dimension.as_ref(), width))];
    let wanted = printed.map_or(&[][..], |row| &row.first_values);
    let own: Vec<f64> = ours.map(VectorRow::values).unwrap_or_default();
    // Ours has a fixed number of values; those that were not printed say nothing beside them.
    let many = if wanted.is_empty() {
        own.len()
    } else {
        wanted.len()
    };
    for place in 0..many {
        let value = cell(wanted.get(place), own.get(place).copied());
        lines.push(((place + 1).to_string(), value));
    }
    lines
}
