//! How near questions are to the chunk that is nearest to them.

use super::super::compare::value;
use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::report::seed::SeedReport;
use crate::study::{Figure, Reference};

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["run", "question"], &["embedder", "metric", "similarity"]);
    for subject in subjects {
        for question in questions(figure, subject) {
            let of = |reference| Cell::Value(value(context.published(), subject, &reference));
            let setting = |key: &str| of(Reference::Setting(key.to_owned()));
            let cells = vec![
                setting("embedder.id"),
                setting("retrieval.metric"),
                of(Reference::of(&question, "best_score")),
            ];
            table.push([subject.name, &question], cells, subject.command_if_due());
        }
    }
    table
}

/// The figure's questions; where it names none, those of the run.
fn questions(figure: &Figure, subject: &Subject<'_>) -> Vec<String> {
    if !figure.questions.is_empty() {
        return figure.questions.clone();
    }
    let mut found: Vec<String> = Vec::new();
    let rows = subject.first().into_iter().flat_map(SeedReport::retrieval);
    for row in rows {
        if found.last() != Some(&row.question) && !found.contains(&row.question) {
            found.push(row.question.clone());
        }
    }
    found
}
