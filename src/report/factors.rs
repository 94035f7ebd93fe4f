//! The settings that vary between an experiment's runs, as factors with levels: what a figure is
//! explained by.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::experiment::{ExperimentReport, RunReport};
use super::seed::SeedReport;
use crate::keys;
use crate::metrics::Observed;

/// A factor with more levels than this has no readable row for each.
const MOST_LEVELS: usize = 12;
/// Settings that are named where several move together.
const NAMED: usize = 2;

/// The factors of an experiment and its runs in their terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factors {
    /// In the order of their keys.
    pub list: Vec<Factor>,
    /// The runs that have the figure.
    pub runs: Vec<Observed>,
    /// Which settings are no factors, and why.
    pub left_out: Vec<String>,
}

/// A setting, or several that move together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Factor {
    /// As short as it can be.
    pub name: String,
    /// Numbers in their order, others as they come.
    pub levels: Vec<String>,
}

impl Factors {
    /// Of the current runs that have a figure; none where no two of them differ.
    pub(super) fn of(
        experiment: &ExperimentReport,
        figure: impl Fn(&SeedReport) -> Option<f64>,
    ) -> Option<Self> {
        let values = |run: &RunReport| -> Vec<f64> {
            let values = run.complete().filter_map(&figure);
            values.filter(|value| value.is_finite()).collect()
        };
        let runs: Vec<(&RunReport, Vec<f64>)> = experiment
            .current()
            .map(|run| (run, values(run)))
            .filter(|(_, values)| !values.is_empty())
            .collect();
        let columns: Vec<Column<'_>> = experiment
            .varying
            .iter()
            .map(|key| {
                (
                    key.as_str(),
                    runs.iter().map(|(run, _)| level(run, key)).collect(),
                )
            })
            .filter(|(_, column): &Column<'_>| column.iter().any(|value| *value != column[0]))
            .collect();
        let names: Vec<&str> = columns.iter().map(|(key, _)| *key).collect();
        let short: HashMap<&str, &str> = names.iter().copied().zip(keys::short(&names)).collect();
        let mut left_out = Vec::new();
        let mut factors = Vec::new();
        let mut levels_of: Vec<Vec<usize>> = Vec::new();
        for group in together(columns) {
            let parts: Vec<&str> = group.iter().map(|(key, _)| short[key]).collect();
            let name = joined(&parts);
            let texts: Vec<String> = (0..runs.len())
                .map(|run| {
                    let parts = group.iter().take(NAMED).map(|(_, column)| column[run]);
                    parts.collect::<Vec<_>>().join(", ")
                })
                .collect();
            let levels = ordered(&texts);
            if levels.len() > MOST_LEVELS {
                left_out.push(format!(
                    "`{name}` has {} values, too many to compare.",
                    levels.len()
                ));
                continue;
            }
            let place: HashMap<&str, usize> = levels
                .iter()
                .enumerate()
                .map(|(place, level)| (level.as_str(), place))
                .collect();
            levels_of.push(texts.iter().map(|text| place[text.as_str()]).collect());
            factors.push(Factor { name, levels });
        }
        let observed = runs.iter().enumerate().map(|(run, (_, values))| Observed {
            levels: levels_of.iter().map(|levels| levels[run]).collect(),
            values: values.clone(),
        });
        let runs: Vec<Observed> = observed.collect();
        (!factors.is_empty()).then_some(Self {
            list: factors,
            runs,
            left_out,
        })
    }

    /// Each factor's number of levels.
    pub(super) fn levels(&self) -> Vec<usize> {
        self.list.iter().map(|factor| factor.levels.len()).collect()
    }
}

/// A run's setting; its seeds share it.
fn level<'a>(run: &'a RunReport, key: &str) -> &'a str {
    let mut settings = run.complete().filter_map(|seed| seed.settings.get(key));
    settings.next().map_or("none", String::as_str)
}

/// A setting's key and its value for each run.
type Column<'a> = (&'a str, Vec<&'a str>);

/// Settings that part the runs in the same way, which nothing can tell apart.
fn together(columns: Vec<Column<'_>>) -> Vec<Vec<Column<'_>>> {
    let mut groups: Vec<(Vec<usize>, Vec<Column<'_>>)> = Vec::new();
    for (key, column) in columns {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let parts: Vec<usize> = column
            .iter()
            .map(|value| {
                let next = places.len();
                *places.entry(value).or_insert(next)
            })
            .collect();
        match groups.iter_mut().find(|(known, _)| *known == parts) {
            Some((_, group)) => group.push((key, column)),
            None => groups.push((parts, vec![(key, column)])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn joined(names: &[&str]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(" & "),
        more => format!("{} & {more} more", names[..NAMED].join(", ")),
    }
}

/// Different texts, numbers by their size, others in the order in which they come.
fn ordered(texts: &[String]) -> Vec<String> {
    let mut known = HashSet::new();
    let mut levels: Vec<String> = texts
        .iter()
        .filter(|text| known.insert(text.as_str()))
        .cloned()
        .collect();
    // By the first of what moves together.
    let number = |text: &String| text.split(", ").next()?.parse::<f64>().ok();
    let numbers: BTreeMap<String, f64> = levels
        .iter()
        .filter_map(|level| Some((level.clone(), number(level)?)))
        .collect();
    if numbers.len() == levels.len() {
        levels.sort_by(|one, other| numbers[one].total_cmp(&numbers[other]));
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_size_and_words_as_they_come() {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert_eq!(ordered(&texts(&["16", "4", "16", "8"])), ["4", "8", "16"]);
        assert_eq!(
            ordered(&texts(&["value", "all", "value"])),
            ["value", "all"]
        );
        assert_eq!(ordered(&texts(&["16, b", "4, a"])), ["4, a", "16, b"]);
    }

    #[test]
    fn settings_that_move_together_are_one_factor() {
        let columns = vec![
            ("rank", vec!["4", "8", "4"]),
            ("alpha", vec!["8", "16", "8"]),
            ("epochs", vec!["1", "1", "2"]),
        ];
        let groups = together(columns);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].len(), 2);
        assert_eq!(
            joined(&["rank", "alpha", "rate", "targets"]),
            "rank, alpha & 2 more"
        );
        assert_eq!(joined(&["rank", "alpha"]), "rank & alpha");
    }
}
