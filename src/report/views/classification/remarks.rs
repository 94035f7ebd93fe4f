//! What the figures of classifiers are, and what to mind when comparing them.

use crate::report::compared::picked;
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
    let estimates: Vec<Estimate> = experiment
        .current()
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
        "Several seeds: accuracy on “{}”, mean and 95 % t-interval over the seeds on the same {} rows (± is half of one). Other rows would move an accuracy by about {:.4} more.",
        experiment.evaluation,
        figures::group(&rows.to_string()),
        (of_rows.high - of_rows.low) / 2.0
    ))
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
    let judged = experiment
        .current()
        .filter(|run| run.accuracy(&experiment.evaluation).is_some())
        .count();
    let mut said = Vec::new();
    if judged > 1 {
        said.push(picked(judged, &experiment.evaluation));
    }
    let on_test = |seed: &SeedReport| seed.epochs().len() > 1 && seed.epoch_split() == "test";
    if experiment.seeds().any(|(_, seed)| on_test(seed)) {
        said.push(
            "Epochs were judged on the test split: choosing among them would be selection on the test set; `data.validation_size` sets rows aside for it."
                .to_owned(),
        );
    }
    said
}
