//! Runs that are compared though other settings differ than those that the claim is about.

use std::collections::BTreeMap;

use super::Finding;
use crate::study::{Claim, Study};

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let claims = study.manifest.claims.iter();
    claims.filter_map(|claim| of_claim(study, claim)).collect()
}

fn of_claim(study: &Study, claim: &Claim) -> Option<Finding> {
    // A claim that names no setting is about runs as a whole.
    if claim.about.is_empty() {
        return None;
    }
    let settings = |run| study.published.settings(run).collect::<BTreeMap<_, _>>();
    let own = settings(claim.better.as_str());
    let mut differing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut runs: Vec<&str> = Vec::new();
    for other in &claim.than {
        let theirs = settings(other.as_str());
        for (key, value) in &own {
            let Some(their) = theirs.get(key).filter(|their| !same(value, their)) else {
                continue;
            };
            if claim.about.iter().any(|about| about == key) {
                continue;
            }
            let said = format!("{value} against {their}");
            let said_before = differing.entry(key).or_default();
            if !said_before.contains(&said) {
                said_before.push(said);
            }
            if !runs.contains(&other.as_str()) {
                runs.push(other);
            }
        }
    }
    let words: Vec<String> = differing
        .iter()
        .map(|(key, values)| format!("{key} ({})", values.join(", ")))
        .collect();
    if words.is_empty() {
        return None;
    }
    let text = format!(
        "“{}” is about {}, but {} and {} differ in more: {}.",
        claim.text,
        super::listed(&claim.about.iter().map(String::as_str).collect::<Vec<_>>()),
        claim.better,
        super::listed(&runs),
        words.join("; ")
    );
    let runs = std::iter::once(claim.better.as_str()).chain(runs);
    Some(Finding::new("compared under other settings", runs, text))
}

/// Whether two values are the same, be it that one is written with more digits.
fn same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= f64::EPSILON * one.abs(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::Sample;

    fn found(of_b: &str) -> Vec<Finding> {
        let sample = Sample {
            more: "[[claims]]\ntext = \"t\"\nbetter = \"a\"\nthan = [\"b\"]\nby = \"none\"\nabout = [\"model.id\"]\n",
            values: format!(
                "a,run,model.id,m\na,run,retrieval.top_k,10\na,run,lora.alpha,16.0\nb,run,model.id,n\n{of_b}"
            ),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn what_the_claim_is_about_may_differ() {
        assert_eq!(found("b,run,retrieval.top_k,10\nb,run,lora.alpha,16\n"), []);
    }

    #[test]
    fn anything_else_that_differs_is_found() {
        let found = found("b,run,retrieval.top_k,7\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].text.contains("retrieval.top_k (10 against 7)"),
            "{found:?}"
        );
    }
}
