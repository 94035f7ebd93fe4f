//! The answers as a text to be read.

use std::fmt::Write;
use std::path::Path;

use crate::config::RagSettings;
use crate::plan::RunSpec;
use crate::record::{AnswerRow, RecordError, write_atomically};

/// The file's name.
fn file_name(experiment: &str) -> String {
    format!("respuestas_{experiment}.txt")
}

/// Writes the questions with their answers into a run's folder.
pub(super) fn write(
    folder: &Path,
    spec: &RunSpec,
    settings: &RagSettings,
    rows: &[AnswerRow],
) -> Result<(), RecordError> {
    let text = text(&spec.label(), settings, rows);
    write_atomically(&folder.join(file_name(&spec.experiment)), text.as_bytes())
}

fn text(label: &str, settings: &RagSettings, rows: &[AnswerRow]) -> String {
    let mut text = format!("{label}\n");
    for question in &settings.questions {
        let Some(row) = rows.iter().find(|row| row.question == question.id) else {
            continue;
        };
        let answer = row.answer.trim();
        let answer = if answer.is_empty() {
            "(nothing)"
        } else {
            answer
        };
        let _ = write!(
            text,
            "\n== {}\n{}\n\n{answer}\n\n[{}]\n",
            question.id,
            question.text.trim(),
            remarks(row).join("; ")
        );
    }
    text
}

/// What was found out of an answer, in words.
fn remarks(row: &AnswerRow) -> Vec<String> {
    let mut remarks = Vec::new();
    let words = row.words.unwrap_or(0);
    remarks.push(match row.word_limit {
        Some(limit) => format!("{words} words of at most {limit}"),
        None => format!("{words} words"),
    });
    remarks.extend(row.language.as_ref().map(|language| {
        let other = if row.same_language == Some(false) {
            ", not the question's"
        } else {
            ""
        };
        format!("language {language}{other}")
    }));
    if row.abstained == Some(true) {
        remarks.push("says that the fragments do not have it".to_owned());
    }
    if row.cited.is_empty() {
        remarks.push("cites nothing".to_owned());
    } else {
        let outside = row.cited_in_context.is_some_and(|share| share < 1.0);
        let outside = if outside {
            ", not all of them given to it"
        } else {
            ""
        };
        remarks.push(format!("cites {}{outside}", row.cited));
    }
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    remarks.extend(
        row.supported
            .map(|share| format!("{} of its content words in the fragments", percent(share))),
    );
    let repeated = row.repeated.filter(|share| *share > 0.0);
    remarks.extend(repeated.map(|share| format!("{} repeated", percent(share))));
    remarks.extend(row.token_f1.map(|score| format!("F1 {score:.2}")));
    remarks.extend(row.rouge_l.map(|score| format!("ROUGE-L {score:.2}")));
    if row.stop.as_deref() == Some("length") {
        remarks.push("cut off".to_owned());
    }
    remarks
}
