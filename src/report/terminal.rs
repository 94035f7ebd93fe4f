//! An experiment's results as an aligned text table.

use unicode_width::UnicodeWidthStr;

use super::experiment::{ExperimentReport, RunReport};
use super::{figures, views};

/// Longest run name that is not shortened, in characters.
const NAME_CHARACTERS: usize = 60;
/// The same where the terminal is narrow.
const SHORT_NAME_CHARACTERS: usize = 24;
/// Spaces between columns.
const GAP: usize = 2;
/// Where the time stands among what a narrow terminal leaves out; see
/// [`views::Score::dispensable`].
const TIME: u8 = 5;

/// The table, its remarks and the failures below it; ends with a line break. It is made to fit into
/// `limit` columns.
pub(super) fn table(experiment: &ExperimentReport, limit: Option<usize>) -> String {
    let mut columns = columns(experiment);
    if let Some(limit) = limit {
        fit(&mut columns, limit);
    }
    let mut text = line(columns.iter().map(|column| column.padded(&column.title)));
    text.push_str(&line(columns.iter().map(|column| "─".repeat(column.width))));
    for row in 0..experiment.runs.len() {
        text.push_str(&line(
            columns
                .iter()
                .map(|column| column.padded(&column.cells[row])),
        ));
    }
    for remark in remarks(experiment) {
        text.push('\n');
        text.push_str(&remark);
    }
    text.push('\n');
    text
}

/// Shortens names, the first column, and drops figures until the columns fit, or nothing more can
/// go.
fn fit(columns: &mut Vec<Column>, limit: usize) {
    let others = |columns: &[Column]| -> usize {
        let widths = columns.iter().skip(1).map(|column| column.width + GAP);
        widths.sum()
    };
    let mut places: Vec<u8> = columns
        .iter()
        .filter_map(|column| column.dispensable)
        .collect();
    places.sort_unstable();
    for place in places {
        let name = columns.first().map_or(0, |column| column.width);
        if others(columns) + name.min(SHORT_NAME_CHARACTERS) <= limit {
            break;
        }
        columns.retain(|column| column.dispensable != Some(place));
    }
    let room = limit.saturating_sub(others(columns));
    if let Some(names) = columns.first_mut()
        && names.width > room
    {
        names.shorten(room.max(SHORT_NAME_CHARACTERS));
    }
}

fn columns(experiment: &ExperimentReport) -> Vec<Column> {
    let several = experiment.has_several_seeds();
    let mut columns: Vec<Column> = vec![
        Column::left("run", experiment, |run| {
            Some(shortened(&run.title(), NAME_CHARACTERS))
        }),
        Column::right("seeds", experiment, |run| {
            let (done, all) = (run.complete().count(), run.seeds.len());
            several.then(|| {
                if done == all {
                    all.to_string()
                } else {
                    format!("{done} of {all}")
                }
            })
        }),
    ];
    let view = views::of(&experiment.kind);
    columns.extend(
        view.scores(experiment, &experiment.evaluation)
            .into_iter()
            .map(|score| {
                let title = if score.interval {
                    format!("{} [95 % interval]", score.title)
                } else {
                    score.title
                };
                Column {
                    to_the_right: !score.interval,
                    dispensable: score.dispensable,
                    ..Column::left(title, experiment, score.figure)
                }
            }),
    );
    columns.extend([
        Column {
            dispensable: Some(TIME),
            ..Column::right("time", experiment, |run| {
                run.mean(|seed| Some(seed.record.as_ref()?.wall_seconds))
                    .map(figures::duration)
            })
        },
        Column::left("status", experiment, |run| run.status().map(str::to_owned)),
    ]);
    columns
        .into_iter()
        .filter(|column| column.cells.iter().any(|cell| !cell.is_empty()))
        .collect()
}

struct Column {
    title: String,
    cells: Vec<String>,
    width: usize,
    to_the_right: bool,
    dispensable: Option<u8>,
}

impl Column {
    fn left(
        title: impl Into<String>,
        experiment: &ExperimentReport,
        cell: impl Fn(&RunReport) -> Option<String>,
    ) -> Self {
        let cells: Vec<String> = experiment
            .runs
            .iter()
            .map(|run| cell(run).unwrap_or_default())
            .collect();
        let title = title.into();
        let width = cells
            .iter()
            .map(|cell| cell.width())
            .chain([title.len()])
            .max()
            .unwrap_or(0);
        Self {
            title,
            cells,
            width,
            to_the_right: false,
            dispensable: None,
        }
    }

