//! What can be seen of answers, as heat maps: of the runs, and of one run's questions.

use super::answers::COLUMNS;
use super::{ALL, average};
use crate::draw::Scene;
use crate::draw::matrix::{Cell, Matrix};
use crate::record::AnswerRow;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::plots::Plot;
use crate::report::seed::SeedReport;
use crate::report::views::judged::short_names;

/// The stem of the plot of all runs.
pub(super) const STEM: &str = "judgements";
/// Rows that are readable.
const MOST_ROWS: usize = 40;

/// Runs by judgements; none where fewer than two runs have any.
pub(super) fn of_runs(experiment: &ExperimentReport) -> Option<Plot> {
    let answered = |run: &&RunReport| {
        COLUMNS
            .iter()
            .any(|(_, metric, _)| average(run, ALL, metric).is_some())
    };
    let mut runs: Vec<&RunReport> = experiment.current().filter(answered).collect();
    let all = runs.len();
    if all < 2 {
        return None;
    }
    let supported =
        |run: &RunReport| average(run, ALL, "supported").filter(|share| !share.is_nan());
    let mut notes = vec![MEANING.to_owned()];
    if all > MOST_ROWS {
        let merit = |run: &RunReport| supported(run).unwrap_or(f64::NEG_INFINITY);
        runs.sort_by(|one, other| merit(other).total_cmp(&merit(one)));
        runs.truncate(MOST_ROWS);
        notes.push(format!(
            "The {MOST_ROWS} of {all} runs whose answers are supported most."
        ));
    }
    let (names, shared) = short_names(&runs);
    notes.extend(shared);
    let row = |run: &&RunReport| {
        COLUMNS
            .map(|(_, metric, _)| average(run, ALL, metric))
            .to_vec()
    };
    let values: Vec<Vec<Option<f64>>> = runs.iter().map(row).collect();
    let title = format!("{}: what can be seen of the answers", experiment.name);
    let scene = heat_map(title, "run", names, &values, &notes)?;
    let best = runs
        .iter()
        .filter_map(|run| Some((supported(run)?, &run.name)));
    let best = best.max_by(|one, other| one.0.total_cmp(&other.0));
    let best = best.map(|(share, name)| {
        format!(
            " Most supported by the chunks: {name}, {:.0} % of its answers' words.",
            100.0 * share
        )
    });
    Some(Plot {
        stem: STEM.to_owned(),
        caption: format!(
            "Judgements of the answers of {all} runs, means over the questions.{}",
            best.unwrap_or_default()
        ),
        scene,
    })
}

/// A run's questions by judgements; none where fewer than two were answered.
pub(super) fn of_seed(label: &str, stem: &str, seed: &SeedReport) -> Option<Plot> {
    let answers = seed.answers();
    if answers.len() < 2 {
        return None;
    }
    let shown = &answers[..answers.len().min(MOST_ROWS)];
    let names: Vec<String> = shown.iter().map(|answer| answer.question.clone()).collect();
    let values: Vec<Vec<Option<f64>>> = shown.iter().map(|answer| seen(answer).to_vec()).collect();
    let mut notes = vec![MEANING.to_owned()];
    if shown.len() < answers.len() {
        notes.push(format!(
            "The first {MOST_ROWS} of {} questions.",
            answers.len()
        ));
    }
    let title = format!("{label}: what can be seen of the answers");
    let scene = heat_map(title, "question", names, &values, &notes)?;
    let abstained = answers
        .iter()
        .filter(|answer| answer.abstained == Some(true))
        .count();
    Some(Plot {
        stem: format!("{stem}.{STEM}"),
        caption: format!(
            "Judgements of the answers to {} questions; {abstained} of them say that the chunks have no answer.",
            answers.len()
        ),
        scene,
    })
}

const MEANING: &str = "Shares from 0 to 1. supported: words of the answer that stand in the chunks it was given; abstained: says that these have no answer; in limit: as short as asked for; cited right: citations of chunks it was given; repeated: runs of four words that were there before. Empty: cannot be said.";

/// The values of [`COLUMNS`] of one answer.
fn seen(answer: &AnswerRow) -> [Option<f64>; COLUMNS.len()] {
    let share = |flag: Option<bool>| flag.map(|flag| f64::from(u8::from(flag)));
    COLUMNS.map(|(_, metric, _)| match metric {
        "token_f1" => answer.token_f1,
        "supported" => answer.supported,
        "abstained" => share(answer.abstained),
        "same_language" => share(answer.same_language),
        "within_limit" => share(answer.within_limit),
        "cited_in_context" => answer.cited_in_context,
        "repeated" => answer.repeated,
        _ => None,
    })
}

fn heat_map(
    title: String,
    rows_are: &str,
    rows: Vec<String>,
    values: &[Vec<Option<f64>>],
    notes: &[String],
) -> Option<Scene> {
    // A judgement that nothing has is no column.
    let there = |column: &usize| {
        values
            .iter()
            .any(|row| row[*column].is_some_and(f64::is_finite))
    };
    let columns: Vec<usize> = (0..COLUMNS.len()).filter(there).collect();
    let cell = |value: Option<f64>| {
        let value = value.filter(|value| value.is_finite());
        Cell {
            share: value.map(|value| value.clamp(0.0, 1.0)),
            text: value.map(|value| format!("{value:.2}")).unwrap_or_default(),
            below: String::new(),
        }
    };
    let matrix = Matrix {
        title,
        names: (rows_are.to_owned(), "judgement".to_owned()),
        rows,
        columns: columns
            .iter()
            .map(|&column| COLUMNS[column].0.to_owned())
            .collect(),
        cells: values
            .iter()
            .map(|row| columns.iter().map(|&column| cell(row[column])).collect())
            .collect(),
        scale: ["1", "0.5", "0"].map(str::to_owned),
        square: false,
        largest: 96.0,
    };
    matrix.draw(notes)
}
