//! Prompting: what every classifier shows, and how often the decoder was asked.

use super::Score;
use super::classification::Classification;
use crate::report::figures;

pub(super) const VIEW: Classification = Classification {
    scores: || {
        vec![
            mean("no answer", "failed_chunks")
                .page("chunks without an answer")
                .dispensable(1),
        ]
    },
    costs: || {
        vec![
            mean("examples in a prompt", "examples"),
            mean("prompts", "prompts"),
            mean("prompt tokens", "prompt_tokens"),
            mean("answers asked for", "tries"),
            mean("chunks without an answer", "failed_chunks"),
        ]
    },
};

/// The mean over the seeds of a figure that belongs to no evaluation.
fn mean(title: &str, metric: &'static str) -> Score<'static> {
    Score::new(title, move |run| {
        run.mean(|seed| seed.run_metric(metric)).map(figures::count)
    })
}
