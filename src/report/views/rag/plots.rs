//! Figures of retrieval runs: scores by rank, how good settings of chunks are, and how much runs
//! agree.

use std::collections::BTreeSet;

use super::agreement::{agreements, mean_agreement, scores_by_rank};
use super::score_at_k;
use crate::draw::Scene;
use crate::draw::matrix::{Cell, Matrix};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::plots::courses::{Course, Measure};
use crate::report::plots::{Plot, epochs};

/// Stems of the plots that compare runs.
pub(super) const STEMS: [&str; 3] = ["score-by-rank", "ndcg-by-chunks", "agreement"];

/// More runs than this have no readable matrix; `agreement.csv` has the numbers.
const MOST_RUNS: usize = 40;
const SIZE: &str = "chunks.size";
const TOP_K: &str = "retrieval.top_k";
const OVERLAP: &str = "chunks.overlap";
/// Settings that a model always has and a lexical embedder never: a difference between the two that
/// other settings tell better.
const OF_A_MODEL: [&str; 2] = ["embedder.precision", "embedder.random.seed"];

/// The figures that compare an experiment's runs.
pub(super) fn of_experiment(experiment: &ExperimentReport) -> Vec<Plot> {
    let figures = [
        (
            STEMS[0],
            "Score by rank, relative to each question's best, mean over the questions.",
            scores(experiment),
        ),
        (
            STEMS[1],
            "Retrieval by the size and the number of the chunks.",
            by_chunks(experiment),
        ),
        (
            STEMS[2],
            "How much the runs' lists agree.",
            agreement(experiment),
        ),
    ];
    let plot = |(stem, caption, scene): (&str, &str, Option<_>)| {
        Some(Plot {
            stem: stem.to_owned(),
            caption: caption.to_owned(),
            scene: scene?,
        })
    };
    figures.into_iter().filter_map(plot).collect()
}

fn scores(experiment: &ExperimentReport) -> Option<Scene> {
    let course = |run: &RunReport| Course {
        name: run.title(),
        seeds: run
            .seeds
            .iter()
            .map(|seed| scores_by_rank(seed.retrieval()))
            .collect(),
        remark: run.status(&experiment.evaluation),
    };
    let courses: Vec<Course> = experiment.current().map(course).collect();
    let measure = Measure {
        name: "score (share of the question's best)".to_owned(),
        place: "rank",
        judged: false,
        share: true,
    };
    epochs::draw(
        &format!("{}: score by rank", experiment.name),
        &courses,
        &measure,
    )
}

/// The settings that set rows apart beside the size and the number of the chunks.
fn telling(experiment: &ExperimentReport) -> Vec<&String> {
    let varies = |key: &str| {
        let seeds = experiment.seeds();
        let values = seeds.filter_map(|(_, seed)| seed.settings.get(key));
        values.collect::<BTreeSet<_>>().len() > 1
    };
    let tells = |key: &&String| {
        let key = key.as_str();
        ![SIZE, TOP_K, OVERLAP].contains(&key) && (!OF_A_MODEL.contains(&key) || varies(key))
    };
    experiment.varying.iter().filter(tells).collect()
}

