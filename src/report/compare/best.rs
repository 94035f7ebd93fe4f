//! What `[compare]` asks for: the best run of each of several experiments side by side, and whether
//! they can be told apart.

use std::path::Path;

use super::best_run::{Best, best, folder};
use super::pair::{Pair, difference_cell, p_cell};
use super::side_tables::{differing_settings, evaluations, overview, report, shown_answers};
use super::{Compared, Contender, Table, shared_evaluations, tables};
use crate::metrics;
use crate::record::PlannedComparison;
use crate::report::chosen;
use crate::report::experiment::ExperimentReport;

/// The comparison that an experiment's plan asks for; none if it asks for none.
pub(in crate::report) fn side_by_side(
    results: &Path,
    own: &ExperimentReport,
    all: &[ExperimentReport],
) -> Option<Compared> {
    let asked = own.compare.as_ref()?;
    let mut compared = Compared {
        verdict: Vec::new(),
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

fn in_words(metric: &str) -> String {
    metric.replace("macro_f1", "macro F1")
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
        format!("{chosen} The test rows played no part in the choice.")
    } else if asked.metric == "accuracy" {
        let fresh = found.iter().filter_map(|best| {
            let fresh = chosen::best(best.experiment, &asked.evaluation)?;
            Some(format!("{} {}", best.letter, fresh.in_short()?))
        });
        let fresh: Vec<String> = fresh.collect();
        if fresh.is_empty() {
            format!("{chosen} {}", partly_luck(&asked.evaluation))
        } else {
            format!(
                "{chosen} Without the luck of the choice: {}.",
                fresh.join("; ")
            )
        }
    } else {
        format!("{chosen} {}", partly_luck(&asked.evaluation))
    }
}

/// What is said of a choice whose luck is not known.
fn partly_luck(evaluation: &str) -> String {
    format!(
        "Chosen by “{evaluation}”, its figures there are partly luck, likely lower on new texts."
    )
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
            Ok(mut contender) => {
                if let Some(seed) = best.run.seeds.first() {
                    contender.noise = std::sync::Arc::clone(&seed.noise);
                }
                contenders.push((best.letter.clone(), contender));
            }
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