    fn right(
        title: impl Into<String>,
        experiment: &ExperimentReport,
        cell: impl Fn(&RunReport) -> Option<String>,
    ) -> Self {
        Self {
            to_the_right: true,
            ..Self::left(title, experiment, cell)
        }
    }

    fn shorten(&mut self, width: usize) {
        for cell in &mut self.cells {
            *cell = shortened(cell, width);
        }
        self.width = width;
    }

    fn padded(&self, text: &str) -> String {
        padded(text, self.width, self.to_the_right)
    }
}

/// A text with spaces around it, so that it fills so many columns of the terminal.
#[must_use]
pub fn padded(text: &str, columns: usize, to_the_right: bool) -> String {
    let spaces = " ".repeat(columns.saturating_sub(text.width()));
    if to_the_right {
        spaces + text
    } else {
        text.to_owned() + &spaces
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// The middle of a long name gives way: names of cells differ at both ends.
fn shortened(name: &str, longest: usize) -> String {
    let characters: Vec<char> = name
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect();
    if characters.len() <= longest {
        return characters.into_iter().collect();
    }
    let half = (longest - 1) / 2;
    let (head, tail) = (
        &characters[..longest - 1 - half],
        &characters[characters.len() - half..],
    );
    head.iter().chain(&['…']).chain(tail).collect()
}

/// What the intervals are, what may be noise, and what went wrong.
fn remarks(experiment: &ExperimentReport) -> Vec<String> {
    let mut remarks = views::of(&experiment.kind).remarks(experiment);
    for (run, seed) in experiment.seeds() {
        let label = format!("{}/{}@{}", experiment.name, run.name, seed.seed);
        if let Some(error) = seed
            .record
            .as_ref()
            .and_then(|record| record.error.as_ref())
        {
            remarks.push(format!(
                "{label} {}: {}",
                seed.state.text(),
                error.lines().next().unwrap_or_default()
            ));
        }
        remarks.extend(
            seed.problems
                .iter()
                .map(|problem| format!("{label}: {problem}")),
        );
    }
    remarks.extend(experiment.problems.iter().cloned());
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, cell: &str, dispensable: Option<u8>) -> Column {
        Column {
            title: title.to_owned(),
            dispensable,
            cells: vec![cell.to_owned()],
            width: title.len().max(cell.chars().count()),
            to_the_right: false,
        }
    }

    fn fitted(limit: usize) -> (Vec<String>, String, usize) {
        let mut columns = vec![
            column(
                "run",
                "rank=16,targets=query+key+value+attention_output",
                None,
            ),
            column("accuracy [95 % interval]", "0.7200 [0.6541, 0.7776]", None),
            column("macro F1", "0.7200", Some(2)),
            column("share", "1.12 %", Some(1)),
            column("status", "failed", None),
        ];
        fit(&mut columns, limit);
        let row = line(columns.iter().map(|column| column.padded(&column.cells[0])));
        let titles = columns.iter().map(|column| column.title.clone()).collect();
        let width = columns
            .iter()
            .map(|column| column.width + GAP)
            .sum::<usize>()
            - GAP;
        assert!(row.trim_end().chars().count() <= width, "{row}");
        (titles, columns[0].cells[0].clone(), width)
    }

    #[test]
    fn wide_terminals_get_everything() {
        let (titles, name, _) = fitted(120);
        assert_eq!(titles.len(), 5);
        assert_eq!(name, "rank=16,targets=query+key+value+attention_output");
    }

    #[test]
    fn names_are_shortened_before_figures_go() {
        let (titles, name, width) = fitted(80);
        assert_eq!((titles.len(), width), (5, 80));
        assert!(
            name.starts_with("rank=16") && name.ends_with("_output"),
            "{name}"
        );
        let (titles, name, width) = fitted(70);
        assert_eq!(
            titles,
            ["run", "accuracy [95 % interval]", "macro F1", "status"]
        );
        assert!(width <= 70 && name.chars().count() >= SHORT_NAME_CHARACTERS);
    }

    #[test]
    fn what_matters_most_stays_however_narrow() {
        let (titles, name, _) = fitted(10);
        assert_eq!(titles, ["run", "accuracy [95 % interval]", "status"]);
        assert_eq!(name.chars().count(), SHORT_NAME_CHARACTERS);
    }
}
