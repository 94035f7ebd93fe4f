//! Figures of searches: how good they are by the number of chunks, what the measure of likeness
//! changes, and what an embedder never reads.

use std::collections::{BTreeMap, BTreeSet};

use super::agreement::{agreements, mean_agreement};
use super::named::{Names, value};
use super::{ALL, average, score_at_k, top_k};
use crate::report::estimate::Estimate;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures::others_lie;
use crate::report::plots::Plot;
use crate::report::plots::by_place::{self, Search};
use crate::report::plots::final_metric::{self, Bar, Dots};

/// Stems of the plots.
pub(super) const STEMS: [&str; 3] = ["retrieval-by-k", "metric-agreement", "tokens-cut"];

const METRIC: &str = "retrieval.metric";
/// What is measured at several numbers of chunks.
const MEASURES: [(&str, &str); 3] = [("hit@k", "hit"), ("recall@k", "recall"), ("nDCG@k", "ndcg")];
/// Settings that change nothing of what is found.
const LATER: [&str; 5] = [
    "generator.",
    "generation.",
    "prompt.",
    "retrieval.top_k",
    "retrieval.on_overflow",
];
/// Pairs of runs are looked for among so many.
const MOST_RUNS: usize = 400;

/// Whether a setting decides what is found, and in which order.
fn decides(key: &str) -> bool {
    !LATER.iter().any(|later| key.starts_with(later))
}

