//! Any values: a row for each run, or, of one run, a row for each value.

use super::super::compare::value;
use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::study::{Figure, Reference};

/// So many values of one run stand below each other.
const FEW: usize = 5;

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    chosen(context, figure, subjects, &[])
}

/// The values that the figure names; where it names none, those of its kind.
pub(super) fn chosen(
    context: &Context<'_>,
    figure: &Figure,
    subjects: &[Subject<'_>],
    usual: &[&str],
) -> Table {
    let own = figure.values.iter().map(String::as_str);
    let names: Vec<&str> = if figure.values.is_empty() {
        usual.to_vec()
    } else {
        own.collect()
    };
    let references: Vec<Reference> = names
        .iter()
        .filter_map(|name| Reference::parse(name).ok())
        .collect();
    let cell = |subject: &Subject<'_>, reference: &Reference| {
        Cell::Value(value(context.published(), subject, reference))
    };
    if let ([only], true) = (subjects, references.len() > FEW) {
        let mut table = Table::new(&["value"], &[only.name]);
        for reference in &references {
            let cells = vec![cell(only, reference)];
            table.push([reference.to_string()], cells, only.command_if_due());
        }
        return table;
    }
    let mut table = Table::new(&["run"], &[]);
    table.columns = references.iter().map(Reference::to_string).collect();
    for subject in subjects {
        let cells = references.iter().map(|reference| cell(subject, reference));
        table.push([subject.name], cells.collect(), subject.command_if_due());
    }
    table
}
