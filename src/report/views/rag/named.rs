//! Names of searches by the settings that set them apart.

use std::collections::BTreeMap;

use crate::report::experiment::{ExperimentReport, RunReport};

pub(super) const SIZE: &str = "chunks.size";
pub(super) const TOP_K: &str = "retrieval.top_k";
const OVERLAP: &str = "chunks.overlap";
/// Settings that a model always has and a lexical embedder never: a difference between the two that
/// other settings tell better.
const OF_A_MODEL: [&str; 2] = ["embedder.precision", "embedder.random.seed"];

/// A setting of a run, which its seeds share.
pub(super) fn value(run: &RunReport, key: &str) -> Option<String> {
    let mut settings = run.seeds.iter();
    settings.find_map(|seed| seed.settings.get(key).cloned())
}

/// Names of runs by what sets them apart.
pub(super) struct Names<'a> {
    experiment: &'a ExperimentReport,
    /// Settings that need no mention.
    untold: Vec<&'static str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(experiment: &'a ExperimentReport) -> Self {
        let constant = |key: &str| {
            let seeds = experiment.seeds();
            let mut values = seeds.filter_map(|(_, seed)| seed.settings.get(key));
            let first = values.next();
            values.all(|value| Some(value) == first)
        };
        let of_a_model = OF_A_MODEL.into_iter().filter(|key| constant(key));
        let mut untold: Vec<&str> = of_a_model.collect();
        // An overlap that moves together with the size.
        let mut overlaps: BTreeMap<Option<String>, Option<String>> = BTreeMap::new();
        let follows = experiment.current().all(|run| {
            let (size, overlap) = (value(run, SIZE), value(run, OVERLAP));
            *overlaps.entry(size).or_insert_with(|| overlap.clone()) == overlap
        });
        untold.extend(follows.then_some(OVERLAP));
        Self { experiment, untold }
    }

    /// The name of a run among those settings that vary and are asked for; what its chunks are comes
    /// last.
    pub(super) fn of(&self, run: &RunReport, asked: impl Fn(&str) -> bool) -> String {
        let words = |key: &str| {
            let value = value(run, key)?;
            Some(match key {
                SIZE => format!("size {value}"),
                TOP_K => format!("k {value}"),
                OVERLAP => format!("overlap {value}"),
                _ => last_part(&value).to_owned(),
            })
        };
        let keys = self.experiment.varying.iter().map(String::as_str);
        let keys = keys.filter(|key| asked(key) && !self.untold.contains(key));
        let (chunks, others): (Vec<&str>, Vec<&str>) =
            keys.partition(|key| [SIZE, OVERLAP, TOP_K].contains(key));
        // The size before the overlap.
        let (sizes, rest): (Vec<&str>, Vec<&str>) = chunks.iter().partition(|key| **key == SIZE);
        let all = others.into_iter().chain(sizes).chain(rest);
        all.filter_map(words).collect::<Vec<_>>().join(", ")
    }
}

/// Of a path its last part; of a model's configuration its folder.
fn last_part(text: &str) -> &str {
    text.trim_end_matches("/config.json")
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(text)
}
