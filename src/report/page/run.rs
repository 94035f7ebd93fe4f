//! The page of one run with one seed.

use serde::Serialize;

use super::addresses;
use super::figure::Figure;
use super::pages::{PageOf, Pages};
use super::ranked::Ranked;
use crate::report::drawn::Drawn;
use crate::report::experiment::ExperimentReport;
use crate::report::figures::with_interval;
use crate::report::run::files::{self, File};
use crate::report::run::questions::{self, judgements};
use crate::report::run::siblings::{Setting, Siblings};
use crate::report::run::wrong::{self, Mistakes};
use crate::report::run::{commands, figures, provenance};
use crate::report::seed::SeedReport;
use crate::report::views::{self, Detail};

/// Wrong predictions that are shown of an evaluation.
const MISTAKES: usize = 50;
/// Folders between a run's page and the results tree.
const DEPTH: usize = 3;

/// What a run's page shows.
#[derive(Serialize)]
pub(super) struct RunPage<'a> {
    experiment: &'a str,
    /// Its part of the index.
    index: String,
    title: String,
    seed: u64,
    state: &'static str,
    /// What its kind says first.
    headline: Option<String>,
    /// Its rank, in words.
    rank: Option<String>,
    previous: Option<Link>,
    next: Option<Link>,
    /// The pages of the run's other seeds.
    seeds: Vec<Link>,
    error: Option<&'a str>,
    problems: Vec<String>,
    notes: &'a [String],
    plots: Vec<Figure<'a>>,
    figures: Vec<Named>,
    varying: Vec<Against>,
    shared: Vec<Named>,
    details: Vec<Detail>,
    mistakes: Vec<Wrong>,
    questions: Vec<Asked>,
    provenance: Vec<Named>,
    commands: Vec<Named>,
    files: Vec<Left>,
}

#[derive(Serialize)]
struct Link {
    address: String,
    text: String,
}

#[derive(Serialize)]
struct Named {
    name: String,
    value: String,
}

/// A setting against those of the other runs.
#[derive(Serialize)]
struct Against {
    key: String,
    value: String,
    others: String,
}

#[derive(Serialize)]
struct Wrong {
    evaluation: String,
    said: String,
    rows: Vec<WrongRow>,
}

#[derive(Serialize)]
struct WrongRow {
    row: u64,
    label: String,
    prediction: String,
    confidence: String,
    text: String,
}

#[derive(Serialize)]
struct Asked {
    id: String,
    text: Option<String>,
    fragments: Vec<Fragment>,
    answer: Option<Answer>,
}

#[derive(Serialize)]
struct Fragment {
    rank: usize,
    chunk: usize,
    score: String,
    relevant: bool,
    text: String,
}

#[derive(Serialize)]
struct Answer {
    text: String,
    judgements: String,
}

#[derive(Serialize)]
struct Left {
    name: String,
    address: String,
    length: String,
    sha256: String,
}

/// What all pages of an experiment share.
pub(super) struct Book<'a> {
    pub experiment: &'a ExperimentReport,
    pub ranked: &'a Ranked,
    pub pages: &'a Pages,
    pub siblings: Siblings<'a>,
}

