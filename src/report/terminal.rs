//! An experiment's results as an aligned text table.

use super::compare;
use super::estimate::{Basis, Estimate};
use super::experiment::{ExperimentReport, RunReport};
use super::seed::{SeedReport, State};
use super::{figures, retrieval};

/// Longest run name that is not shortened, in characters.
const NAME_CHARACTERS: usize = 60;
/// The same where the terminal is narrow.
const SHORT_NAME_CHARACTERS: usize = 24;
/// Spaces between columns.
const GAP: usize = 2;
/// What a narrow terminal does without, the first to go first.
const DISPENSABLE: [&str; 9] = [
    "share",
    "macro F1",
    "hit@1",
    "chunks",
    "time",
    "tokens cut",
    "trainable",
    "loss",
    "recall@k",
];

/// The table, its remarks and the failures below it; ends with a line break. It is made to fit into `limit` columns.
pub(super) fn table(experiment: &ExperimentReport, limit: Option<usize>) -> String {
    let mut columns = columns(experiment);
    if let Some(limit) = limit {
        fit(&mut columns, limit);
    }
    let mut text = line(columns.iter().map(|column| column.padded(column.title)));
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

/// Shortens names, the first column, and drops figures until the columns fit, or nothing more can go.
fn fit(columns: &mut Vec<Column>, limit: usize) {
    let others = |columns: &[Column]| -> usize {
        let widths = columns.iter().skip(1).map(|column| column.width + GAP);
        widths.sum()
    };
    for title in DISPENSABLE {
        let name = columns.first().map_or(0, |column| column.width);
        if others(columns) + name.min(SHORT_NAME_CHARACTERS) <= limit {
            break;
        }
        columns.retain(|column| column.title != title);
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
    columns.extend(scores(experiment));
    columns.extend([
        Column::right("time", experiment, |run| {
            run.mean(|seed| Some(seed.record.as_ref()?.wall_seconds))
                .map(figures::duration)
        }),
        Column::left("status", experiment, |run| {
            (run.state() != State::Complete).then(|| run.state().text().to_owned())
        }),
    ]);
    columns
        .into_iter()
        .filter(|column| column.cells.iter().any(|cell| !cell.is_empty()))
        .collect()
}

/// How good the runs are, by their kind.
fn scores(experiment: &ExperimentReport) -> Vec<Column> {
    if experiment.is_retrieval() {
        let columns = retrieval::COLUMNS.iter();
        return columns
            .map(|&(title, figure)| Column::right(title, experiment, figure))
            .collect();
    }
    let evaluation = &experiment.evaluation;
    vec![
        Column::left("accuracy [95 % interval]", experiment, |run| {
            run.accuracy(evaluation)
                .map(|estimate| figures::with_interval(&estimate))
        }),
        Column::right("macro F1", experiment, |run| {
            run.estimate(|seed| seed.macro_f1(evaluation))
                .map(|estimate| figures::give_or_take(&estimate))
        }),
        Column::right("loss", experiment, |run| {
            run.estimate(|seed| seed.metric(evaluation, &["loss"]))
                .map(|estimate| figures::give_or_take(&estimate))
        }),
        Column::right("trainable", experiment, |run| {
            run.mean(|seed| seed.run_metric("trainable_parameters"))
                .map(figures::count)
        }),
        Column::right("share", experiment, |run| {
            run.mean(|seed| seed.run_metric("trainable_percent"))
                .map(figures::percent)
        }),
    ]
}

struct Column {
    title: &'static str,
    cells: Vec<String>,
    width: usize,
    to_the_right: bool,
}

impl Column {
    fn left(
        title: &'static str,
        experiment: &ExperimentReport,
        cell: impl Fn(&RunReport) -> Option<String>,
    ) -> Self {
        let cells: Vec<String> = experiment
            .runs
            .iter()
            .map(|run| cell(run).unwrap_or_default())
            .collect();
        let width = cells
            .iter()
            .map(|cell| cell.chars().count())
            .chain([title.len()])
            .max()
            .unwrap_or(0);
        Self {
            title,
            cells,
            width,
            to_the_right: false,
        }
    }

    fn right(
        title: &'static str,
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
        let width = self.width;
        if self.to_the_right {
            format!("{text:>width$}")
        } else {
            format!("{text:<width$}")
        }
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
    let mut remarks = reservations(experiment);
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

/// What the figures are, and which of their differences may be noise.
pub(super) fn reservations(experiment: &ExperimentReport) -> Vec<String> {
    if experiment.is_retrieval() {
        return retrieval::remarks(experiment);
    }
    let mut said = intervals(experiment);
    said.extend(within_noise(experiment));
    said.extend(selection(experiment));
    said
}

/// What the accuracies and their intervals are.
fn intervals(experiment: &ExperimentReport) -> Vec<String> {
    let estimates: Vec<Estimate> = experiment
        .runs
        .iter()
        .filter_map(|run| run.accuracy(&experiment.evaluation))
        .collect();
    let mut rows: Vec<u64> = estimates
        .iter()
        .filter_map(|estimate| {
            if let Basis::Rows(rows) = estimate.basis {
                Some(rows)
            } else {
                None
            }
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let count = |rows: u64| figures::group(&rows.to_string());
    let mut said = Vec::new();
    match rows[..] {
        [] => {}
        [rows] => said.push(format!(
            "Accuracy on “{}”; interval of one seed: Wilson, on {} rows.",
            experiment.evaluation,
            count(rows)
        )),
        [fewest, .., most] => {
            let (fewest, most) = (count(fewest), count(most));
            said.push(format!(
                "Accuracy on “{}”; interval of one seed: Wilson, on {fewest} to {most} rows.",
                experiment.evaluation
            ));
        }
    }
    said.extend(over_seeds(experiment, &estimates));
    said
}

/// What the figures of several seeds are, and what their intervals leave out.
fn over_seeds(experiment: &ExperimentReport, estimates: &[Estimate]) -> Option<String> {
    let of_seeds = |estimate: &&Estimate| matches!(estimate.basis, Basis::Seeds(_));
    let mean = estimates.iter().find(of_seeds)?.value;
    let rows = experiment
        .seeds()
        .find_map(|(_, seed)| seed.rows(&experiment.evaluation))?;
    let of_rows = Estimate::of_share(&[(mean, Some(rows))])?;
    Some(format!(
        "Several seeds: accuracy on “{}”, mean and 95 % t-interval over the seeds on the same {} rows (± is half of one). Other rows would move an accuracy by about {:.4} besides.",
        experiment.evaluation,
        figures::group(&rows.to_string()),
        (of_rows.high - of_rows.low) / 2.0
    ))
}

/// Which differences may be noise.
fn within_noise(experiment: &ExperimentReport) -> Option<String> {
    let estimates: Vec<Estimate> = experiment
        .runs
        .iter()
        .filter_map(|run| run.accuracy(&experiment.evaluation))
        .collect();
    let best = estimates
        .iter()
        .filter(|estimate| estimate.value.is_finite() && estimate.basis != Basis::None)
        .max_by(|a, b| a.value.total_cmp(&b.value))?;
    let others = estimates
        .iter()
        .filter(|estimate| estimate.value.is_finite())
        .count()
        - 1;
    let near = estimates
        .iter()
        .filter(|estimate| estimate.value >= best.low && estimate.value <= best.value)
        .count()
        .checked_sub(1)?;
    (near > 0).then(|| {
        let verb = if near == 1 { "lies" } else { "lie" };
        format!("{near} of the {others} other runs {verb} within the best run's interval: differences that small may be noise, and `ensayo compare {}` tests each.", experiment.name)
    })
}

/// What is chosen on the rows that it is then judged by, if somebody goes by the table.
fn selection(experiment: &ExperimentReport) -> Vec<String> {
    let judged = experiment
        .runs
        .iter()
        .filter(|run| run.accuracy(&experiment.evaluation).is_some())
        .count();
    let mut said = Vec::new();
    if judged > 1 {
        said.push(compare::picked(judged, &experiment.evaluation));
    }
    let on_test = |seed: &SeedReport| seed.epochs.len() > 1 && seed.epoch_split() == "test";
    if experiment.seeds().any(|(_, seed)| on_test(seed)) {
        said.push(
            "Epochs were judged on the test split: choosing among them would be selection on the test set; `data.validation_size` sets rows aside for it."
                .to_owned(),
        );
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, cell: &str) -> Column {
        Column {
            title,
            cells: vec![cell.to_owned()],
            width: title.len().max(cell.chars().count()),
            to_the_right: false,
        }
    }

    fn fitted(limit: usize) -> (Vec<&'static str>, String, usize) {
        let mut columns = vec![
            column("run", "rank=16,targets=query+key+value+attention_output"),
            column("accuracy [95 % interval]", "0.7200 [0.6541, 0.7776]"),
            column("macro F1", "0.7200"),
            column("share", "1.12 %"),
            column("status", "failed"),
        ];
        fit(&mut columns, limit);
        let row = line(columns.iter().map(|column| column.padded(&column.cells[0])));
        let titles = columns.iter().map(|column| column.title).collect();
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
