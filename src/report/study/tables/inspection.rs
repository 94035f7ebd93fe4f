//! What models are made of: a row for each fact, a column for each run that inspected one.

use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::record::{ModelFactRow, read_rows};
use crate::study::Figure;

pub(super) fn table(_: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["fact"], &[]);
    table.columns = subjects
        .iter()
        .map(|subject| subject.name.to_owned())
        .collect();
    let facts: Vec<Vec<ModelFactRow>> = subjects
        .iter()
        .map(|subject| {
            let seed = subject.first();
            seed.map_or_else(Vec::new, |seed| {
                read_rows(seed.folder()).unwrap_or_default()
            })
        })
        .collect();
    let mut names: Vec<String> = figure.values.clone();
    if names.is_empty() {
        for row in facts.iter().flatten() {
            if !names.contains(&row.fact) {
                names.push(row.fact.clone());
            }
        }
    }
    let command = subjects.iter().find_map(Subject::command_if_due);
    for name in names {
        let cells = facts.iter().map(|rows| {
            let values: Vec<&str> = rows
                .iter()
                .filter(|row| row.fact == name)
                .map(|row| row.value.as_str())
                .collect();
            if values.is_empty() {
                Cell::Empty
            } else {
                Cell::Text(values.join("; "))
            }
        });
        let cells: Vec<Cell> = cells.collect();
        table.push([name], cells, command.clone());
    }
    table
}
