//! An experiment's part of the index.

use serde::Serialize;

use super::addresses;
use super::figure::Figure;
use super::pages::Pages;
use super::ranked::Ranked;
use super::table::RunsTable;
use crate::report::compared::{self, Compared};
use crate::report::drawn::DrawnExperiment;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::seed::{SeedReport, State};
use crate::report::views;

/// Runs whose troubles are told.
const TROUBLES: usize = 100;
/// Folders between the index and the results tree.
const DEPTH: usize = 1;

/// An experiment: its line in the overview, and its part of the page.
#[derive(Serialize)]
pub(super) struct Section<'a> {
    name: &'a str,
    id: String,
    description: Option<&'a str>,
    kind: &'a str,
    counts: String,
    /// Whether something in it asks for attention.
    troubled: bool,
    /// Runs that are complete, and all.
    complete: usize,
    all: usize,
    best: Option<Best>,
    /// How long its runs took together.
    time: String,
    seconds: f64,
    /// The address of its table.
    summary: String,
    /// Where the script finds what it needs to compare runs.
    data: String,
    problems: &'a [String],
    troubles: Vec<Trouble>,
    /// Runs with troubles that are not told.
    more_troubles: usize,
    table: RunsTable,
    plots: Vec<Figure<'a>>,
    compared: Option<SideBySide<'a>>,
}

/// A run that something is wrong with.
#[derive(Serialize)]
struct Trouble {
    title: String,
    address: Option<String>,
    said: Vec<String>,
}

/// The best run of an experiment.
#[derive(Serialize)]
struct Best {
    name: String,
    address: Option<String>,
    /// The figure's name, with the evaluation where it has one.
    metric: String,
    figure: String,
}

/// The comparison with other experiments.
#[derive(Serialize)]
struct SideBySide<'a> {
    with: String,
    tables: Vec<Table<'a>>,
    remarks: &'a [String],
    /// The address of the figures in full, if there are any.
    file: Option<String>,
}

#[derive(Serialize)]
struct Table<'a> {
    title: &'a str,
    head: &'a [String],
    rows: &'a [Vec<String>],
}

impl<'a> Section<'a> {
    pub(super) fn of(
        experiment: &'a ExperimentReport,
        drawn: &'a DrawnExperiment,
        ranked: &Ranked,
        pages: &Pages,
    ) -> Self {
        let name = &experiment.name;
        let complete = experiment.count(State::Complete);
        let broken = [State::Failed, State::Unreadable];
        let seconds = experiment
            .seeds()
            .filter_map(|(_, seed)| seed.record.as_ref())
            .filter(|record| record.adopted_from.is_none())
            .map(|record| record.wall_seconds)
            .filter(|seconds| seconds.is_finite())
            .sum();
        let mut troubles = troubles(experiment, pages);
        let more_troubles = troubles.len().saturating_sub(TROUBLES);
        troubles.truncate(TROUBLES);
        Self {
            name,
            troubles,
            more_troubles,
            id: addresses::part(name),
            description: experiment.description.as_deref(),
            kind: &experiment.kind,
            counts: counts(experiment),
            troubled: broken.iter().any(|&state| experiment.count(state) > 0),
            complete,
            all: experiment.seeds().count(),
            best: best(experiment, ranked, pages),
            time: figures::duration(seconds),
            seconds,
            summary: addresses::result(DEPTH, &format!("{name}/summary.csv")),
            data: addresses::data_from_index(name),
            problems: &experiment.problems,
            table: RunsTable::of(experiment, ranked, pages),
            plots: drawn
                .together
                .iter()
                .map(|plot| Figure::of(DEPTH, name, plot))
                .collect(),
            compared: SideBySide::of(experiment),
        }
    }
}

fn best(experiment: &ExperimentReport, ranked: &Ranked, pages: &Pages) -> Option<Best> {
    let run = &experiment.runs[ranked.best()?];
    let by = ranked.by?;
    let view = views::of(&experiment.kind);
    let scores = view.scores(experiment, &experiment.evaluation);
    let score = scores.into_iter().find(|score| score.title == by)?;
    let address = run
        .seeds
        .iter()
        .find_map(|seed| pages.address(&run.name, seed.seed));
    Some(Best {
        name: run.title(),
        address,
        metric: score.page,
        figure: (score.figure)(run)?,
    })
}

/// The runs that failed, or whose files have something to mind: as far as they were read.
fn troubles(experiment: &ExperimentReport, pages: &Pages) -> Vec<Trouble> {
    let trouble = |(run, seed): (&RunReport, &SeedReport)| {
        let error = seed
            .record
            .as_ref()
            .and_then(|record| record.error.as_ref());
        let error = error
            .and_then(|error| error.lines().next())
            .map(str::to_owned);
        let said: Vec<String> = error.into_iter().chain(seed.problems()).collect();
        (!said.is_empty()).then(|| Trouble {
            title: format!("{}@{}", run.name, seed.seed),
            address: pages.address(&run.name, seed.seed),
            said,
        })
    };
    experiment.seeds().filter_map(trouble).collect()
}

/// How many runs there are, and in which state.
fn counts(experiment: &ExperimentReport) -> String {
    let all = experiment.seeds().count();
    let mut parts = vec![format!("{all} {}", if all == 1 { "run" } else { "runs" })];
    for state in [
        State::Complete,
        State::Failed,
        State::Interrupted,
        State::Unfinished,
        State::NotRun,
        State::Unreadable,
    ] {
        match experiment.count(state) {
            0 => {}
            count => parts.push(format!("{count} {}", state.text())),
        }
    }
    let stale = experiment.seeds().filter(|(_, seed)| seed.stale.is_some());
    match stale.count() {
        0 => {}
        count => parts.push(format!("{count} stale")),
    }
    parts.join(", ")
}

impl<'a> SideBySide<'a> {
    fn of(experiment: &'a ExperimentReport) -> Option<Self> {
        let asked = experiment.compare.as_ref()?;
        let compared: &Compared = experiment.compared.as_ref()?;
        let table = |table: &'a compared::Table| {
            let (head, rows) = table.rows.split_first()?;
            Some(Table {
                title: &table.title,
                head,
                rows,
            })
        };
        let file = || addresses::result(DEPTH, &format!("{}/{}", experiment.name, compared::FILE));
        Some(Self {
            with: asked.experiments.join(", "),
            tables: compared.tables.iter().filter_map(table).collect(),
            remarks: &compared.remarks,
            file: (!compared.rows.is_empty()).then(file),
        })
    }
}
