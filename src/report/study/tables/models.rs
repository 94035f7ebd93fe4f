//! Models that a search of the hub found, as of its day.

use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::study::Figure;

const COLUMNS: [&str; 9] = [
    "model",
    "author",
    "task",
    "created",
    "modified",
    "downloads",
    "likes",
    "licence",
    "tags",
];

pub(super) fn table(_: &Context<'_>, _: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["run", "rank"], &COLUMNS);
    for subject in subjects {
        let Some(seed) = subject.first() else {
            // What is missing is said where the others would stand.
            let cells = vec![Cell::Empty; COLUMNS.len()];
            table.push([subject.name, ""], cells, subject.command_if_due());
            continue;
        };
        for row in seed.models() {
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            let count = |count: Option<u64>| count.map_or_else(String::new, |n| n.to_string());
            let day = |time: &Option<String>| {
                let day = time.as_deref().and_then(|time| time.split('T').next());
                day.unwrap_or_default().to_owned()
            };
            let texts = [
                row.model.clone(),
                word(&row.author),
                word(&row.task),
                day(&row.created),
                day(&row.modified),
                count(row.downloads),
                count(row.likes),
                word(&row.licence),
                row.tags.clone(),
            ];
            let cells = texts.into_iter().map(Cell::Text).collect();
            let labels = [subject.name.to_owned(), row.rank.to_string()];
            table.push(labels, cells, subject.command_if_due());
        }
        if let Some(record) = &seed.record {
            let day = record.started.split('T').next().unwrap_or_default();
            table.notes.push(format!("{} as of {day}.", subject.label));
        }
    }
    table
}
