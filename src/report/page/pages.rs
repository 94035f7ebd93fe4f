//! Which runs of an experiment have pages, in the order in which a reader turns them.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses;
use super::ranked::Ranked;
use crate::report::drawn::DrawnExperiment;
use crate::report::experiment::ExperimentReport;
use crate::report::seed::{SeedReport, State};

/// A run with one seed that has a page.
#[derive(Debug, Clone)]
pub(super) struct PageOf {
    /// The run's place in the experiment.
    pub run: usize,
    /// The seed's place in the run.
    pub seed: usize,
    /// The place of both in [`ExperimentReport::seeds`].
    pub place: usize,
    /// The name of the page's file.
    pub name: String,
}

/// The pages of an experiment's runs.
pub(super) struct Pages {
    experiment: String,
    /// The best run's first.
    pub order: Vec<PageOf>,
    names: BTreeMap<(String, u64), String>,
    comparable: BTreeSet<usize>,
}

impl Pages {
    pub(super) fn of(
        experiment: &ExperimentReport,
        ranked: &Ranked,
        drawn: &DrawnExperiment,
    ) -> Self {
        let mut first = 0;
        let firsts: Vec<usize> = experiment
            .runs
            .iter()
            .map(|run| {
                first += run.seeds.len();
                first - run.seeds.len()
            })
            .collect();
        let mut pages = Self {
            experiment: experiment.name.clone(),
            order: Vec::new(),
            names: BTreeMap::new(),
            comparable: BTreeSet::new(),
        };
        for &run in &ranked.order {
            let report = &experiment.runs[run];
            for (seed, one) in report.seeds.iter().enumerate() {
                let place = firsts[run] + seed;
                let Some(name) = addresses::run_name(&report.name, one.seed)
                    .filter(|_| drawn.seeds.contains_key(&place))
                else {
                    continue;
                };
                pages
                    .names
                    .insert((report.name.clone(), one.seed), name.clone());
                if report.stale.is_none() && one.state == State::Complete {
                    pages.comparable.insert(run);
                }
                pages.order.push(PageOf {
                    run,
                    seed,
                    place,
                    name,
                });
            }
        }
        pages
    }

    /// The address of a run's page from the index, if it has one.
    pub(super) fn address(&self, run: &str, seed: u64) -> Option<String> {
        let name = self.names.get(&(run.to_owned(), seed))?;
        Some(addresses::run_from_index(&self.experiment, name))
    }

    /// Whether a run has what it takes to be compared with another: complete results of the present
    /// settings, and a page.
    pub(super) fn is_comparable(&self, run: usize) -> bool {
        self.comparable.contains(&run)
    }

    /// The places of the runs that can be compared.
    pub(super) fn comparable(&self) -> impl Iterator<Item = usize> + '_ {
        self.comparable.iter().copied()
    }
}

impl PageOf {
    /// What it is the page of.
    pub(super) fn report<'a>(&self, experiment: &'a ExperimentReport) -> &'a SeedReport {
        &experiment.runs[self.run].seeds[self.seed]
    }
}
