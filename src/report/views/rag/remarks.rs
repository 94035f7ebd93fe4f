//! What the figures of a search are, and how little few questions tell apart.

use super::{ALL, score_at_k};
use crate::report::estimate::Estimate;
use crate::report::experiment::ExperimentReport;
use crate::report::figures::others_lie;

/// What the figures are.
pub(super) fn remarks(experiment: &ExperimentReport) -> Vec<String> {
    let of_all = |metric: &str| {
        let values = experiment
            .seeds()
            .filter_map(|(_, seed)| seed.metric(ALL, &[metric]));
        let values: Vec<f64> = values.collect();
        Some((
            values.iter().copied().reduce(f64::min)?,
            values.iter().copied().reduce(f64::max)?,
        ))
    };
    let Some(((least, most), (_, asked))) = of_all("judged").zip(of_all("asked")) else {
        return Vec::new();
    };
    if most < 0.5 {
        return vec!["k: fragments for each question. No question has patterns that the document contains, so none is judged.".to_owned()];
    }
    let judged = if (least - most).abs() < 0.5 {
        format!("{most:.0}")
    } else {
        format!("{least:.0} to {most:.0}")
    };
    let mut remarks = vec![format!(
        "k: fragments for each question. Means over {judged} of {asked:.0} questions, those whose patterns the document contains; where the chunks cut such a passage apart, it counts as not found."
    )];
    if let Some(share) = near_best(experiment) {
        remarks.push(share);
    }
    remarks
}

/// How many runs cannot be told from the best one by its hits.
fn near_best(experiment: &ExperimentReport) -> Option<String> {
    let hits: Vec<(f64, f64)> = experiment
        .current()
        .filter_map(|run| {
            Some((
                run.mean(|seed| score_at_k(seed, "hit"))?,
                run.mean(|seed| seed.metric(ALL, &["judged"]))?,
            ))
        })
        .collect();
    let &(best, judged) = hits.iter().max_by(|one, other| one.0.total_cmp(&other.0))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of questions"
    )]
    let interval = Estimate::of_share(best, judged as u64);
    let near = hits.iter().filter(|hit| hit.0 >= interval.low).count() - 1;
    (near > 0 && judged > 0.0).then(|| {
        let they_lie = others_lie(near, hits.len() - 1);
        format!(
            "{they_lie} within the best one's 95 % interval of hit@k for {judged:.0} questions, from {:.2}: so few questions cannot tell such runs apart.",
            interval.low
        )
    })
}
