//! Comparisons as tables, sentences and rows for programs.

use super::pair::{Pair, difference_cell, p_cell};
use super::{Compared, Contender, LEVEL, Table, best_on_fresh_rows};
use crate::metrics::RESAMPLES;
use crate::report::estimate::{Basis, Estimate};
use crate::report::figures;

/// Two runs, a row for each evaluation.
pub(super) fn two(first: &Contender, second: &Contender, pairs: &[Pair]) -> Compared {
    let head = [
        "evaluation",
        "rows",
        "accuracy of A",
        "accuracy of B",
        "A - B",
        "A better",
        "B better",
        "p",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(pairs.iter().map(|pair| {
        vec![
            pair.evaluation.clone(),
            pair.rows.to_string(),
            figures::with_interval(&pair.accuracies[0]),
            figures::with_interval(&pair.accuracies[1]),
            difference_cell(pair),
            pair.better.0.to_string(),
            pair.better.1.to_string(),
            p_cell(pair.p()),
        ]
    }));
    let names = vec![
        vec!["A".to_owned(), first.label.clone()],
        vec!["B".to_owned(), second.label.clone()],
    ];
    let mut remarks: Vec<String> = pairs
        .iter()
        .map(|pair| pair.verdict(["A", "B"], pair.p()))
        .collect();
    remarks.extend(method(pairs));
    Compared {
        verdict: Vec::new(),
        tables: vec![
            Table {
                title: String::new(),
                rows: names,
            },
            Table {
                title: String::new(),
                rows,
            },
        ],
        remarks,
        rows: std::iter::once(machine_head())
            .chain(
                pairs
                    .iter()
                    .map(|pair| machine_row([first, second], pair, None)),
            )
            .collect(),
    }
}

/// All pairs among runs that stand in the order of their accuracy.
pub(super) fn all_pairs(
    ranked: &[&Contender],
    places: &[(usize, usize)],
    pairs: &[Pair],
    corrected: &[f64],
) -> Compared {
    let evaluation = &pairs[0].evaluation;
    let mut runs = vec![["", "run", "accuracy"].map(str::to_owned).to_vec()];
    runs.extend(ranked.iter().enumerate().map(|(place, contender)| {
        vec![
            (place + 1).to_string(),
            contender.label.clone(),
            figures::with_interval(&contender.accuracy(evaluation)),
        ]
    }));
    let head = [
        "pair",
        "difference",
        "first better",
        "second better",
        "p",
        "p, Holm",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let each = || places.iter().zip(pairs).zip(corrected);
    rows.extend(each().map(|((&(one, two), pair), &corrected)| {
        vec![
            format!("{} - {}", one + 1, two + 1),
            difference_cell(pair),
            pair.better.0.to_string(),
            pair.better.1.to_string(),
            p_cell(pair.p()),
            p_cell(corrected),
        ]
    }));
    let verdict = conclusions(ranked, places, corrected);
    let best = best_on_fresh_rows(ranked, evaluation);
    let mut remarks: Vec<String> = best.iter().map(|best| best.text(evaluation)).collect();
    remarks.extend(method(pairs));
    let mut all = vec![machine_head()];
    all.extend(each().map(|((&(one, two), pair), &corrected)| {
        machine_row([ranked[one], ranked[two]], pair, Some(corrected))
    }));
    let count = figures::group(&pairs[0].rows.to_string());
    Compared {
        verdict,
        tables: vec![
            Table {
                title: format!("{evaluation}, {count} rows"),
                rows: runs,
            },
            Table {
                title: String::new(),
                rows,
            },
        ],
        remarks,
        rows: all,
    }
}

/// Which runs can be told apart, and what that says about the best.
fn conclusions(ranked: &[&Contender], places: &[(usize, usize)], corrected: &[f64]) -> Vec<String> {
    let apart = |place: usize| corrected[place] < LEVEL;
    let distinct = (0..places.len()).filter(|&place| apart(place)).count();
    let mut remarks = vec![format!(
        "{distinct} of {} {} can be told apart at the 5 % level after Holm's correction.",
        places.len(),
        if places.len() == 1 { "pair" } else { "pairs" },
    )];
    let equals: Vec<String> = places
        .iter()
        .enumerate()
        .filter(|&(place, &(one, _))| one == 0 && !apart(place))
        .map(|(_, &(_, two))| (two + 1).to_string())
        .collect();
    let best = &ranked[0].label;
    remarks.push(if equals.is_empty() {
        format!("1, {best}, is better than every other.")
    } else if equals.len() == ranked.len() - 1 {
        format!("1, {best}, has the highest accuracy, but cannot be told apart from any other.")
    } else {
        format!(
            "1, {best}, has the highest accuracy, but cannot be told apart from {}.",
            equals.join(", ")
        )
    });
    remarks
}

/// How the figures were found.
pub(super) fn method(pairs: &[Pair]) -> Vec<String> {
    let bases = || pairs.iter().flat_map(|pair| pair.accuracies);
    let several = pairs.iter().any(|pair| pair.several);
    let covered = |covers: fn(&Basis) -> bool| bases().any(|estimate| covers(&estimate.basis));
    let pooled = covered(|basis| matches!(basis, Basis::Both(_)));
    let single = covered(|basis| matches!(basis, Basis::Rows(_)));
    let covers = match (pooled, single) {
        (true, true) => "other trainings and other texts where seeds tell, else other texts alone",
        (true, false) => "other trainings and other texts",
        _ => "other texts alone",
    };
    let mut said = vec![format!(
        "Intervals are 95 %. Of an accuracy: {covers}. Of a difference: percentile bootstrap, {} resamples of the rows; none where fewer than {} rows differ.",
        figures::group(&RESAMPLES.to_string()),
        crate::metrics::FEWEST_DISCORDANT
    )];
    if several {
        said.push(
            "Better: rows that a run gets right under a larger share of its seeds. p: exact sign-flip test over the rows, two-sided (McNemar's for one seed each)."
                .to_owned(),
        );
    } else {
        said.push(
            "Better: rows that only this run gets right. p: McNemar's exact test, two-sided."
                .to_owned(),
        );
    }
    if pairs.iter().any(|pair| pair.seeds_p.is_some()) {
        said.push(
            "Where both have several seeds, p is the larger of that and Welch's t-test over the seeds: a difference counts if it would show with other texts and with other training seeds."
                .to_owned(),
        );
    }
    if pairs.iter().any(|pair| pair.seeds_p.is_none()) {
        said.push(
            "With one seed, the test covers other texts only: training again with another seed may move an accuracy by more. `seeds = [1, 2, 3]` in the experiment measures that."
                .to_owned(),
        );
    }
    said
}

pub(super) fn machine_head() -> Vec<String> {
    [
        "evaluation",
        "rows",
        "first",
        "second",
        "first_accuracy",
        "first_low",
        "first_high",
        "second_accuracy",
        "second_low",
        "second_high",
        "difference",
        "difference_low",
        "difference_high",
        "first_better",
        "second_better",
        "p_rows",
        "p_seeds",
        "p",
        "p_holm",
    ]
    .map(str::to_owned)
    .to_vec()
}

pub(super) fn machine_row(
    contenders: [&Contender; 2],
    pair: &Pair,
    corrected: Option<f64>,
) -> Vec<String> {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let mut row = vec![pair.evaluation.clone(), pair.rows.to_string()];
    row.extend(contenders.map(|contender| contender.label.clone()));
    let ends = |estimate: &Estimate| [estimate.value, estimate.low, estimate.high];
    row.extend(
        pair.accuracies
            .iter()
            .flat_map(ends)
            .map(|end| end.to_string()),
    );
    row.push(pair.difference.to_string());
    row.push(number(pair.interval.map(|interval| interval.low)));
    row.push(number(pair.interval.map(|interval| interval.high)));
    row.push(pair.better.0.to_string());
    row.push(pair.better.1.to_string());
    row.push(pair.rows_p.to_string());
    row.push(number(pair.seeds_p));
    row.push(pair.p().to_string());
    row.push(number(corrected));
    row
}
