//! The kinds of table, a file each. None of them knows a study: what is shown, and of which runs,
//! stands in the manifest.

mod answers;
mod classification_report;
mod comparison;
mod dataset;
mod embedding;
mod epochs;
mod inspection;
mod models;
mod parameters;
mod retrieval;
mod similarity;
mod training;
mod values;

use super::context::Context;
use super::ours::Subject;
use super::table::Table;
use crate::study::{Figure, TableKind};

/// What a kind of table is made by.
type Maker = fn(&Context<'_>, &Figure, &[Subject<'_>]) -> Table;

/// The table of a figure.
pub(super) fn table(context: &Context<'_>, figure: &Figure) -> Table {
    let make: Maker = match figure.kind {
        TableKind::ClassificationReport => classification_report::table,
        TableKind::Epochs => epochs::table,
        TableKind::Parameters => parameters::table,
        TableKind::Training => training::table,
        TableKind::Values => values::table,
        TableKind::Comparison => comparison::table,
        TableKind::Embedding => embedding::table,
        TableKind::Similarity => similarity::table,
        TableKind::Retrieval => retrieval::table,
        TableKind::Answers => answers::table,
        TableKind::Models => models::table,
        TableKind::Inspection => inspection::table,
        TableKind::Dataset => dataset::table,
    };
    let subjects = context.subjects(figure);
    let mut table = make(context, figure, &subjects);
    let mut named: Vec<&str> = Vec::new();
    for subject in &subjects {
        if subject.name != subject.label && !named.contains(&subject.name) {
            named.push(subject.name);
        }
        table.notes.extend(subject.remark());
        let command = subject.command_if_due();
        table
            .commands
            .extend(command.filter(|command| !table.commands.contains(command)));
    }
    let ours = subjects
        .iter()
        .filter(|subject| named.contains(&subject.name));
    let ours: Vec<String> = ours
        .map(|subject| format!("{}: {}", subject.name, subject.label))
        .collect();
    if !ours.is_empty() {
        table.notes.insert(0, format!("Ours: {}.", ours.join("; ")));
    }
    table
}
