//! A study's page: one static document that needs neither network nor script.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State};
use serde::Serialize;

use super::made::Made;
use super::table::{Cell, Row};
use super::verdict::{Counts, Verdict};
use crate::report::ReportError;
use crate::report::html::{address, escape};
use crate::study::{Finding, Study};

const TEMPLATE: &str = include_str!("../templates/study.html");
const STYLE: &str = include_str!("../templates/page.css");
const OWN_STYLE: &str = include_str!("../templates/study.css");

/// The whole document.
///
/// # Errors
/// When the template and what it is given do not fit.
pub(super) fn html(
    study: &Study,
    findings: &[Finding],
    made: &[Made<'_>],
) -> Result<String, ReportError> {
    let mut templates = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    templates.set_syntax(syntax.keep_trailing_newline(true).build()?);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_formatter(write_escaped);
    let mut counts = Counts::default();
    let mut commands: Vec<&str> = Vec::new();
    for one in made {
        counts.merge(&one.table.counts());
        for command in &one.table.commands {
            if !commands.contains(&command.as_str()) {
                commands.push(command);
            }
        }
    }
    let page = Page {
        style: STYLE,
        own_style: OWN_STYLE,
        title: &study.manifest.title,
        description: &study.manifest.description,
        counts: counts.pairs().map(Count::of).collect(),
        total: counts.total(),
        commands,
        findings: findings.iter().map(Found::of).collect(),
        figures: made.iter().map(|one| Shown::of(study, one)).collect(),
    };
    Ok(templates.render_str(TEMPLATE, Serde(page))?)
}

fn write_escaped(
    output: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let text = value.to_string();
    let text = if value.is_safe() { text } else { escape(&text) };
    output.write_str(&text).map_err(minijinja::Error::from)
}

#[derive(Serialize)]
struct Page<'a> {
    style: &'static str,
    own_style: &'static str,
    title: &'a str,
    description: &'a str,
    counts: Vec<Count>,
    total: usize,
    commands: Vec<&'a str>,
    findings: Vec<Found>,
    figures: Vec<Shown<'a>>,
}

/// How many values have a verdict.
#[derive(Serialize)]
struct Count {
    words: &'static str,
    class: &'static str,
    values: usize,
    meaning: &'static str,
}

impl Count {
    fn of((verdict, count): (Verdict, usize)) -> Self {
        Self {
            words: verdict.words(),
            class: verdict.class(),
            values: count,
            meaning: match verdict {
                Verdict::Equal => "the same, to the printed digits",
                Verdict::Differs => "not the same, though nothing in it is left to chance",
                Verdict::WithinNoise => {
                    "as near as chance makes two trainings: the rows of both sides, our seeds where there are several, and the rounding of what was printed"
                }
                Verdict::OutsideNoise => "farther apart than that",
                Verdict::Measured => "times, speeds and memory, which are another machine's",
                Verdict::NotRecorded => "our run is done, but has no such value",
                Verdict::Stale => "ours is a result of earlier settings or inputs",
                Verdict::NotRun => "there is no finished run of ours",
                Verdict::Unjudged => "",
            },
        }
    }
}

#[derive(Serialize)]
struct Found {
    rule: String,
    text: String,
}

impl Found {
    fn of(finding: &Finding) -> Self {
        let mut letters = finding.rule.chars();
        let first = letters.next().map(char::to_uppercase);
        Self {
            rule: first
                .into_iter()
                .flatten()
                .chain(letters)
                .chain(['.'])
                .collect(),
            // Names stand in backticks for the terminal.
            text: finding.text.replace('`', ""),
        }
    }
}

/// A figure's part of the page.
#[derive(Serialize)]
struct Shown<'a> {
    number: u32,
    caption: &'a str,
    stem: String,
    address: String,
    class: &'static str,
    counts: String,
    head: Vec<&'a str>,
    rows: Vec<ShownRow<'a>>,
    notes: &'a [String],
    commands: &'a [String],
}

#[derive(Serialize)]
struct ShownRow<'a> {
    labels: &'a [String],
    cells: Vec<ShownCell<'a>>,
}

#[derive(Default, Serialize)]
struct ShownCell<'a> {
    kind: &'static str,
    class: &'static str,
    ours: &'a str,
    published: &'a str,
    difference: &'a str,
    verdict: &'static str,
}

impl<'a> Shown<'a> {
    fn of(study: &Study, made: &'a Made<'_>) -> Self {
        let (figure, table) = (made.figure, &made.table);
        let head = table.labels.iter().chain(&table.columns);
        let counts = table.counts();
        let has = |verdict| counts.pairs().any(|(known, _)| known == verdict);
        let class = if has(Verdict::Differs) || has(Verdict::OutsideNoise) {
            "v-bad"
        } else if !table.commands.is_empty() {
            "v-open"
        } else {
            "v-good"
        };
        Self {
            number: figure.number,
            caption: &figure.caption,
            stem: figure.stem(),
            address: address(&format!("{}/{}", study.manifest.name, figure.stem())),
            class,
            counts: counts.line(),
            head: head.map(String::as_str).collect(),
            rows: table.rows.iter().map(ShownRow::of).collect(),
            notes: &table.notes,
            commands: &table.commands,
        }
    }
}

impl<'a> ShownRow<'a> {
    fn of(row: &'a Row) -> Self {
        let cell = |cell: &'a Cell| match cell {
            Cell::Empty => ShownCell::default(),
            Cell::Text(text) => ShownCell {
                kind: "text",
                ours: text,
                ..ShownCell::default()
            },
            Cell::Value(value) => ShownCell {
                kind: "value",
                class: value.verdict.class(),
                ours: &value.ours,
                published: &value.published,
                difference: &value.difference,
                verdict: value.verdict.words(),
            },
        };
        Self {
            labels: &row.labels,
            cells: row.cells.iter().map(cell).collect(),
        }
    }
}
