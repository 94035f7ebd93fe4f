//! What the figures of classifiers are, and what to mind when comparing them.

use crate::report::chosen;
use crate::report::estimate::{Basis, Estimate};
use crate::report::experiment::ExperimentReport;
use crate::report::figures;
use crate::report::seed::SeedReport;

/// What the figures are, and which of their differences may be noise.
pub(super) fn remarks(experiment: &ExperimentReport) -> Vec<String> {
    let mut said = intervals(experiment);
    said.extend(one_class(experiment));
    said.extend(within_noise(experiment));
    said.extend(selection(experiment));
    said
}

/// Which runs answer every text alike, whatever their accuracy.
fn one_class(experiment: &ExperimentReport) -> Option<String> {
    const SHOWN: usize = 5;
    let evaluation = &experiment.evaluation;
    let alike: Vec<String> = experiment
        .seeds()
        .filter(|(run, _)| run.stale.is_none())
        .filter_map(|(run, seed)| {
            let class = seed.only_class(evaluation)?;
            Some(format!("{}@{} always says `{class}`", run.name, seed.seed))
        })
        .collect();
    if alike.is_empty() {
        return None;
    }
    let more = match alike.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; so do {more} more, each its own class"),
    };
    Some(format!(
        "One class only on “{evaluation}”: {}{more}. Such a model tells nothing apart, whatever its accuracy.",
        alike[..alike.len().min(SHOWN)].join("; ")
    ))
}

/// What the accuracies and their intervals are.
fn intervals(experiment: &ExperimentReport) -> Vec<String> {
    let (mut pooled, mut single) = (Vec::new(), Vec::new());
    for run in experiment.current() {
        match run
            .accuracy(&experiment.evaluation)
            .map(|found| found.basis)
        {
            Some(Basis::Both(rows)) => pooled.push(rows),
            Some(Basis::Rows(rows)) => single.push(rows),
            _ => {}
        }
    }
    let evaluation = &experiment.evaluation;
    let mut said = Vec::new();
    if let Some(rows) = row_counts(single) {
        said.push(format!(
            "Accuracy on “{evaluation}”; interval: other texts alone, from {rows}; training again with another seed may move an accuracy by more, and `seeds = [1, 2, 3]` measures that."
        ));
    }
    if let Some(rows) = row_counts(pooled) {
        said.push(format!(
            "Accuracy on “{evaluation}”; interval: other trainings and other texts, from {rows}."
        ));
        said.extend(over_seeds(experiment));
    }
    said
}

/// `200 rows`, or `200 to 300 rows`.
fn row_counts(mut rows: Vec<u64>) -> Option<String> {
    rows.sort_unstable();
    let (fewest, most) = (rows.first()?, rows.last()?);
    let count = |rows: &u64| figures::group(&rows.to_string());
    Some(if fewest == most {
        format!("{} rows", count(most))
    } else {
        format!("{} to {} rows", count(fewest), count(most))
    })
}

/// By how much seeds differ, what that rests on, and which figures know less.
fn over_seeds(experiment: &ExperimentReport) -> Option<String> {
    let evaluation = &experiment.evaluation;
    let first = experiment.current().flat_map(|run| &run.seeds).next()?;
    let pool = &first.noise.on(evaluation)?.accuracy;
    let seeds = pool.seeds()?;
    let several = seeds.runs + seeds.apart;
    let runs = |count: usize| {
        let noun = if count == 1 { "run" } else { "runs" };
        format!("{} {noun}", figures::group(&count.to_string()))
    };
    let degrees = if seeds.freedom == 1 {
        "degree"
    } else {
        "degrees"
    };
    let mut said = vec![format!(
        "The seeds of a run differ by {:.4} (standard deviation pooled over {}, {} {degrees} of freedom).",
        seeds.variance.sqrt(),
        runs(seeds.runs),
        figures::group(&seeds.freedom.to_string()),
    )];
    let apart: Vec<&str> = experiment
        .current()
        .filter(|run| run.stands_apart(evaluation))
        .map(|run| run.name.as_str())
        .collect();
    if let [first, others @ ..] = apart.as_slice() {
        let more = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        said.push(format!(
            "Those of `{first}`{more} differ by more than chance explains: the interval rests on them alone."
        ));
    }
    if pool.looked_up() == 0 {
        said.push(
            "How far seeds agree on the rows is not known, so the intervals are rather too wide."
                .to_owned(),
        );
    } else if pool.looked_up() < several {
        said.push(format!(
            "How far seeds agree on the rows was taken from {} of {}.",
            figures::group(&pool.looked_up().to_string()),
            runs(several)
        ));
    }
    said.push(
        "± is half an interval: of macro F1 the same, of a loss of other trainings alone."
            .to_owned(),
    );
    Some(said.join(" "))
}

/// Which differences may be noise.
fn within_noise(experiment: &ExperimentReport) -> Option<String> {
    let estimates: Vec<Estimate> = experiment
        .current()
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
        let they_lie = figures::others_lie(near, others);
        format!("{they_lie} within the best run's interval: differences that small may be noise, and `ensayo compare {}` tests each.", experiment.name)
    })
}

/// What is chosen on the rows that it is then judged by, if somebody goes by the table.
fn selection(experiment: &ExperimentReport) -> Vec<String> {
    let evaluation = &experiment.evaluation;
    let best = chosen::best(experiment, evaluation).map(|best| best.text(evaluation));
    let mut said: Vec<String> = best.into_iter().collect();
    let on_test = |seed: &SeedReport| seed.epochs().len() > 1 && seed.epoch_split() == "test";
    if experiment.seeds().any(|(_, seed)| on_test(seed)) {
        said.push(
            "Epochs were judged on the test split: choosing among them would be selection on the test set; `data.validation_size` sets rows aside for it."
                .to_owned(),
        );
    }
    said
}
