//! LoRA fine-tuning: what every classifier shows, and what was trained.

use super::Score;
use super::classification::Classification;
use crate::report::figures;

pub(super) const VIEW: Classification = Classification {
    scores: || {
        vec![
            mean("trainable", "trainable_parameters", figures::count).dispensable(7),
            mean("share", "trainable_percent", figures::percent)
                .page("share of all")
                .dispensable(1),
        ]
    },
    costs: || {
        let share = |value| format!("{value:.4} %");
        vec![
            mean(
                "trainable parameters",
                "trainable_parameters",
                figures::count,
            ),
            mean("total parameters", "total_parameters", figures::count),
            mean("trainable share", "trainable_percent", share),
        ]
    },
};

/// The mean over the seeds of a figure that belongs to no evaluation.
fn mean(title: &str, metric: &'static str, words: fn(f64) -> String) -> Score<'static> {
    Score::new(title, move |run| {
        run.mean(|seed| seed.run_metric(metric)).map(words)
    })
}
