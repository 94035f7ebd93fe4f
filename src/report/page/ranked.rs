//! The order of an experiment's runs on the page: the best first, by the figure that their kind
//! says first of a run.

use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::seed::SeedReport;
use crate::report::views;

/// The runs of an experiment in the order of the page.
pub(super) struct Ranked {
    /// Their places in the experiment: those with a figure, the best first, then those without one,
    /// then those of earlier settings.
    pub order: Vec<usize>,
    /// The name of the figure; none where no run has one.
    pub by: Option<&'static str>,
    /// How many runs have it, of those that are what the experiment asks for now: so many places of
    /// `order`, from the first on, are ranks.
    pub count: usize,
    /// By the run's place.
    ranks: Vec<Option<usize>>,
}

impl Ranked {
    pub(super) fn of(experiment: &ExperimentReport) -> Self {
        let view = views::of(&experiment.kind);
        let figure = |seed: &SeedReport| view.headline(seed, &experiment.evaluation);
        let mut names = experiment.current().flat_map(RunReport::complete);
        let by = names.find_map(|seed| Some(figure(seed)?.0));
        let value = |run: &RunReport| {
            let value = run.mean(|seed| {
                let (name, estimate) = figure(seed)?;
                (Some(name) == by).then_some(estimate.value)
            });
            value.filter(|value| !value.is_nan())
        };
        let mut order: Vec<(usize, Option<f64>)> =
            experiment.runs.iter().map(value).enumerate().collect();
        let stale = |place: usize| experiment.runs[place].stale.is_some();
        // Stable: of equals, those that the plan names first.
        order.sort_by(|&(one, first), &(two, second)| {
            let last = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
            let apart = (stale(one), first.is_none()).cmp(&(stale(two), second.is_none()));
            apart.then(last(second).total_cmp(&last(first)))
        });
        let mut ranks = vec![None; order.len()];
        let mut count = 0;
        for (place, _) in order
            .iter()
            .filter(|(place, value)| value.is_some() && !stale(*place))
        {
            count += 1;
            ranks[*place] = Some(count);
        }
        Self {
            order: order.iter().map(|(place, _)| *place).collect(),
            by,
            count,
            ranks,
        }
    }

    /// The best run, if any has the figure.
    pub(super) fn best(&self) -> Option<usize> {
        self.order.first().copied().filter(|_| self.count > 0)
    }

    /// A run's rank from 1; none where it has no figure or is of earlier settings.
    pub(super) fn rank(&self, place: usize) -> Option<usize> {
        self.ranks[place]
    }
}