/// nDCG for each size of the chunks and each number of them; a row for each combination of the
/// other settings that vary.
fn by_chunks(experiment: &ExperimentReport) -> Option<Scene> {
    let varies = |key: &str| experiment.varying.iter().any(|other| other == key);
    if !varies(SIZE) && !varies(TOP_K) {
        return None;
    }
    let value = |run: &RunReport, key: &str| {
        run.seeds
            .iter()
            .find_map(|seed| seed.settings.get(key).cloned())
    };
    // An overlap that moves together with the size needs no mention.
    let overlaps = |size: &Option<String>| {
        let alike = experiment.current().filter(|run| value(run, SIZE) == *size);
        alike
            .map(|run| value(run, OVERLAP))
            .collect::<BTreeSet<_>>()
    };
    let follows = |run: &RunReport| overlaps(&value(run, SIZE)).len() == 1;
    let said_by_size = experiment.current().all(follows);
    let others = telling(experiment);
    let row_of = |run: &RunReport| {
        let rest = others
            .iter()
            .filter_map(|key| value(run, key))
            .map(|text| last_part(&text).to_owned());
        let size = value(run, SIZE).map(|size| format!("size {size}"));
        let overlap = value(run, OVERLAP).filter(|_| !said_by_size);
        let overlap = overlap.map(|overlap| format!("overlap {overlap}"));
        rest.chain(size)
            .chain(overlap)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut rows: Vec<String> = Vec::new();
    let mut columns: Vec<usize> = Vec::new();
    let mut found: Vec<(String, usize, f64, Option<f64>)> = Vec::new();
    for run in experiment.current() {
        let k = value(run, TOP_K).and_then(|k| k.parse().ok());
        let Some((k, ndcg)) = k.zip(run.mean(|seed| score_at_k(seed, "ndcg"))) else {
            continue;
        };
        let row = row_of(run);
        if !rows.contains(&row) {
            rows.push(row.clone());
        }
        columns.push(k);
        found.push((row, k, ndcg, run.mean(|seed| score_at_k(seed, "hit"))));
    }
    columns.sort_unstable();
    columns.dedup();
    if found.len() < 2 || rows.len() > MOST_RUNS {
        return None;
    }
    let cell = |row: &String, k: usize| {
        let Some((_, _, ndcg, hit)) = found.iter().find(|found| found.0 == *row && found.1 == k)
        else {
            return empty();
        };
        let below = hit.map(|hit| format!("hit {hit:.2}")).unwrap_or_default();
        Cell {
            share: Some(ndcg.clamp(0.0, 1.0)),
            text: format!("{ndcg:.3}"),
            below,
        }
    };
    let matrix = Matrix {
        title: format!("{}: nDCG by chunks", experiment.name),
        names: (
            "chunks".to_owned(),
            "chunks for each question (top_k)".to_owned(),
        ),
        cells: rows
            .iter()
            .map(|row| columns.iter().map(|&k| cell(row, k)).collect())
            .collect(),
        rows,
        columns: columns.iter().map(usize::to_string).collect(),
        scale: ["1", "0.5", "0"],
    };
    matrix.draw(&["nDCG@k over the judged questions, which also sets the shade, and below it the share of questions with a hit.".to_owned()])
}

fn agreement(experiment: &ExperimentReport) -> Option<Scene> {
    let runs: Vec<&RunReport> = experiment
        .current()
        .filter(|run| run.complete().next().is_some())
        .collect();
    if runs.len() < 2 || runs.len() > MOST_RUNS {
        return None;
    }
    let cell = |one: &RunReport, other: &RunReport| match mean_agreement(&agreements(one, other)) {
        None => empty(),
        Some((overlap, tau)) => Cell {
            share: Some(overlap),
            text: format!("{overlap:.2}"),
            below: tau.map(|tau| format!("τ {tau:.2}")).unwrap_or_default(),
        },
    };
    let cells: Vec<Vec<Cell>> = runs
        .iter()
        .map(|one| runs.iter().map(|other| cell(one, other)).collect())
        .collect();
    // Only what stands beside the diagonal compares anything.
    let compares = |(row, cells): (usize, &Vec<Cell>)| {
        cells
            .iter()
            .enumerate()
            .any(|(column, cell)| column != row && cell.share.is_some())
    };
    if !cells.iter().enumerate().any(compares) {
        return None;
    }
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    let matrix = Matrix {
        title: format!("{}: agreement of the runs", experiment.name),
        names: ("run".to_owned(), "run".to_owned()),
        rows: names.clone(),
        columns: names,
        cells,
        scale: ["1", "0.5", "0"],
    };
    matrix.draw(&[
        "Mean over the questions of the share of chunks that both lists have, which also sets the shade, and below it Kendall's tau, where a chunk \
         that a list lacks ranks below all that it has; over as many places as the shorter list has."
            .to_owned(),
        "Empty: the runs search different chunks. agreement.csv has every question.".to_owned(),
    ])
}

fn empty() -> Cell {
    Cell {
        share: None,
        text: String::new(),
        below: String::new(),
    }
}

/// Of a path its last part; of a model's configuration its folder.
fn last_part(text: &str) -> &str {
    text.trim_end_matches("/config.json")
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(text)
}