impl Book<'_> {
    /// The page at a place in the order of the pages. `seed` is what it is the page of.
    pub(super) fn page<'a>(
        &'a self,
        turned: usize,
        seed: &'a SeedReport,
        plots: &'a [Drawn],
    ) -> RunPage<'a> {
        let experiment = self.experiment;
        let name = &experiment.name;
        let order = &self.pages.order;
        let here = &order[turned];
        let run = &experiment.runs[here.run];
        let view = views::of(&experiment.kind);
        let headline = view.headline(seed, &experiment.evaluation);
        let headline =
            headline.map(|(metric, estimate)| format!("{metric} {}", with_interval(&estimate)));
        seed.read_all();
        let mut details = view.details(seed);
        details.retain(|table| !table.rows.is_empty());
        let mut problems = seed.problems();
        let mistakes = wrong::mistakes(seed.folder(), MISTAKES).unwrap_or_else(|problem| {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
            Vec::new()
        });
        let (varying, shared) = self.settings(seed);
        let record = seed.record.as_ref();
        let link = |page: &PageOf| Link {
            address: addresses::run_from_run(&page.name),
            text: self.title(page),
        };
        RunPage {
            experiment: name,
            index: addresses::part_from_run(name),
            title: run.title(),
            seed: seed.seed,
            state: seed.status(),
            headline,
            rank: self.rank(here),
            previous: turned.checked_sub(1).map(|before| link(&order[before])),
            next: order.get(turned + 1).map(link),
            seeds: order
                .iter()
                .filter(|page| page.run == here.run && page.seed != here.seed)
                .map(link)
                .collect(),
            error: record.and_then(|record| record.error.as_deref()),
            problems,
            notes: record.map_or(&[], |record| &record.notes),
            plots: plots
                .iter()
                .map(|plot| Figure::of(DEPTH, name, plot))
                .collect(),
            figures: figures::of(seed).into_iter().map(figure).collect(),
            varying,
            shared,
            details,
            mistakes: mistakes
                .into_iter()
                .filter(|one| one.wrong > 0)
                .map(shown)
                .collect(),
            questions: asked(seed),
            provenance: provenance::of(seed)
                .into_iter()
                .map(|(name, value)| Named { name, value })
                .collect(),
            commands: commands::repeating(name, &run.name, seed.seed, seed.state)
                .into_iter()
                .chain([(
                    "shows it in the terminal",
                    commands::show(name, &run.name, seed.seed),
                )])
                .map(|(what, command)| Named {
                    name: command,
                    value: what.to_owned(),
                })
                .collect(),
            files: files::of(seed)
                .into_iter()
                .map(|file| left(&format!("{name}/{}/seed-{}", run.name, seed.seed), file))
                .collect(),
        }
    }

    fn title(&self, page: &PageOf) -> String {
        let seed = page.report(self.experiment);
        format!("{}@{}", self.experiment.runs[page.run].name, seed.seed)
    }

    fn rank(&self, page: &PageOf) -> Option<String> {
        let (rank, by) = (self.ranked.rank(page.run)?, self.ranked.by?);
        (self.ranked.count > 1).then(|| format!("{rank} of {} by {by}", self.ranked.count))
    }

    /// The settings that set the run apart, and the others.
    fn settings(&self, seed: &SeedReport) -> (Vec<Against>, Vec<Named>) {
        let (mut varying, mut shared) = (Vec::new(), Vec::new());
        for Setting { key, value, others } in self.siblings.settings(seed) {
            match others {
                Some(others) => varying.push(Against { key, value, others }),
                None => shared.push(Named { name: key, value }),
            }
        }
        (varying, shared)
    }
}

fn figure(figure: figures::Figure) -> Named {
    let name = match figure.evaluation.as_str() {
        "run" => figure.metric,
        evaluation => format!("{evaluation} {}", figure.metric),
    };
    Named {
        name,
        value: figure.value,
    }
}

fn shown(mistakes: Mistakes) -> Wrong {
    let said = mistakes.said();
    let row = |wrong: wrong::Wrong| WrongRow {
        row: wrong.row,
        label: wrong.label,
        prediction: wrong.prediction,
        confidence: wrong
            .confidence
            .map(|share| format!("{share:.4}"))
            .unwrap_or_default(),
        text: wrong.text,
    };
    Wrong {
        evaluation: mistakes.evaluation,
        said,
        rows: mistakes.shown.into_iter().map(row).collect(),
    }
}

fn asked(seed: &SeedReport) -> Vec<Asked> {
    let questions = questions::of(seed).into_iter();
    let asked = questions.map(|question| Asked {
        id: question.id.to_owned(),
        text: question.text,
        fragments: question
            .fragments
            .iter()
            .map(|row| Fragment {
                rank: row.rank,
                chunk: row.chunk,
                score: format!("{:.4}", row.score),
                relevant: row.relevant == Some(true),
                text: row.text.clone(),
            })
            .collect(),
        answer: question.answer.map(|row| Answer {
            text: row.answer.trim().to_owned(),
            judgements: judgements(row).join(", "),
        }),
    });
    asked.collect()
}

fn left(folder: &str, file: File) -> Left {
    let stated = file
        .stated
        .map(|stated| (files::length(stated.bytes), stated.sha256));
    let (length, sha256) = stated.unwrap_or_default();
    Left {
        address: addresses::result(DEPTH, &format!("{folder}/{}", file.name)),
        length,
        sha256,
        name: file.name,
    }
}
