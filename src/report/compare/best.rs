//! What `[compare]` asks for: the best run of each of several experiments side by side, and whether they can be told apart.

use std::path::Path;

use super::pair::{Pair, difference_cell, p_cell};
use super::{Compared, Contender, Table, answers, shared_evaluations, tables};
use crate::metrics;
use crate::record::{PlannedComparison, ReportRow, run_folder};
use crate::report::compared::picked;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::seed::SeedReport;
use crate::report::views::{self, Score};
use crate::report::{figures, settings};

/// Evaluations of at most so many rows are shown row by row.
const SHOWN_ROWS: usize = 20;
/// Characters of a text that is shown.
const SHOWN_CHARACTERS: usize = 60;

/// An experiment's best run.
struct Best<'a> {
    /// `A`, `B` …
    letter: String,
    experiment: &'a ExperimentReport,
    run: &'a RunReport,
    /// Runs that it was chosen among.
    among: usize,
}

/// The comparison that an experiment's plan asks for; none if it asks for none.
pub(in crate::report) fn side_by_side(
    results: &Path,
    own: &ExperimentReport,
    all: &[ExperimentReport],
) -> Option<Compared> {
    let asked = own.compare.as_ref()?;
    let mut compared = Compared {
        tables: Vec::new(),
        remarks: Vec::new(),
        rows: Vec::new(),
    };
    let mut found: Vec<Best<'_>> = Vec::new();
    for name in std::iter::once(&own.name).chain(&asked.experiments) {
        let experiment = all.iter().find(|experiment| experiment.name == *name);
        match experiment.map(|experiment| best(experiment, asked, found.len())) {
            Some(Some(best)) => found.push(best),
            Some(None) => compared.remarks.push(format!(
                "`{name}` has no complete run with {} on “{}” yet, so it is not compared.",
                in_words(&asked.metric),
                asked.evaluation
            )),
            None => compared.remarks.push(format!(
                "`{name}` has no results yet, so it is not compared; `ensayo run {name}` makes some."
            )),
        }
    }
    if found.len() < 2 {
        return Some(compared);
    }
    compared.remarks.push(selection(&found, asked));
    compared.tables.push(overview(&found, asked));
    compared.tables.extend(differing_settings(&found));
    let evaluations = evaluations(&found);
    let reports = evaluations.iter().filter_map(|name| report(&found, name));
    compared.tables.extend(reports);
    let answers = evaluations
        .iter()
        .filter_map(|name| shown_answers(results, &found, name));
    compared.tables.extend(answers);
    test(results, &found, &mut compared);
    Some(compared)
}

fn best<'a>(
    experiment: &'a ExperimentReport,
    asked: &PlannedComparison,
    place: usize,
) -> Option<Best<'a>> {
    let view = views::of(&experiment.kind);
    let value = |run: &RunReport| {
        run.mean(|seed| view.best_by(seed, &asked.metric, &asked.evaluation))
            .filter(|value| value.is_finite())
    };
    let judged = experiment
        .runs
        .iter()
        .filter(|run| run.planned)
        .filter_map(|run| Some((run, value(run)?)));
    let among = judged.clone().count();
    // The first of equals, as the table has them.
    let (run, _) = judged.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let letter = char::from(b'A' + u8::try_from(place.min(25)).unwrap_or(0));
    Some(Best {
        letter: letter.to_string(),
        experiment,
        run,
        among,
    })
}

fn in_words(metric: &str) -> String {
    metric.replace("macro_f1", "macro F1")
}

impl Best<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.experiment.name, self.run.name)
    }

    fn evaluations(&self) -> Vec<&str> {
        let first = self.run.complete().next();
        first.map(SeedReport::evaluations).unwrap_or_default()
    }
}

