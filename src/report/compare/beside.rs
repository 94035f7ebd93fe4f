//! The best run of each of several experiments as figures to draw.

use super::best_run::best;
use crate::report::compared::Beside;
use crate::report::experiment::ExperimentReport;

/// The best runs of the experiments that `[compare]` names together, this one's first; none where it
/// names none.
pub(in crate::report) fn beside(own: &ExperimentReport, all: &[ExperimentReport]) -> Vec<Beside> {
    let Some(asked) = own.compare.as_ref() else {
        return Vec::new();
    };
    let names = std::iter::once(&own.name).chain(&asked.experiments);
    let known = names.filter_map(|name| all.iter().find(|known| known.name == *name));
    let one = |(place, experiment): (usize, &ExperimentReport)| {
        let best = best(experiment, asked, place)?;
        let accuracy = best.run.accuracy(&asked.evaluation)?;
        let rows = best
            .run
            .complete()
            .find_map(|seed| seed.rows(&asked.evaluation));
        let others = experiment
            .current()
            .filter(|run| !std::ptr::eq(*run, best.run));
        let others = others.filter_map(|run| run.accuracy(&asked.evaluation));
        Some(Beside {
            experiment: experiment.name.clone(),
            run: best.run.name.clone(),
            accuracy,
            rows,
            others: others.map(|estimate| estimate.value).collect(),
        })
    };
    known.enumerate().filter_map(one).collect()
}
