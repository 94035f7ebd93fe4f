//! How a run searched, what it found, and what it answered, with what can be seen of the answers.

use super::super::compare::value;
use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::record::AnswerRow;
use crate::study::{Figure, Reference};

/// What decides the search and the drawing of answers.
const SETTINGS: [&str; 9] = [
    "embedder.id",
    "generator.id",
    "generator.precision",
    "retrieval.metric",
    "chunks.size",
    "chunks.overlap",
    "retrieval.top_k",
    "prompt.format",
    "chunks",
];

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let mut table = Table::new(&["run", "question", "what"], &["value"]);
    for subject in subjects {
        for name in SETTINGS {
            let reference = Reference::of("run", name);
            let setting = value(context.published(), subject, &reference);
            if setting.published.is_empty() && setting.ours.is_empty() {
                continue;
            }
            let cells = vec![Cell::Value(setting)];
            table.push([subject.name, "", name], cells, subject.command_if_due());
        }
        let Some(seed) = subject.first() else {
            continue;
        };
        let asked = |question: &str| {
            figure.questions.is_empty() || figure.questions.iter().any(|id| id == question)
        };
        let answers = seed.answers().iter();
        for answer in answers.filter(|answer| asked(&answer.question)) {
            let found: Vec<String> = seed
                .retrieval()
                .iter()
                .filter(|row| row.question == answer.question)
                .map(|row| {
                    let mark = if row.relevant == Some(true) { "*" } else { "" };
                    format!("{}{mark}", row.chunk)
                })
                .collect();
            let lines = [("chunks found (* right)", found.join(" "))].into_iter();
            for (what, text) in lines.chain(judgements(answer)) {
                if !text.is_empty() {
                    let labels = [subject.name, &answer.question, what];
                    table.push(labels, vec![Cell::Text(text)], None);
                }
            }
        }
        for question in figure.questions.iter().filter(|question| {
            let mut answers = seed.answers().iter();
            !answers.any(|answer| answer.question == **question)
        }) {
            table
                .notes
                .push(format!("{} has no answer to `{question}`.", subject.label));
        }
    }
    table
}

/// The answer, and what can be seen of it.
fn judgements(answer: &AnswerRow) -> impl Iterator<Item = (&'static str, String)> {
    let share = |value: Option<f64>| value.map(|value| format!("{value:.2}"));
    let yes = |value: Option<bool>| value.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let words = answer.words.map(|words| match answer.word_limit {
        Some(limit) => format!("{words} of at most {limit}"),
        None => words.to_string(),
    });
    let language = answer.language.as_ref().map(|language| {
        if answer.same_language == Some(false) {
            format!("{language}, not the question's")
        } else {
            language.clone()
        }
    });
    let cited = (!answer.cited.is_empty()).then(|| answer.cited.clone());
    let lines = [
        ("answer", Some(answer.answer.clone())),
        ("words", words),
        ("language", language),
        ("says that the chunks do not say", yes(answer.abstained)),
        ("chunks cited", cited),
        ("cited and given", share(answer.cited_in_context)),
        ("words that stand in the chunks", share(answer.supported)),
        ("repeated", share(answer.repeated)),
        ("ends with", answer.stop.clone()),
    ];
    lines
        .into_iter()
        .map(|(what, text)| (what, text.unwrap_or_default()))
}
