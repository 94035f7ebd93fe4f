//! An experiment's results as an aligned text table.

use unicode_width::UnicodeWidthStr;

use super::experiment::{ExperimentReport, RunReport};
use super::{figures, names, ranking, views};

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
/// `limit` columns. The runs stand in their own order, or the best by a figure first.
pub(super) fn table(
    experiment: &ExperimentReport,
    limit: Option<usize>,
    sort: Option<&str>,
) -> String {
    let (mut columns, shared) = columns(experiment);
    if let Some(limit) = limit {
        fit(&mut columns, limit);
    }
    let mut text = line(columns.iter().map(|column| column.padded(&column.title)));
    text.push_str(&line(columns.iter().map(|column| "─".repeat(column.width))));
    let order = sort.and_then(|metric| ranking::order(experiment, metric));
    for row in order.unwrap_or_else(|| (0..experiment.runs.len()).collect()) {
        text.push_str(&line(
            columns
                .iter()
                .map(|column| column.padded(&column.cells[row])),
        ));
    }
    if !shared.is_empty() {
        text.push_str("All of them: ");
        text.push_str(&shared.join(", "));
        text.push('\n');
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

/// The columns, and the settings that all runs have and no name repeats.
fn columns(experiment: &ExperimentReport) -> (Vec<Column>, Vec<String>) {
    let several = experiment.has_several_seeds();
    let (names, shared) = titles(experiment);
    let mut columns: Vec<Column> = vec![
        names,
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
        Column::left("status", experiment, |run| {
            run.status(&experiment.evaluation).map(str::to_owned)
        }),
    ]);
    columns.retain(|column| column.cells.iter().any(|cell| !cell.is_empty()));
    (columns, shared)
}

/// The column of names, and what is left out of them since all runs share it.
fn titles(experiment: &ExperimentReport) -> (Column, Vec<String>) {
    let whole: Vec<String> = experiment.runs.iter().map(|run| run.name.clone()).collect();
    let (short, shared) = names::without_shared(&whole);
    let titles = experiment.runs.iter().zip(&short);
    let titles: Vec<String> = titles.map(|(run, name)| run.titled(name)).collect();
    let mut column = Column::left("run", experiment, |_| None);
    column.cells = titles;
    column.shorten(NAME_CHARACTERS);
    (column, shared)
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

    /// Shortens the cells to so many characters, or as few as keep different ones different.
    fn shorten(&mut self, width: usize) {
        self.cells = names::shortened(&self.cells, width);
        let widths = self.cells.iter().map(|cell| cell.width());
        self.width = widths.chain([self.title.len()]).max().unwrap_or(0);
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
            seed.problems()
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
