//! A run's settings against those of the other runs of its experiment.

use std::collections::BTreeMap;

use crate::report::experiment::ExperimentReport;
use crate::report::seed::SeedReport;
use crate::report::settings::Settings;

/// A setting of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Setting {
    /// Its dotted key.
    pub key: String,
    /// Its value; empty where the run does not have it, and others do.
    pub value: String,
    /// The values of the other runs, the most frequent first; none where all agree.
    pub others: Option<String>,
}

/// Values of siblings that are told.
const SHOWN: usize = 6;

/// The values that the runs of an experiment have, for the settings that vary.
pub(in crate::report) struct Siblings<'a> {
    varying: BTreeMap<&'a str, BTreeMap<Option<&'a str>, usize>>,
}

impl<'a> Siblings<'a> {
    /// Of an experiment, whose runs each count once, whatever their number of seeds.
    pub(in crate::report) fn of(experiment: &'a ExperimentReport) -> Self {
        let settings: Vec<&Settings> = experiment
            .current()
            .filter_map(|run| run.seeds.iter().find(|seed| !seed.settings.is_empty()))
            .map(|seed| &seed.settings)
            .collect();
        let values = |key: &str| {
            let mut values = BTreeMap::new();
            for settings in &settings {
                *values
                    .entry(settings.get(key).map(String::as_str))
                    .or_insert(0) += 1;
            }
            values
        };
        let keys = experiment.varying.iter();
        Self {
            varying: keys.map(|key| (key.as_str(), values(key))).collect(),
        }
    }

    /// A run's settings: first those that set it apart, then the others.
    pub(in crate::report) fn settings(&self, seed: &SeedReport) -> Vec<Setting> {
        let own = |key: &str| seed.settings.get(key).map(String::as_str);
        let varying = self.varying.iter().map(|(&key, values)| Setting {
            key: key.to_owned(),
            value: shown(own(key).unwrap_or_default()),
            others: Some(others(values, own(key))),
        });
        let shared = seed.settings.iter();
        let shared = shared.filter(|(key, _)| !self.varying.contains_key(key.as_str()));
        let shared = shared.map(|(key, value)| Setting {
            key: key.clone(),
            value: shown(value),
            others: None,
        });
        varying.chain(shared).collect()
    }
}

/// A value, unless it is a list of tables that nobody would read in a cell.
fn shown(value: &str) -> String {
    if value.starts_with('{') {
        "as in run.toml".to_owned()
    } else {
        value.to_owned()
    }
}

/// The values but a run's own, the most frequent first.
fn others(values: &BTreeMap<Option<&str>, usize>, own: Option<&str>) -> String {
    let mut others: Vec<(Option<&str>, usize)> = values
        .iter()
        .filter(|(value, _)| **value != own)
        .map(|(value, count)| (*value, *count))
        .collect();
    others.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let more = others.len().saturating_sub(SHOWN);
    let first = others.iter().take(SHOWN);
    let mut words: Vec<String> = first
        .map(|(value, count)| match value {
            Some(value) => format!("{} ({count})", shown(value)),
            None => format!("not set ({count})"),
        })
        .collect();
    if more > 0 {
        words.push(format!("{more} other values"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_others_come_by_their_number_and_long_lists_are_cut() {
        let values = BTreeMap::from([(Some("4"), 1), (Some("8"), 3), (None, 2)]);
        assert_eq!(others(&values, Some("4")), "8 (3), not set (2)");
        assert_eq!(others(&values, Some("16")), "8 (3), not set (2), 4 (1)");
        let texts: Vec<String> = (0..9).map(|i| i.to_string()).collect();
        let many = texts.iter().map(|text| (Some(text.as_str()), 1)).collect();
        assert!(others(&many, Some("0")).ends_with("6 (1), 2 other values"));
    }
}
