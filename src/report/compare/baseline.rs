//! Many runs, each against one of them: the best, or whichever a person asks for.

use rayon::prelude::*;

use super::pair::{Pair, difference_cell, p_cell};
use super::{
    CompareError, Compared, Contender, LEVEL, Table, best_on_fresh_rows, evaluations, judged_alike,
    tables, with_others,
};
use crate::metrics;
use crate::report::{figures, names};

/// Each run against the one at `baseline`, or against the best, in one evaluation: the one asked for
/// or the first that all have. Holm's correction is over these pairs alone, so that fewer questions
/// leave sharper answers than all pairs would. Runs that were judged on other rows are left out and
/// named.
///
/// # Errors
/// When they share no evaluation, or no two of them, or none and the baseline, were judged on the
/// same rows.
pub fn against(
    contenders: &[Contender],
    baseline: Option<usize>,
    evaluation: Option<&str>,
) -> Result<Compared, CompareError> {
    let borrowed: Vec<&Contender> = contenders.iter().collect();
    let shared = evaluations(&borrowed, evaluation)?;
    let evaluation = &shared[0];
    let asked = baseline.and_then(|place| borrowed.get(place).copied());
    let (mut ranked, left_out) = match asked {
        Some(baseline) => alike(baseline, &borrowed, evaluation),
        None => judged_alike(&borrowed, evaluation),
    }
    .map_err(|error| with_others(error, &shared))?;
    ranked.sort_by(|one, two| {
        let value = |contender: &Contender| contender.accuracy(evaluation).value;
        value(two).total_cmp(&value(one))
    });
    let place = ranked
        .iter()
        .position(|one| asked.is_some_and(|own| std::ptr::eq(*one, own)))
        .unwrap_or(0);
    let base = ranked[place];
    let others: Vec<usize> = (0..ranked.len()).filter(|&other| other != place).collect();
    let pairs: Vec<Pair> = others
        .par_iter()
        .map(|&other| ranked[other].against(base, evaluation))
        .collect::<Result<_, _>>()?;
    let p_values: Vec<f64> = pairs.iter().map(Pair::p).collect();
    let corrected = metrics::holm(&p_values);
    let family = Family {
        evaluation,
        ranked: &ranked,
        place,
        others: &others,
        pairs: &pairs,
        corrected: &corrected,
    };
    let mut remarks = left_out;
    if asked.is_none() {
        remarks.extend(best_on_fresh_rows(&ranked, evaluation).map(|best| best.text(evaluation)));
    }
    remarks.extend(tables::method(&pairs));
    remarks.push(
        "Every run is compared with one; `--all-pairs` compares each with each, and `--baseline RUN` with another."
            .to_owned(),
    );
    Ok(Compared {
        verdict: family.verdict(asked.is_some()),
        tables: vec![family.table()],
        remarks,
        rows: family.rows(),
    })
}

/// The runs that were judged on the same rows as the baseline, and what is said of the others.
fn alike<'a>(
    baseline: &'a Contender,
    contenders: &[&'a Contender],
    evaluation: &str,
) -> Result<(Vec<&'a Contender>, Vec<String>), CompareError> {
    let mut same = Vec::new();
    let mut left_out = Vec::new();
    let mut first = None;
    for &contender in contenders {
        match contender.differs_from(baseline, evaluation) {
            None => same.push(contender),
            Some(difference) => {
                first.get_or_insert(contender);
                let label = &contender.label;
                left_out.push(format!(
                    "{label} is left out: it was evaluated on other rows of `{evaluation}` than {} ({difference}).",
                    baseline.label
                ));
            }
        }
    }
    match first {
        Some(other) if same.len() < 2 => Err(other.on_other_rows(baseline, evaluation)),
        _ => Ok((same, left_out)),
    }
}

/// Runs in the order of their accuracy, and all of them against one.
struct Family<'a> {
    evaluation: &'a str,
    ranked: &'a [&'a Contender],
    /// Of the one.
    place: usize,
    /// Places of the others, each with its pair and its corrected p.
    others: &'a [usize],
    pairs: &'a [Pair],
    corrected: &'a [f64],
}

