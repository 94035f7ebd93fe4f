//! Retrieval and answers: how good what the questions found is, and how much runs agree.

mod agreement;
mod answers;
mod judgements;
mod named;
mod plots;
mod remarks;
mod searched;
#[cfg(test)]
mod tests;

use super::{Detail, Score, View};
use crate::report::estimate::Estimate;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::plots::Plot;
use crate::report::seed::SeedReport;

/// The evaluation of all questions together.
const ALL: &str = "questions";

/// What says first how good a run is, with its title among the scores: of a search whose questions
/// have patterns how early it finds them, else how right or at least how well founded its answers
/// are.
const FIRST: [(&str, &str); 3] = [
    ("MRR", "mrr"),
    ("F1", "token_f1"),
    ("supported", "supported"),
];

pub(super) struct Retrieval;

impl View for Retrieval {
    fn evaluations(&self) -> &'static [&'static str] {
        &[ALL]
    }

    fn scores<'a>(&self, experiment: &'a ExperimentReport, _: &'a str) -> Vec<Score<'a>> {
        let at_k = |title: &str, metric: &'static str| {
            Score::new(title, move |run| {
                run.mean(|seed| score_at_k(seed, metric))
                    .map(figures::decimal)
            })
        };
        let of_run = |title: &str, metric: &'static str, words: fn(f64) -> String| {
            Score::new(title, move |run| average(run, "run", metric).map(words))
        };
        let of_all = |title: &str, metric: &'static str| {
            Score::new(title, move |run| {
                average(run, ALL, metric).map(figures::decimal)
            })
        };
        let k = |run: &RunReport| run.seeds.iter().find_map(top_k).map(|k| k.to_string());
        let mut scores = vec![
            of_run("chunks", "chunks", figures::count).dispensable(4),
            Score::new("k", k),
            at_k("hit@k", "hit"),
            at_k("recall@k", "recall").dispensable(9),
            of_all("MRR", "mrr"),
            at_k("nDCG@k", "ndcg"),
            of_all("hit@1", "hit@1").dispensable(3),
            of_run("tokens cut", "tokens_cut_percent", figures::percent).dispensable(6),
        ];
        scores.extend(answers::scores(experiment));
        scores
    }

    fn summary_column(
        &self,
        _: &ExperimentReport,
        evaluation: &str,
        metric: &str,
    ) -> Option<String> {
        Some(if evaluation == "run" || evaluation == ALL {
            metric.to_owned()
        } else {
            format!("{evaluation}.{metric}")
        })
    }

    fn remarks(&self, experiment: &ExperimentReport) -> Vec<String> {
        remarks::remarks(experiment)
    }

    fn stems(&self) -> &'static [&'static str] {
        &plots::STEMS
    }

    fn plots(&self, experiment: &ExperimentReport) -> Vec<Plot> {
        plots::of_experiment(experiment)
    }

    fn plots_of_seed(
        &self,
        experiment: &ExperimentReport,
        run: &RunReport,
        seed: &SeedReport,
    ) -> Vec<Plot> {
        let label = format!("{}/{} (seed {})", experiment.name, run.name, seed.seed);
        let stem = format!("{}.seed-{}", run.name, seed.seed);
        judgements::of_seed(&label, &stem, seed)
            .into_iter()
            .collect()
    }

    fn details(&self, seed: &SeedReport) -> Vec<Detail> {
        answers::detail(seed).into_iter().collect()
    }

    fn headline(&self, seed: &SeedReport, _: &str) -> Option<(&'static str, Estimate)> {
        let named = |(title, metric)| Some((title, seed.metric(ALL, &[metric])?));
        let (title, value) = FIRST.into_iter().find_map(named)?;
        Some((title, Estimate::plain(value)))
    }

    fn table_beside(
        &self,
        experiment: &ExperimentReport,
    ) -> csv::Result<Option<(&'static str, Vec<u8>)>> {
        let content = agreement::csv(experiment)?;
        Ok(content.map(|content| ("agreement.csv", content)))
    }
}

fn average(run: &RunReport, evaluation: &str, metric: &str) -> Option<f64> {
    run.mean(|seed| seed.metric(evaluation, &[metric]))
}

/// A metric over as many places as the run's questions got.
fn score_at_k(seed: &SeedReport, metric: &str) -> Option<f64> {
    seed.metric(ALL, &[&format!("{metric}@{}", top_k(seed)?)])
}

/// Fragments for each question.
fn top_k(seed: &SeedReport) -> Option<usize> {
    seed.settings.get("retrieval.top_k")?.parse().ok()
}
