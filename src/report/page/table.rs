//! The table of an experiment's runs: ranked, figures first, settings only where they differ and
//! the names of the runs do not say them.

use serde::Serialize;

use super::pages::Pages;
use super::ranked::Ranked;
use crate::keys;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::run::commands;
use crate::report::seed::State;
use crate::report::views::{self, Score};
use crate::report::{figures, names};

/// The table of all runs.
#[derive(Serialize)]
pub(super) struct RunsTable {
    head: Vec<Title>,
    rows: Vec<Row>,
    /// Settings that all names say, and no name repeats.
    shared: Vec<String>,
    /// What the runs are ranked by.
    by: Option<&'static str>,
    /// Whether runs have several seeds.
    several: bool,
    /// Whether some run has something to compare.
    comparable: bool,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Title {
    class: &'static str,
    text: String,
    /// The whole key of a setting; empty of a figure.
    key: String,
    interval: bool,
    ranked: bool,
}

#[derive(Serialize)]
struct Row {
    place: usize,
    rank: Option<usize>,
    best: bool,
    /// As short as the table allows.
    name: String,
    /// The whole name.
    whole: String,
    address: Option<String>,
    /// What shows it, where it has no page.
    command: Option<String>,
    seeds: Vec<Seed>,
    cells: Vec<Cell>,
    comparable: bool,
}

#[derive(Serialize)]
struct Seed {
    seed: u64,
    address: Option<String>,
}

#[derive(Serialize)]
struct Cell {
    class: &'static str,
    text: String,
    /// Its interval, where it has one.
    interval: Option<String>,
    /// What it is sorted by, where that is not its text.
    value: Option<f64>,
}

impl Cell {
    fn of(class: &'static str, text: String) -> Self {
        Self {
            class,
            text,
            interval: None,
            value: None,
        }
    }

    /// A figure, of which the interval stands apart.
    fn figure(text: &str) -> Self {
        let (text, interval) = match text.split_once(" [") {
            Some((text, interval)) => (text, Some(format!("[{interval}"))),
            None => (text, None),
        };
        Self {
            interval,
            ..Self::of("number", text.to_owned())
        }
    }
}

impl RunsTable {
    pub(super) fn of(experiment: &ExperimentReport, ranked: &Ranked, pages: &Pages) -> Self {
        let view = views::of(&experiment.kind);
        let mut scores = view.scores(experiment, &experiment.evaluation);
        scores.retain(|score| {
            experiment
                .runs
                .iter()
                .any(|run| (score.figure)(run).is_some())
        });
        // What the runs are ranked by comes first. Stable otherwise.
        scores.sort_by_key(|score| Some(score.title.as_str()) != ranked.by);
        let settings = columns(experiment);
        let several = experiment.has_several_seeds();
        let whole: Vec<String> = experiment.runs.iter().map(|run| run.name.clone()).collect();
        let (short, shared) = names::without_shared(&whole);
        let row = |&place: &usize| {
            let run = &experiment.runs[place];
            let rank = ranked.rank(place);
            let seeds = run.seeds.iter().map(|seed| Seed {
                seed: seed.seed,
                address: pages.address(&run.name, seed.seed),
            });
            let seeds: Vec<Seed> = seeds.collect();
            let address = seeds.iter().find_map(|seed| seed.address.clone());
            let state = run.status(&experiment.evaluation);
            Row {
                place,
                rank,
                best: rank == Some(1) && ranked.count > 1,
                name: run.titled(&short[place]),
                whole: run.name.clone(),
                command: command(experiment, run, address.is_some()),
                address,
                seeds,
                cells: cells(run, &scores, state, &settings),
                comparable: pages.is_comparable(place),
            }
        };
        let rows: Vec<Row> = ranked.order.iter().map(row).collect();
        Self {
            head: head(&scores, &settings, ranked),
            comparable: rows.iter().filter(|row| row.comparable).count() > 1,
            rows,
            shared,
            by: ranked.by,
            several,
            remarks: view.remarks(experiment),
        }
    }
}

/// What to type about a run that has no page.
fn command(experiment: &ExperimentReport, run: &RunReport, has_page: bool) -> Option<String> {
    let first = run.seeds.first().filter(|_| !has_page)?;
    let typed = if first.state == State::NotRun {
        commands::execute
    } else {
        commands::show
    };
    Some(typed(&experiment.name, &run.name, first.seed))
}

/// The keys of the settings that vary, but for those that the name of every run says.
fn columns(experiment: &ExperimentReport) -> Vec<&str> {
    let said = |key: &str| {
        experiment.runs.iter().all(|run| {
            let parts = run.name.split(',').filter_map(|part| part.split_once('='));
            let mut keys = parts.map(|(name, _)| name);
            keys.any(|name| {
                key == name
                    || key
                        .strip_suffix(name)
                        .is_some_and(|rest| rest.ends_with('.'))
            })
        })
    };
    let varying = experiment.varying.iter().map(String::as_str);
    varying.filter(|key| !said(key)).collect()
}

fn head(scores: &[Score], settings: &[&str], ranked: &Ranked) -> Vec<Title> {
    let title = |class, text: &str| Title {
        class,
        text: text.to_owned(),
        key: String::new(),
        interval: false,
        ranked: false,
    };
    let mut head: Vec<Title> = scores
        .iter()
        .map(|score| Title {
            interval: score.interval,
            ranked: Some(score.title.as_str()) == ranked.by,
            ..title("number", &score.page)
        })
        .collect();
    head.extend([title("number", "time"), title("state", "state")]);
    let short = keys::short(settings);
    head.extend(settings.iter().zip(short).map(|(key, short)| Title {
        key: (*key).to_owned(),
        ..title("setting", short)
    }));
    head
}

/// The cells in the order of the head.
fn cells(run: &RunReport, scores: &[Score], state: Option<&str>, settings: &[&str]) -> Vec<Cell> {
    let figure = |score: &Score| Cell::figure(&(score.figure)(run).unwrap_or_default());
    let mut cells: Vec<Cell> = scores.iter().map(figure).collect();
    let time = run.mean(|seed| Some(seed.record.as_ref()?.wall_seconds));
    cells.push(Cell {
        value: time,
        ..Cell::of("number", time.map(figures::duration).unwrap_or_default())
    });
    let state = state.unwrap_or(State::Complete.text());
    cells.push(Cell::of("state", state.to_owned()));
    let setting = |key: &&str| Cell::of("setting", setting(run, key));
    cells.extend(settings.iter().map(setting));
    cells
}

/// A setting of a run, which its seeds share but where one of them is of earlier settings.
fn setting(run: &RunReport, key: &str) -> String {
    let mut values: Vec<&str> = run
        .seeds
        .iter()
        .filter_map(|seed| seed.settings.get(key))
        .map(String::as_str)
        .collect();
    values.dedup();
    values.join(" | ")
}