impl Family<'_> {
    fn each(&self) -> impl Iterator<Item = (usize, &Pair, f64)> {
        let pairs = self.others.iter().zip(self.pairs).zip(self.corrected);
        pairs.map(|((&other, pair), &p)| (other, pair, p))
    }

    /// Numbers of the runs for which something holds, as the table has them.
    fn those(&self, holds: impl Fn(&Pair, f64) -> bool) -> Vec<String> {
        let found = self.each().filter(|(_, pair, p)| holds(pair, *p));
        found.map(|(other, ..)| (other + 1).to_string()).collect()
    }

    fn verdict(&self, asked: bool) -> Vec<String> {
        let base = &self.ranked[self.place].label;
        let apart = |p: f64| p < LEVEL;
        let better = self.those(|pair, p| apart(p) && pair.difference > 0.0);
        let worse = self.those(|pair, p| apart(p) && pair.difference <= 0.0);
        let equal = self.those(|_, p| !apart(p));
        let all = self.others.len();
        let accuracy = figures::with_interval(&self.ranked[self.place].accuracy(self.evaluation));
        let head = if asked {
            format!(
                "{}, {base}, is the baseline: accuracy {accuracy}.",
                self.place + 1
            )
        } else {
            format!("1, {base}, has the highest accuracy: {accuracy}.")
        };
        let mut said = vec![head];
        if equal.len() == all {
            said.push(if all == 1 {
                "The other cannot be told apart from it.".to_owned()
            } else {
                format!("None of the {all} others can be told apart from it.")
            });
            return said;
        }
        if asked && !better.is_empty() {
            said.push(format!("Better than it: {}.", in_order(&better)));
        }
        if worse.len() == all {
            said.push("It is better than every other.".to_owned());
        } else if !worse.is_empty() {
            said.push(format!("It is better than {}.", in_order(&worse)));
        }
        if !equal.is_empty() {
            said.push(format!(
                "{} cannot be told apart from it.",
                in_order(&equal)
            ));
        }
        said
    }

    fn table(&self) -> Table {
        let base = self.place + 1;
        let labels: Vec<String> = self.ranked.iter().map(|one| one.label.clone()).collect();
        let (names, shared) = without_shared_ends(&labels);
        let mut rows = vec![vec![
            String::new(),
            "run".to_owned(),
            "accuracy".to_owned(),
            format!("minus {base}"),
            format!("better than {base}"),
            format!("{base} better"),
            "p".to_owned(),
            "p, Holm".to_owned(),
        ]];
        for (place, contender) in self.ranked.iter().enumerate() {
            let mut row = vec![
                (place + 1).to_string(),
                names[place].clone(),
                figures::with_interval(&contender.accuracy(self.evaluation)),
            ];
            match self.each().find(|(other, ..)| *other == place) {
                Some((_, pair, p)) => row.extend([
                    difference_cell(pair),
                    pair.better.0.to_string(),
                    pair.better.1.to_string(),
                    p_cell(pair.p()),
                    p_cell(p),
                ]),
                None => row.extend(std::iter::repeat_n(String::new(), 5)),
            }
            rows.push(row);
        }
        let count = figures::group(&self.pairs[0].rows.to_string());
        let of = if shared.is_empty() {
            String::new()
        } else {
            format!(" of {shared}")
        };
        Table {
            title: format!(
                "{}, {count} rows; all runs{of} against {base}",
                self.evaluation
            ),
            rows,
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![tables::machine_head()];
        rows.extend(self.each().map(|(other, pair, p)| {
            let contenders = [self.ranked[other], self.ranked[self.place]];
            tables::machine_row(contenders, pair, Some(p))
        }));
        rows
    }
}

/// Numbers in words, in their own order, long lists shortened.
fn in_order(numbers: &[String]) -> String {
    const SHOWN: usize = 8;
    match numbers {
        [] => String::new(),
        [only] => only.clone(),
        numbers if numbers.len() <= SHOWN => {
            let (last, before) = (&numbers[numbers.len() - 1], &numbers[..numbers.len() - 1]);
            format!("{} and {last}", before.join(", "))
        }
        numbers => format!(
            "{} and {} more",
            numbers[..SHOWN].join(", "),
            numbers.len() - SHOWN
        ),
    }
}

/// Labels without what all of them share: the experiment, settings in the names, the seed; and that
/// in words.
fn without_shared_ends(labels: &[String]) -> (Vec<String>, String) {
    let split = |label: &String| {
        let (experiment, rest) = label.split_once('/')?;
        let end = rest.find(" (seeds").or_else(|| rest.rfind('@'))?;
        let (run, seeds) = rest.split_at(end);
        Some((experiment.to_owned(), run.to_owned(), seeds.to_owned()))
    };
    let whole = || (labels.to_vec(), String::new());
    let Some(parts) = labels.iter().map(split).collect::<Option<Vec<_>>>() else {
        return whole();
    };
    let Some((experiment, _, seeds)) = parts.first() else {
        return whole();
    };
    if parts.iter().any(|(other, ..)| other != experiment) {
        return whole();
    }
    let runs: Vec<String> = parts.iter().map(|(_, run, _)| run.clone()).collect();
    let (mut names, mut shared) = names::without_shared(&runs);
    if parts.iter().all(|(.., other)| other == seeds) && names.len() > 1 {
        shared.push(match seeds.strip_prefix('@') {
            Some(seed) => format!("seed {seed}"),
            None => seeds
                .trim_start_matches(" (")
                .trim_end_matches(')')
                .to_owned(),
        });
    } else {
        for (name, (.., seeds)) in names.iter_mut().zip(&parts) {
            name.push_str(seeds);
        }
    }
    let common = match shared.as_slice() {
        [] => String::new(),
        shared => format!(" ({})", shared.join(", ")),
    };
    (names, format!("{experiment}{common}"))
}
