//! The page: all experiments in one HTML document that needs neither network nor script.

mod run;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State as Rendering};
use serde::Serialize;

use super::compared::{self, Compared};
use super::drawn::{Drawn, DrawnExperiment};
use super::experiment::{ExperimentReport, RunReport};
use super::html::{address, breakable, escape};
use super::seed::State;
use super::views::{self, Cell};
use super::{ReportError, figures};
use crate::keys;

const TEMPLATE: &str = include_str!("../templates/page.html");
const STYLE: &str = include_str!("../templates/page.css");

/// The whole document. `drawn` has an entry for each experiment.
///
/// # Errors
/// When the template and what it is given do not fit.
pub(super) fn html(
    experiments: &[ExperimentReport],
    drawn: &[DrawnExperiment],
) -> Result<String, ReportError> {
    let mut templates = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    templates.set_syntax(syntax.keep_trailing_newline(true).build()?);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_formatter(write_escaped);
    templates.add_filter("breakable", |text: &str| {
        Value::from_safe_string(breakable(text))
    });
    let sections = experiments.iter().zip(drawn).enumerate();
    let sections =
        sections.map(|(index, (experiment, drawn))| Section::of(index, experiment, drawn));
    let page = Page {
        style: STYLE,
        experiments: sections.collect(),
    };
    Ok(templates.render_str(TEMPLATE, Serde(page))?)
}

/// Escapes as in SVG, where control characters are forbidden.
fn write_escaped(
    output: &mut Output<'_>,
    _: &mut Rendering<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let text = value.to_string();
    let text = if value.is_safe() { text } else { escape(&text) };
    output.write_str(&text).map_err(minijinja::Error::from)
}

#[derive(Serialize)]
struct Page<'a> {
    style: &'static str,
    experiments: Vec<Section<'a>>,
}

/// An experiment's part of the page.
#[derive(Serialize)]
struct Section<'a> {
    name: &'a str,
    description: Option<&'a str>,
    kind: &'a str,
    counts: String,
    /// The address of its table.
    summary: String,
    problems: &'a [String],
    overview: Overview,
    plots: Vec<Figure<'a>>,
    compared: Option<SideBySide<'a>>,
    runs: Vec<run::Shown<'a>>,
}

/// The table of all runs with the settings that set them apart.
#[derive(Serialize)]
struct Overview {
    head: Vec<Title>,
    rows: Vec<OverviewRow>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Title {
    class: &'static str,
    text: String,
    interval: bool,
}

#[derive(Serialize)]
struct OverviewRow {
    anchor: String,
    title: String,
    cells: Vec<Cell>,
    state: &'static str,
}

/// A plot with its caption, and the address of its files without their ending.
#[derive(Serialize)]
struct Figure<'a> {
    svg: &'a str,
    caption: &'a str,
    file: String,
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
    fn of(index: usize, experiment: &'a ExperimentReport, drawn: &'a DrawnExperiment) -> Self {
        let name = &experiment.name;
        let figures = |drawn: &'a [Drawn]| drawn.iter().map(|drawn| Figure::of(name, drawn));
        let runs = experiment.seeds().enumerate();
        let runs = runs.filter_map(|(place, (run, seed))| {
            let plots = figures(drawn.seeds.get(&place)?).collect();
            let anchor = anchor(index, place);
            Some(run::Shown::of(anchor, experiment, run, seed, plots))
        });
        Self {
            name,
            description: experiment.description.as_deref(),
            kind: &experiment.kind,
            counts: counts(experiment),
            summary: address(&format!("../{name}/summary.csv")),
            problems: &experiment.problems,
            overview: Overview::of(index, experiment),
            plots: figures(&drawn.together).collect(),
            compared: SideBySide::of(experiment),
            runs: runs.collect(),
        }
    }
}

fn anchor(experiment: usize, place: usize) -> String {
    format!("run-{experiment}-{place}")
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

impl Overview {
    fn of(index: usize, experiment: &ExperimentReport) -> Self {
        let several = experiment.has_several_seeds();
        let view = views::of(&experiment.kind);
        let scores = view.scores(experiment, &experiment.evaluation);
        let class = |interval: bool| if interval { "accuracy" } else { "number" };
        let title = |class, text: &str| Title {
            class,
            text: text.to_owned(),
            interval: false,
        };
        let varying: Vec<&str> = experiment.varying.iter().map(String::as_str).collect();
        let mut head = vec![title("", "run")];
        head.extend(keys::short(&varying).into_iter().map(|key| title("", key)));
        head.extend(several.then(|| title("number", "seeds")));
        head.extend(scores.iter().map(|score| Title {
            class: class(score.interval),
            text: score.page.clone(),
            interval: score.interval,
        }));
        head.extend([title("number", "time"), title("", "status")]);
        let mut place = 0;
        let row = |run: &RunReport| {
            let settings = experiment.varying.iter();
            let mut cells: Vec<Cell> = settings
                .map(|key| Cell::of("setting", setting(run, key)))
                .collect();
            let seeds = run.seeds.len();
            cells.extend(several.then(|| Cell::of("number", seeds.to_string())));
            cells.extend(scores.iter().map(|score| {
                let text = (score.figure)(run).unwrap_or_default();
                Cell::of(class(score.interval), text)
            }));
            let time = run.mean(|seed| Some(seed.record.as_ref()?.wall_seconds));
            let time = time.map(figures::duration).unwrap_or_default();
            cells.push(Cell::of("number", time));
            let anchor = anchor(index, place);
            place += seeds;
            OverviewRow {
                anchor,
                title: run.title(),
                cells,
                state: run
                    .status(&experiment.evaluation)
                    .unwrap_or(State::Complete.text()),
            }
        };
        Self {
            head,
            rows: experiment.runs.iter().map(row).collect(),
            remarks: view.remarks(experiment),
        }
    }
}

impl<'a> Figure<'a> {
    fn of(experiment: &str, drawn: &'a Drawn) -> Self {
        Self {
            svg: &drawn.svg,
            caption: &drawn.plot.caption,
            file: address(&format!("../{experiment}/plots/{}", drawn.plot.stem)),
        }
    }
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
        let file = || address(&format!("../{}/{}", experiment.name, compared::FILE));
        Some(Self {
            with: asked.experiments.join(", "),
            tables: compared.tables.iter().filter_map(table).collect(),
            remarks: &compared.remarks,
            file: (!compared.rows.is_empty()).then(file),
        })
    }
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
