//! The names by which PEFT finds adapted modules.

use std::collections::BTreeSet;

/// The shortest ends of module names by which PEFT finds exactly `modules` among `all`.
#[must_use]
pub fn suffixes(all: &[String], modules: &BTreeSet<String>) -> BTreeSet<String> {
    let found = |suffix: &str| {
        all.iter()
            .filter(|name| *name == suffix || name.ends_with(&format!(".{suffix}")))
            .all(|name| modules.contains(name))
    };
    modules
        .iter()
        .map(|module| {
            let starts = module
                .rmatch_indices('.')
                .map(|(dot, _)| dot + 1)
                .chain([0]);
            let mut ends = starts.map(|start| &module[start..]);
            ends.find(|end| found(end)).unwrap_or(module).to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn suffixes_are_as_short_as_they_can_be_without_matching_more() {
        let all = names(&[
            "bert.layer.0.query",
            "bert.layer.0.attention.output.dense",
            "bert.layer.0.output.dense",
            "bert.pooler.dense",
        ]);
        let of = |modules: &[&str]| suffixes(&all, &names(modules).into_iter().collect());
        assert_eq!(
            of(&["bert.layer.0.query"]),
            BTreeSet::from(["query".to_owned()])
        );
        assert_eq!(
            of(&["bert.layer.0.output.dense"]),
            BTreeSet::from(["0.output.dense".to_owned()])
        );
        assert_eq!(
            of(&["bert.layer.0.attention.output.dense"]),
            BTreeSet::from(["attention.output.dense".to_owned()])
        );
    }
}
