//! The tables of a comparison of best runs: figures, settings, classification reports and answers.

use std::path::Path;

use super::best_run::{Best, folder};
use super::{Table, answers};
use crate::record::{PlannedComparison, ReportRow};
use crate::report::seed::SeedReport;
use crate::report::views::{self, Score};
use crate::report::{figures, settings};

/// Evaluations of at most so many rows are shown row by row.
const SHOWN_ROWS: usize = 20;
/// Characters of a text that is shown.
const SHOWN_CHARACTERS: usize = 60;

/// What the runs are, and what they cost.
pub(super) fn overview(found: &[Best<'_>], asked: &PlannedComparison) -> Table {
    let mut rows = vec![head("", found)];
    let mut add = |title: &str, cell: &dyn Fn(&Best<'_>) -> String| {
        let mut row = vec![title.to_owned()];
        row.extend(found.iter().map(cell));
        if row[1..].iter().any(|cell| !cell.is_empty()) {
            rows.push(row);
        }
    };
    add("experiment", &|best| best.experiment.name.clone());
    add("run", &|best| best.run.name.clone());
    add("seeds", &|best| {
        let seeds = best.run.complete().map(|seed| seed.seed.to_string());
        seeds.collect::<Vec<_>>().join(", ")
    });
    // Experiments of several kinds may stand beside each other, and have different figures.
    let figures: Vec<Vec<(String, Score<'_>)>> =
        found.iter().map(|best| scores(best, asked)).collect();
    let mut titles: Vec<&String> = Vec::new();
    for (title, _) in figures.iter().flatten() {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    for title in titles {
        let cell = |best: &Best<'_>| {
            let scores = found.iter().position(|known| known.letter == best.letter);
            let scores = scores.map(|place| &figures[place]);
            let score = scores?.iter().find(|(known, _)| known == title)?;
            (score.1.figure)(best.run)
        };
        add(title, &|best| cell(best).unwrap_or_default());
    }
    add("time", &|best| {
        let seconds = |seed: &SeedReport| Some(seed.record.as_ref()?.wall_seconds);
        best.run
            .mean(seconds)
            .map_or_else(String::new, figures::duration)
    });
    Table {
        title: "Best runs".into(),
        rows,
    }
}

/// An experiment's figures under their titles in a comparison, then what its runs cost.
fn scores<'a>(best: &Best<'a>, asked: &'a PlannedComparison) -> Vec<(String, Score<'a>)> {
    let view = views::of(&best.experiment.kind);
    let scores = view.scores(best.experiment, &asked.evaluation);
    let scores = scores.into_iter().filter_map(|mut score| {
        let title = score.compared.take()?;
        Some((title, score))
    });
    let costs = view.costs().into_iter();
    scores
        .chain(costs.map(|cost| (cost.title.clone(), cost)))
        .collect()
}

fn head(first: &str, found: &[Best<'_>]) -> Vec<String> {
    let letters = found.iter().map(|best| best.letter.clone());
    std::iter::once(first.to_owned()).chain(letters).collect()
}

/// The settings in which the best runs differ.
pub(super) fn differing_settings(found: &[Best<'_>]) -> Option<Table> {
    let empty = settings::Settings::new();
    let all: Vec<&settings::Settings> = found
        .iter()
        .map(|best| {
            best.run
                .complete()
                .next()
                .map_or(&empty, |seed| &seed.settings)
        })
        .collect();
    let varying = settings::varying(all.iter().copied());
    let mut rows = vec![head("setting", found)];
    rows.extend(varying.iter().map(|key| {
        let values = all
            .iter()
            .map(|settings| settings.get(key).cloned().unwrap_or_default());
        std::iter::once(key.clone())
            .chain(values.map(|value| shortened(&value)))
            .collect()
    }));
    (!varying.is_empty()).then_some(Table {
        title: "Settings that differ".into(),
        rows,
    })
}

/// Evaluations that all of them have, in the order of the first.
pub(super) fn evaluations(found: &[Best<'_>]) -> Vec<String> {
    let all: Vec<Vec<&str>> = found.iter().map(Best::evaluations).collect();
    let shared = all[0]
        .iter()
        .filter(|name| all.iter().all(|names| names.contains(name)));
    shared.map(|name| (*name).to_owned()).collect()
}

/// The classification reports of one evaluation side by side, each figure the mean over the seeds;
/// none if there are none.
pub(super) fn report(found: &[Best<'_>], evaluation: &str) -> Option<Table> {
    let mut classes: Vec<String> = Vec::new();
    for best in found {
        for row in best
            .run
            .complete()
            .flat_map(|seed| seed.classes_of(evaluation))
        {
            if !classes.contains(&row.class) {
                classes.push(row.class.clone());
            }
        }
    }
    let mut header = vec!["class".to_owned()];
    for best in found {
        header.extend(
            ["precision", "recall", "F1", "rows"].map(|name| format!("{} {name}", best.letter)),
        );
    }
    let mut rows = vec![header];
    for class in classes {
        let mut row = vec![class.clone()];
        for best in found {
            let mean = |figure: &dyn Fn(&ReportRow) -> Option<f64>| {
                best.run.mean(|seed| {
                    let line = seed.classes_of(evaluation).find(|row| row.class == class);
                    line.and_then(figure)
                })
            };
            let scores = [
                mean(&|row| row.precision),
                mean(&|row| row.recall),
                mean(&|row| Some(row.f1_score)),
            ];
            row.extend(scores.map(|score| score.map(figures::decimal).unwrap_or_default()));
            #[expect(clippy::cast_precision_loss, reason = "row counts")]
            let support = mean(&|row| Some(row.support as f64));
            row.push(support.map(figures::count).unwrap_or_default());
        }
        rows.push(row);
    }
    (rows.len() > 1).then_some(Table {
        title: format!("Classification report: {evaluation}"),
        rows,
    })
}

/// Each row of a small evaluation with what the runs answered; under several seeds, how many gave
/// each answer.
pub(super) fn shown_answers(results: &Path, found: &[Best<'_>], evaluation: &str) -> Option<Table> {
    let mut rows = vec![head("text", found)];
    rows[0].insert(1, "label".to_owned());
    for (place, best) in found.iter().enumerate() {
        let seeds: Vec<_> = best
            .run
            .complete()
            .filter_map(|seed| {
                answers::few(&folder(results, best, seed), evaluation, SHOWN_ROWS).ok()?
            })
            .collect();
        let first = seeds.first()?;
        if place == 0 {
            rows.extend(
                first
                    .iter()
                    .map(|row| vec![shortened(&row.text), row.label.clone()]),
            );
        }
        // Other rows are none of this table; the test says that they differ.
        if first.len() + 1 != rows.len() {
            return None;
        }
        for (index, row) in rows[1..].iter_mut().enumerate() {
            let given = seeds
                .iter()
                .filter_map(|seed| seed.get(index))
                .map(|row| row.prediction.as_str());
            row.push(counted(given.collect()));
        }
    }
    Some(Table {
        title: format!("Answers: {evaluation}"),
        rows,
    })
}

/// `1`, or `1 (2), 0 (1)` where seeds disagree.
fn counted(mut given: Vec<&str>) -> String {
    given.sort_unstable();
    let mut groups: Vec<&[&str]> = given.chunk_by(|one, next| one == next).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    match groups.as_slice() {
        [] => String::new(),
        [one] => one[0].to_owned(),
        several => several
            .iter()
            .map(|group| format!("{} ({})", group[0], group.len()))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn shortened(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= SHOWN_CHARACTERS {
        return one_line;
    }
    let start: String = one_line.chars().take(SHOWN_CHARACTERS - 1).collect();
    format!("{}…", start.trim_end())
}
