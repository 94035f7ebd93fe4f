//! Figures of retrieval runs: scores by rank, how good settings of chunks are, and how much runs
//! agree.

use super::agreement::{agreements, mean_agreement, scores_by_rank};
use super::named::{Names, SIZE, TOP_K, value};
use super::{judgements, score_at_k, searched};
use crate::draw::Scene;
use crate::draw::matrix::{Cell, Matrix};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::plots::courses::{Course, Measure};
use crate::report::plots::{Plot, epochs};
use crate::report::views::judged::{self, Judged};

/// Stems of the plots that compare runs.
pub(super) const STEMS: [&str; 10] = [
    searched::STEMS[0],
    "ndcg-by-chunks",
    "score-by-rank",
    searched::STEMS[1],
    "agreement",
    searched::STEMS[2],
    judgements::STEM,
    judged::STEMS[0],
    judged::STEMS[1],
    judged::STEMS[2],
];

/// More runs than this have no readable matrix; `agreement.csv` has the numbers.
const MOST_RUNS: usize = 40;
/// The figures that compare an experiment's runs.
pub(super) fn of_experiment(experiment: &ExperimentReport) -> Vec<Plot> {
    let judged = Judged {
        name: "nDCG@k".to_owned(),
        unit: "mean over the questions",
        of: Box::new(|seed| score_at_k(seed, "ndcg")),
    };
    let plot = |stem: &str, caption: &str, scene: Option<Scene>| {
        Some(Plot {
            stem: stem.to_owned(),
            caption: caption.to_owned(),
            scene: scene?,
        })
    };
    let by_chunks = plot(
        STEMS[1],
        "Retrieval by the size and the number of the chunks.",
        by_chunks(experiment),
    );
    let scores = plot(
        STEMS[2],
        "Score by rank, relative to each question's best, mean over the questions.",
        scores(experiment),
    );
    let agreement = plot(
        STEMS[4],
        "How much the runs' lists agree.",
        agreement(experiment),
    );
    let figures = [
        searched::by_k(experiment),
        by_chunks,
        scores,
        searched::metrics_agree(experiment),
        agreement,
        searched::tokens_cut(experiment),
        judgements::of_runs(experiment),
    ];
    let mut plots: Vec<Plot> = figures.into_iter().flatten().collect();
    plots.extend(judged::plots(experiment, &judged));
    plots
}

fn scores(experiment: &ExperimentReport) -> Option<Scene> {
    let course = |run: &RunReport| Course {
        name: run.title(),
        standing: run.mean(|seed| score_at_k(seed, "ndcg")),
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

/// nDCG for each size of the chunks and each number of them; a row for each combination of the
/// other settings that vary.
fn by_chunks(experiment: &ExperimentReport) -> Option<Scene> {
    let varies = |key: &str| experiment.varying.iter().any(|other| other == key);
    if !varies(SIZE) && !varies(TOP_K) {
        return None;
    }
    let names = Names::new(experiment);
    let row_of = |run: &RunReport| names.of(run, |key| key != TOP_K);
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
        if rows.len() > MOST_RUNS {
            return None;
        }
        columns.push(k);
        found.push((row, k, ndcg, run.mean(|seed| score_at_k(seed, "hit"))));
    }
    columns.sort_unstable();
    columns.dedup();
    if found.len() < 2 {
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
        scale: ["1", "0.5", "0"].map(str::to_owned),
        square: false,
        largest: 110.0,
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
        scale: ["1", "0.5", "0"].map(str::to_owned),
        square: true,
        largest: 110.0,
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
