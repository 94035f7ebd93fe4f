//! Metrics that can have no effect: with vectors of unit length the distance is `sqrt(2 - 2 cos)`,
//! so that distance and cosine rank alike.

use std::collections::BTreeMap;

use super::{Finding, listed};
use crate::study::{Reference, Study};

const METRIC: &str = "retrieval.metric";
const EMBEDDER: &str = "embedder.id";

/// How near a printed similarity must be to the one that unit vectors give: what 16-bit vectors
/// leave.
const NEAR: f64 = 5e-4;

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let mut found = Vec::new();
    for cosine in study.names().filter(|run| measures(study, run, "cosine")) {
        for other in study
            .names()
            .filter(|run| measures(study, run, "euclidean"))
        {
            if differ_in_metric_alone(study, cosine, other)
                && let Some(finding) = of_pair(study, cosine, other)
            {
                found.push(finding);
            }
        }
    }
    found
}

fn measures(study: &Study, run: &str, metric: &str) -> bool {
    study.setting(run, METRIC) == Some(metric)
}

/// Whether two runs print the same settings but for the metric.
fn differ_in_metric_alone(study: &Study, one: &str, other: &str) -> bool {
    let settings = |run| -> BTreeMap<&str, &str> {
        let printed = study.published.settings(run);
        printed.filter(|(key, _)| *key != METRIC).collect()
    };
    settings(one) == settings(other)
}

/// What two runs' similarities say of their vectors, and the other runs that this concerns.
fn of_pair(study: &Study, cosine: &str, euclidean: &str) -> Option<Finding> {
    let mut scores = study
        .published
        .values
        .iter()
        .filter_map(|row| match &row.reference {
            Reference::In { metric, .. } if row.run == cosine && metric == "best_score" => {
                let of_cosine = study.published.number(cosine, &row.reference)?.value;
                let of_other = study.published.number(euclidean, &row.reference)?.value;
                Some((of_cosine, of_other))
            }
            _ => None,
        });
    let first = scores.next()?;
    let is_unit = |(cosine, similarity): (f64, f64)| {
        let distance = (2.0 - 2.0 * cosine).max(0.0).sqrt();
        (1.0 / (1.0 + distance) - similarity).abs() < NEAR
    };
    if !is_unit(first) || !scores.all(is_unit) {
        return None;
    }
    let embedder = study.setting(cosine, EMBEDDER);
    let same = |run: &&str| study.setting(run, EMBEDDER) == embedder && embedder.is_some();
    let concerned: Vec<&str> = study
        .names()
        .filter(same)
        .filter(|run| {
            *run != cosine
                && *run != euclidean
                && study.names().any(|twin| {
                    let metrics = [run, &twin].map(|run| study.setting(run, METRIC));
                    metrics[0].is_some()
                        && metrics[1].is_some()
                        && metrics[0] != metrics[1]
                        && differ_in_metric_alone(study, run, twin)
                })
        })
        .collect();
    let of = embedder.map_or_else(String::new, |embedder| format!(" of {embedder}"));
    let mut text = format!(
        "Cosine {} and distance {} of the same texts are those of unit vectors, 1 / (1 + sqrt(2 - 2 cos)): with the vectors{of} both metrics rank alike, so the choice has no effect.",
        rounded(first.0),
        rounded(first.1),
    );
    if !concerned.is_empty() {
        text.push(' ');
        text.push_str(&listed(&concerned));
        text.push_str(" can differ by the sampling of answers alone.");
    }
    let runs = [cosine, euclidean]
        .into_iter()
        .chain(concerned.iter().copied());
    Some(Finding::new("a metric that can have no effect", runs, text))
}

fn rounded(value: f64) -> String {
    format!("{value:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::Sample;

    fn found(similarity: &str, more: &str) -> Vec<Finding> {
        let sample = Sample {
            values: format!(
                "a,run,embedder.id,m\na,run,retrieval.metric,cosine\na,q,best_score,0.5\n\
                 b,run,embedder.id,m\nb,run,retrieval.metric,euclidean\nb,q,best_score,{similarity}\n{more}"
            ),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn unit_vectors_are_known_by_their_similarities() {
        let found = found("0.5", "");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].runs, ["a", "b"]);
    }

    #[test]
    fn vectors_of_other_lengths_are_sound() {
        assert_eq!(found("0.29", ""), []);
    }

    #[test]
    fn runs_that_differ_in_more_prove_nothing() {
        assert_eq!(found("0.5", "b,run,chunks.size,500\n"), []);
    }
}