/// Runs by what they search with, in the order of the plan.
fn ways(
    experiment: &ExperimentReport,
    decides: impl Fn(&str) -> bool,
) -> Vec<(String, Vec<&RunReport>)> {
    let keys: Vec<&String> = experiment
        .varying
        .iter()
        .filter(|key| decides(key))
        .collect();
    let mut places: BTreeMap<Vec<Option<String>>, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&RunReport>> = Vec::new();
    for run in experiment
        .current()
        .filter(|run| run.complete().next().is_some())
    {
        let own = keys.iter().map(|key| value(run, key)).collect();
        let place = *places.entry(own).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let names = Names::new(experiment);
    let name = |group: &Vec<&RunReport>| {
        let name = names.of(group[0], &decides);
        if name.is_empty() {
            group[0].name.clone()
        } else {
            name
        }
    };
    groups
        .into_iter()
        .map(|group| (name(&group), group))
        .collect()
}

/// hit@k, recall@k and nDCG@k by k, a line for each way of searching.
pub(super) fn by_k(experiment: &ExperimentReport) -> Option<Plot> {
    let search = |(name, group): (String, Vec<&RunReport>)| {
        let most = |run: &&&RunReport| run.seeds.iter().find_map(top_k).unwrap_or(0);
        let longest = *group.iter().max_by_key(most)?;
        let points = MEASURES.map(|(_, metric)| places(&group, metric));
        let mrr = average(longest, ALL, "mrr");
        let said = mrr
            .map(|mrr| format!(" (MRR {mrr:.2})"))
            .unwrap_or_default();
        let merit = score_of(longest).unwrap_or(f64::NEG_INFINITY);
        let search = Search {
            name: format!("{name}{said}"),
            points: points.to_vec(),
        };
        Some((merit, name, search))
    };
    let mut searches: Vec<(f64, String, Search)> = ways(experiment, decides)
        .into_iter()
        .filter_map(search)
        .collect();
    searches.sort_by(|one, other| other.0.total_cmp(&one.0));
    let judged = experiment
        .current()
        .find_map(|run| average(run, ALL, "judged"))
        .filter(|judged| *judged > 0.5)?;
    let notes = [format!(
        "k: chunks for each question. Means over {judged:.0} judged questions: one question more or less is {:.3}.",
        1.0 / judged
    )];
    let best = searches
        .first()
        .map(|(merit, name, _)| (*merit, name.clone()))?;
    let near = searches
        .iter()
        .filter(|search| search.0 >= best.0 - 1.0 / judged)
        .count()
        - 1;
    let all = searches.len();
    let searches: Vec<Search> = searches.into_iter().map(|(_, _, search)| search).collect();
    let title = format!("{}: retrieval by the number of chunks", experiment.name);
    let scene = by_place::draw(&title, &MEASURES.map(|(name, _)| name), &searches, &notes)?;
    let near = match near {
        0 => String::new(),
        near => {
            let they_lie = others_lie(near, all - 1);
            format!(" {they_lie} within what one question changes.")
        }
    };
    Some(Plot {
        stem: STEMS[0].to_owned(),
        caption: format!(
            "Retrieval by the number of chunks, for {all} ways of searching. Best by nDCG: {}, {:.3}.{near}",
            best.1, best.0
        ),
        scene,
    })
}

fn score_of(run: &RunReport) -> Option<f64> {
    run.mean(|seed| score_at_k(seed, "ndcg"))
        .filter(|score| score.is_finite())
}

/// A metric at each number of chunks that the records of any of these runs have.
fn places(group: &[&RunReport], metric: &str) -> Vec<(usize, f64)> {
    let seeds = group.iter().flat_map(|run| run.complete());
    let rows = seeds.filter_map(|seed| seed.record.as_ref());
    let rows = rows.flat_map(|record| &record.metrics);
    let known: BTreeSet<usize> = rows
        .filter(|row| row.evaluation == ALL)
        .filter_map(|row| {
            let place = row.metric.strip_prefix(metric)?.strip_prefix('@')?;
            place.parse().ok()
        })
        .collect();
    let at = |place: usize| {
        let name = format!("{metric}@{place}");
        let value = group.iter().find_map(|run| average(run, ALL, &name))?;
        Some((place, value))
    };
    known
        .into_iter()
        .filter_map(at)
        .filter(|point| point.1.is_finite())
        .collect()
}

/// For runs that differ in the measure of likeness alone: how much of what they find is the same.
pub(super) fn metrics_agree(experiment: &ExperimentReport) -> Option<Plot> {
    if !experiment.varying.iter().any(|key| key == METRIC) {
        return None;
    }
    let found = |key: &str| key != METRIC && (decides(key) || key == "retrieval.top_k");
    let mut bars: Vec<Bar> = Vec::new();
    let mut taus: Vec<f64> = Vec::new();
    let mut questions = 0;
    for (name, group) in ways(experiment, found).into_iter().take(MOST_RUNS) {
        let mut by_metric: Vec<(String, &RunReport)> = Vec::new();
        for run in group {
            let Some(metric) = value(run, METRIC) else {
                continue;
            };
            if !by_metric.iter().any(|(known, _)| *known == metric) {
                by_metric.push((metric, run));
            }
        }
        for (index, (one, first)) in by_metric.iter().enumerate() {
            for (other, second) in &by_metric[index + 1..] {
                let agreements = agreements(first, second);
                let Some((overlap, tau)) = mean_agreement(&agreements) else {
                    continue;
                };
                taus.extend(tau);
                questions = questions.max(agreements.len());
                let said = tau.map(|tau| format!(" (τ {tau:.2})")).unwrap_or_default();
                bars.push(Bar {
                    name: format!("{one} and {other}, {name}{said}"),
                    result: Ok(Estimate::plain(overlap)),
                    seeds: agreements
                        .iter()
                        .map(|agreement| agreement.overlap)
                        .collect(),
                });
            }
        }
    }
    let overlaps: Vec<f64> = bars
        .iter()
        .filter_map(|bar| bar.result.as_ref().ok())
        .map(|one| one.value)
        .collect();
    let scene = final_metric::draw(&Dots {
        title: format!("{}: what the measure of likeness changes", experiment.name),
        axis: "share of chunks that both find".to_owned(),
        bars: &bars,
        chance: None,
        judged: false,
        notes: vec![
            "Runs that differ in retrieval.metric alone: the mean over the questions, and each question as a small dot. τ: Kendall's tau of their order, 1 where it is the same."
                .to_owned(),
        ],
    })?;
    let (share, tau) = (
        crate::metrics::mean(&overlaps)?,
        crate::metrics::mean(&taus),
    );
    let same = overlaps.iter().all(|overlap| *overlap >= 1.0) && taus.iter().all(|tau| *tau >= 1.0);
    let conclusion = if same {
        "They find the same chunks in the same order: the measure changes nothing.".to_owned()
    } else {
        let order = tau
            .map(|tau| format!(", in an order of τ {tau:.2}"))
            .unwrap_or_default();
        format!(
            "On average they share {:.0} % of what they find{order}.",
            100.0 * share
        )
    };
    let pairs = if bars.len() == 1 {
        "1 pair".to_owned()
    } else {
        format!("{} pairs", bars.len())
    };
    Some(Plot {
        stem: STEMS[1].to_owned(),
        caption: format!(
            "Measures of likeness compared, {pairs} of runs, up to {questions} questions. {conclusion}"
        ),
        scene,
    })
}

/// The share of the chunks' tokens that the embedder never reads; none where it reads all.
pub(super) fn tokens_cut(experiment: &ExperimentReport) -> Option<Plot> {
    let decides = |key: &str| {
        ["document.", "chunks.", "embedder."]
            .iter()
            .any(|table| key.starts_with(table))
    };
    let bar = |(name, group): (String, Vec<&RunReport>)| {
        let of = |metric: &str| group.iter().find_map(|run| average(run, "run", metric));
        let (cut, limit) = (of("tokens_cut_percent")?, of("max_seq_length"));
        let said = limit
            .map(|limit| format!(" (reads {limit:.0})"))
            .unwrap_or_default();
        Some(Bar {
            name: format!("{name}{said}"),
            result: Ok(Estimate::plain(cut / 100.0)),
            seeds: Vec::new(),
        })
    };
    let bars: Vec<Bar> = ways(experiment, decides)
        .into_iter()
        .filter_map(bar)
        .collect();
    let cut = |bar: &Bar| bar.result.as_ref().map_or(0.0, |one| one.value);
    let worst = bars
        .iter()
        .max_by(|one, other| cut(one).total_cmp(&cut(other)))?;
    if cut(worst) <= 0.0 {
        return None;
    }
    let some = bars.iter().filter(|bar| cut(bar) > 0.0).count();
    let scene = final_metric::draw(&Dots {
        title: format!("{}: what is never embedded", experiment.name),
        axis: "share of the chunks' tokens beyond what the embedder reads".to_owned(),
        bars: &bars,
        chance: None,
        judged: false,
        notes: vec!["In parentheses: the tokens of a chunk that the embedder reads.".to_owned()],
    })?;
    Some(Plot {
        stem: STEMS[2].to_owned(),
        caption: format!(
            "Tokens cut off by the embedder: in {some} of {} cases some are. Most: {}, {:.1} % of all tokens; what stands there cannot be found.",
            bars.len(),
            worst.name,
            100.0 * cut(worst)
        ),
        scene,
    })
}