/// What was chosen on what, and what that does to the figures.
fn selection(found: &[Best<'_>], asked: &PlannedComparison) -> String {
    let counts: Vec<String> = found
        .iter()
        .map(|best| format!("{} of {}", best.letter, best.among))
        .collect();
    let chosen = format!(
        "Each is the best of its experiment's runs by {} on “{}” ({}).",
        in_words(&asked.metric),
        asked.evaluation,
        counts.join(", ")
    );
    let most = found.iter().map(|best| best.among).max().unwrap_or(1);
    if most < 2 {
        format!("{chosen} There was nothing to choose.")
    } else if asked.evaluation == "validation" {
        format!("{chosen} The test rows had no part in the choice.")
    } else {
        format!("{chosen} {}", picked(most, &asked.evaluation))
    }
}

/// What the runs are, and what they cost.
fn overview(found: &[Best<'_>], asked: &PlannedComparison) -> Table {
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
fn differing_settings(found: &[Best<'_>]) -> Option<Table> {
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
fn evaluations(found: &[Best<'_>]) -> Vec<String> {
    let all: Vec<Vec<&str>> = found.iter().map(Best::evaluations).collect();
    let shared = all[0]
        .iter()
        .filter(|name| all.iter().all(|names| names.contains(name)));
    shared.map(|name| (*name).to_owned()).collect()
}

/// The classification reports of one evaluation side by side, each figure the mean over the seeds; none if there are none.
fn report(found: &[Best<'_>], evaluation: &str) -> Option<Table> {
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

/// Each row of a small evaluation with what the runs answered; under several seeds, how many gave each answer.
fn shown_answers(results: &Path, found: &[Best<'_>], evaluation: &str) -> Option<Table> {
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

fn folder(results: &Path, best: &Best<'_>, seed: &SeedReport) -> std::path::PathBuf {
    run_folder(results, &best.experiment.name, &best.run.name, seed.seed)
}

/// The paired tests of the first against each of the others.
fn test(results: &Path, found: &[Best<'_>], compared: &mut Compared) {
    let mut contenders: Vec<(String, Contender)> = Vec::new();
    for best in found {
        let seeds: Vec<_> = best
            .run
            .complete()
            .map(|seed| (seed.seed, folder(results, best, seed)))
            .collect();
        match Contender::read(&best.name(), &seeds) {
            Ok(contender) => contenders.push((best.letter.clone(), contender)),
            Err(error) => compared.remarks.push(error.to_string()),
        }
    }
    let Some(((first_letter, first), others)) = contenders.split_first() else {
        return;
    };
    let mut pairs: Vec<(&str, &Contender, Pair)> = Vec::new();
    for (letter, other) in others {
        for evaluation in shared_evaluations(&[first, other]) {
            match first.against(other, &evaluation) {
                Ok(pair) => pairs.push((letter, other, pair)),
                Err(error) => compared.remarks.push(error.to_string()),
            }
        }
    }
    if pairs.is_empty() {
        return;
    }
    let corrected = corrected(&pairs);
    let head = [
        "evaluation",
        "rows",
        "pair",
        "difference",
        "first better",
        "second better",
        "p",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let family = others.len() > 1;
    if family {
        rows[0].push("p, Holm".to_owned());
    }
    compared.rows.push(tables::machine_head());
    for ((letter, other, pair), &corrected) in pairs.iter().zip(&corrected) {
        let mut row = vec![
            pair.evaluation.clone(),
            pair.rows.to_string(),
            format!("{first_letter} - {letter}"),
            difference_cell(pair),
            pair.better.0.to_string(),
            pair.better.1.to_string(),
            p_cell(pair.p()),
        ];
        if family {
            row.push(p_cell(corrected));
        }
        rows.push(row);
        let verdict = pair.verdict([first_letter, letter], corrected);
        compared.remarks.push(verdict);
        let row = tables::machine_row([first, other], pair, Some(corrected));
        compared.rows.push(row);
    }
    compared.tables.push(Table {
        title: "Paired tests".into(),
        rows,
    });
    let pairs: Vec<Pair> = pairs.into_iter().map(|(.., pair)| pair).collect();
    compared.remarks.extend(tables::method(&pairs));
}

/// Holm's correction among the pairs of each evaluation.
fn corrected(pairs: &[(&str, &Contender, Pair)]) -> Vec<f64> {
    let mut corrected = vec![1.0; pairs.len()];
    for (.., pair) in pairs {
        let family: Vec<usize> = (0..pairs.len())
            .filter(|&index| pairs[index].2.evaluation == pair.evaluation)
            .collect();
        let p_values: Vec<f64> = family.iter().map(|&index| pairs[index].2.p()).collect();
        for (&index, p) in family.iter().zip(metrics::holm(&p_values)) {
            corrected[index] = p;
        }
    }
    corrected
}
