//! What runs of a plan share, and what to know of them before they run.

use std::path::{Path, PathBuf};

use crate::plan::{Decision, Plan};

/// Something that is made once for all runs that name the same file, and kept under the results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Where it is kept.
    pub file: PathBuf,
    /// What it is, of one run and of several: `the vectors of its chunks`, `the vectors of their
    /// chunks`.
    pub names: [&'static str; 2],
}

/// What a reader of the plan should know beside the decisions: what runs share, and which settings
/// change nothing.
#[must_use]
pub fn remarks(plan: &Plan, results: &Path) -> Vec<String> {
    let mut shared: Vec<(Shared, Vec<String>)> = Vec::new();
    let mut remarks: Vec<(String, Vec<String>)> = Vec::new();
    for planned in &plan.runs {
        let Decision::Run(_) = planned.decision else {
            continue;
        };
        let (task, label) = (super::of(&planned.spec.settings), planned.spec.label());
        if let Some(thing) = task.shared(&planned.spec, results) {
            add(&mut shared, thing, label.clone());
        }
        for remark in task.remarks() {
            add(&mut remarks, remark, label.clone());
        }
    }
    let shared = shared.into_iter().filter_map(|(thing, runs)| {
        let ([one, several], names) = (thing.names, named(&runs));
        match (runs.len(), thing.file.exists()) {
            (1, true) => Some(format!("{names} finds {one} in the cache")),
            (1, false) => None,
            (_, true) => Some(format!("{names} share {several}, which are in the cache")),
            (_, false) => Some(format!("{names} share {several}, which are computed once")),
        }
    });
    let remarks = remarks
        .into_iter()
        .map(|(remark, runs)| format!("{}: {remark}", named(&runs)));
    shared.chain(remarks).collect()
}

/// Adds a run to those of which the same is known.
fn add<T: PartialEq>(groups: &mut Vec<(T, Vec<String>)>, known: T, label: String) {
    match groups.iter_mut().find(|group| group.0 == known) {
        Some(group) => group.1.push(label),
        None => groups.push((known, vec![label])),
    }
}

/// The first of the runs by name, and how many more there are.
fn named(runs: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = runs
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>();
    match (runs.len().saturating_sub(SHOWN), shown.as_slice()) {
        (0, [others @ .., last]) if !others.is_empty() => {
            format!("{} and {last}", others.join(", "))
        }
        (0, _) => shown.join(", "),
        (more, _) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_where_there_are_many() {
        let runs: Vec<String> = "abcdef".chars().map(String::from).collect();
        assert_eq!(
            [&runs[..1], &runs[..2], &runs[..4], &runs].map(named),
            ["a", "a and b", "a, b, c and d", "a, b, c, d and 2 more"]
        );
    }
}
