//! A run with one seed in words, for the terminal.

use std::fmt::Write;
use std::path::Path;

use super::lines::{indented, pairs, wrapped};
use super::questions::{self, Question};
use super::siblings::{Setting, Siblings};
use super::{commands, figures, provenance, wrong};
use crate::metrics::{ClassificationReport, ReportLine};
use crate::record::ReportRow;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures::with_interval;
use crate::report::seed::SeedReport;
use crate::report::{ReportError, read_experiment};

/// Wrong predictions that a terminal shows of an evaluation.
const MISTAKES: usize = 10;
/// Lines of a text of theirs.
const TEXT_LINES: usize = 2;
/// Fragments of a question.
const FRAGMENTS: usize = 10;

/// The runs of an experiment, read once, to be put in words.
#[derive(Debug, Clone)]
pub struct RunsInWords {
    experiment: ExperimentReport,
}

impl RunsInWords {
    /// Reads the runs of an experiment.
    ///
    /// # Errors
    /// When its folder cannot be listed.
    pub fn read(results: &Path, experiment: &str) -> Result<Self, ReportError> {
        Ok(Self {
            experiment: read_experiment(results, experiment)?,
        })
    }

    /// A run in lines of at most `columns`, however short these are; none if there is no such run.
    #[must_use]
    pub fn of(&self, run: &str, seed: u64, columns: usize) -> Option<String> {
        let mut seeds = self.experiment.seeds();
        let (run, seed) = seeds.find(|(known, own)| known.name == run && own.seed == seed)?;
        Some(self.in_words(run, seed, columns.max(40)))
    }

    fn in_words(&self, run: &RunReport, seed: &SeedReport, columns: usize) -> String {
        let experiment = &self.experiment;
        let mut text = String::new();
        section(&mut text, "Settings", &settings(experiment, seed, columns));
        section(&mut text, "Figures", &figures_of(seed, columns));
        for (evaluation, report) in reports(seed.classes()) {
            let mut said = report.to_text(4).trim_end().to_owned() + "\n";
            if let Some(estimate) = seed.estimate(&evaluation) {
                let _ = writeln!(
                    said,
                    "accuracy {}, 95 % interval of {}",
                    with_interval(&estimate),
                    estimate.basis.text()
                );
            }
            let said = said.lines();
            let said = said.fold(String::new(), |text, line| text + "  " + line + "\n");
            section(
                &mut text,
                &format!("Classification report: {evaluation}"),
                &said,
            );
        }
        match wrong::mistakes(seed.folder(), MISTAKES) {
            Ok(found) => {
                for mistakes in found.iter().filter(|mistakes| mistakes.wrong > 0) {
                    let title = format!("Wrong on {}: {}", mistakes.evaluation, mistakes.said());
                    section(&mut text, &title, &mistakes_of(mistakes, columns));
                }
            }
            Err(problem) => section(&mut text, "Predictions", &indented(&problem, 2, columns, 9)),
        }
        let asked = questions::of(seed);
        let said: Vec<String> = asked.iter().map(|one| question(one, columns)).collect();
        section(&mut text, "Questions", &said.join("\n"));
        section(
            &mut text,
            "Provenance",
            &pairs(&provenance::of(seed), columns),
        );
        let mut said = String::new();
        for (what, command) in
            commands::repeating(&experiment.name, &run.name, seed.seed, seed.state)
        {
            // A command stays on its line, so that it can be copied.
            let _ = writeln!(said, "  {command}");
            said.push_str(&indented(what, 4, columns, 2));
        }
        section(&mut text, "To repeat it", &said);
        text
    }
}

/// Adds a section, unless there is nothing in it.
fn section(text: &mut String, title: &str, content: &str) {
    if !content.trim().is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}{title}\n{content}");
    }
}

fn settings(experiment: &ExperimentReport, seed: &SeedReport, columns: usize) -> String {
    let siblings = Siblings::of(experiment);
    let row = |setting: Setting| {
        let others = match setting.others.as_deref() {
            None => return (format!("  {}", setting.key), setting.value),
            Some("") => String::new(),
            Some(others) => format!("   (others: {others})"),
        };
        let value = if setting.value.is_empty() {
            "not set"
        } else {
            &setting.value
        };
        (format!("* {}", setting.key), format!("{value}{others}"))
    };
    let rows: Vec<_> = siblings.settings(seed).into_iter().map(row).collect();
    let varies = rows.iter().any(|(key, _)| key.starts_with('*'));
    let note = "* differs between the runs of the experiment; in parentheses how many others have which value";
    let note = if varies {
        indented(note, 2, columns, 3)
    } else {
        String::new()
    };
    pairs(&rows, columns) + &note
}

fn figures_of(seed: &SeedReport, columns: usize) -> String {
    let row = |figure: figures::Figure| {
        let name = match figure.evaluation.as_str() {
            "run" => figure.metric,
            evaluation => format!("{evaluation} {}", figure.metric),
        };
        (name, figure.value)
    };
    let rows: Vec<_> = figures::of(seed).into_iter().map(row).collect();
    pairs(&rows, columns)
}

fn mistakes_of(mistakes: &wrong::Mistakes, columns: usize) -> String {
    let mut text = String::new();
    for wrong in &mistakes.shown {
        let sure = wrong
            .confidence
            .map_or_else(String::new, |share| format!(", {share:.4}"));
        let head = format!(
            "{} taken for {}{sure}, row {}",
            wrong.label, wrong.prediction, wrong.row
        );
        text.push_str(&indented(&head, 2, columns, 2));
        text.push_str(&indented(&wrong.text, 6, columns, TEXT_LINES));
    }
    text
}

fn question(question: &Question, columns: usize) -> String {
    let title = match &question.text {
        Some(text) => format!("{}: {text}", question.id),
        None => question.id.to_owned(),
    };
    let mut text = indented(&title, 2, columns, 20);
    if let Some(answer) = question.answer {
        let said = answer.answer.trim();
        let said = if said.is_empty() {
            "(an empty answer)"
        } else {
            said
        };
        for (place, line) in wrapped(said, columns.saturating_sub(6)).iter().enumerate() {
            let margin = if place == 0 { "    → " } else { "      " };
            let _ = writeln!(text, "{margin}{line}");
        }
        text.push_str(&indented(
            &questions::judgements(answer).join(", "),
            6,
            columns,
            4,
        ));
    }
    for row in question.fragments.iter().take(FRAGMENTS) {
        let mark = if row.relevant == Some(true) {
            ", relevant"
        } else {
            ""
        };
        let head = format!(
            "{}. chunk {}, score {:.4}{mark}",
            row.rank, row.chunk, row.score
        );
        text.push_str(&indented(&head, 4, columns, 1));
        text.push_str(&indented(&row.text, 7, columns, TEXT_LINES));
    }
    let more = question.fragments.len().saturating_sub(FRAGMENTS);
    if more > 0 {
        let _ = writeln!(text, "    and {more} more in retrieval.csv");
    }
    text
}

/// The classification reports of a file, one per evaluation in their order.
fn reports(rows: &[ReportRow]) -> Vec<(String, ClassificationReport)> {
    let groups = rows.chunk_by(|one, next| one.evaluation == next.evaluation);
    groups
        .filter_map(|group| {
            let lines = group.iter().map(|row| ReportLine {
                class: row.class.clone(),
                precision: row.precision,
                recall: row.recall,
                f1_score: row.f1_score,
                support: row.support,
            });
            let report = ClassificationReport::from_lines(&lines.collect::<Vec<_>>())?;
            Some((group[0].evaluation.clone(), report))
        })
        .collect()
}

#[cfg(test)]
mod tests;
