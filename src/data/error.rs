//! What can be wrong with a file of labelled texts. Every message names the file, the place in it
//! and the fix.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Rows of one file that are shown before the rest are only counted.
pub const SHOWN_PROBLEMS: usize = 5;

/// Why labelled texts cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum DataError {
    #[error("{}: cannot be read: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{}: unknown kind of file: expected a name that ends in `.csv` or `.jsonl`", .path.display())]
    UnknownExtension { path: PathBuf },
    #[error("{}: not a file but a pipe or a device: write what it gives into a file", .path.display())]
    NoFile { path: PathBuf },
    #[error("{}: {what}", .path.display())]
    Foreign { path: PathBuf, what: String },
    #[error(
        "{}: the values stand between {}, not between commas: {fix}",
        .path.display(), match separator {
            ';' => "semicolons",
            '\t' => "tabs",
            _ => "bars",
        }
    )]
    Separator {
        path: PathBuf,
        separator: char,
        fix: String,
    },
    #[error("{}: {}", .path.display(), if *.header {
        "the file has a header but no rows"
    } else {
        "the file is empty"
    })]
    Empty { path: PathBuf, header: bool },
    #[error("{}: line {line}, the header: {fault}{}", .path.display(), after(.hint.as_ref()))]
    Header {
        path: PathBuf,
        line: u64,
        fault: Box<RowFault>,
        hint: Option<String>,
    },
    #[error(
        "{}: no column `{column}`{}: set `data.{role}` to one of the file's columns: {}",
        .path.display(), .hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default(), listed(.present)
    )]
    MissingColumn {
        path: PathBuf,
        role: &'static str,
        column: String,
        present: Vec<String>,
        hint: Option<String>,
    },
    #[error(
        "{}: no column `{column}`{}, which the run was trained on; the file has {}",
        .path.display(), .hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default(), listed(.present)
    )]
    NoTexts {
        path: PathBuf,
        column: String,
        present: Vec<String>,
        hint: Option<String>,
    },
    #[error("{}: line {line}, the header: column `{column}` appears twice: rename one of them", .path.display())]
    RepeatedColumn {
        path: PathBuf,
        line: u64,
        column: String,
    },
    #[error("{}{}", rows_text(.place, .problems, *.more), after(.hint.as_ref()))]
    Rows {
        place: String,
        problems: Vec<RowProblem>,
        more: usize,
        hint: Option<String>,
    },
    #[error(
        "{}: every label is `{label}` (rows: {rows}), but a classifier needs two classes or more: check `data.label`{}",
        .path.display(), if *.limited { " and `data.limit`" } else { "" }
    )]
    OneClass {
        path: PathBuf,
        label: String,
        rows: usize,
        limited: bool,
    },
    #[error(
        "{}: nearly every label is a class of its own ({classes} labels in {rows} rows): {fix}", .path.display()
    )]
    DistinctLabels {
        path: PathBuf,
        classes: usize,
        rows: usize,
        fix: String,
    },
    #[error("{}: `data.split = \"stratified\"`: {fault}", .path.display())]
    Stratified { path: PathBuf, fault: String },
    #[error("{}: the {split} split has no rows: {fix}", .path.display())]
    EmptySplit {
        path: PathBuf,
        split: &'static str,
        fix: String,
    },
    #[error("evaluation `{name}` has no rows: add some or remove it")]
    EmptyEvaluation { name: String },
    #[error("the test split must have one source: set either `data.test_size` or `data.test_path`")]
    TestSource,
    #[error("evaluation `{name}` must have one source: set either its `rows` or its `path`")]
    EvaluationSource { name: String },
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The row, from 0, a CSV's header not counted.
    pub row: usize,
    /// The line of the file on which it begins, from 1; none for rows of a TOML.
    pub line: Option<u64>,
    /// What is wrong.
    pub fault: RowFault,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line} (row {}): {}", self.row, self.fault),
            None => write!(formatter, "row {}: {}", self.row, self.fault),
        }
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum RowFault {
    #[error("byte {byte} of the file is not UTF-8")]
    Encoding { byte: u64 },
    #[error(
        "{found} value{} for {expected} columns: quote a text that contains a separator or a line break", if *.found == 1 { "" } else { "s" }
    )]
    Width { found: usize, expected: usize },
    #[error(
        "the quote that opens on line {line} is never closed, so nothing after it was read: close it, or double each quote inside the text"
    )]
    OpenQuote { line: u64 },
    #[error(
        "text follows the quote that closes on line {line}, so nothing after it was read: double each quote inside the text"
    )]
    AfterQuote { line: u64 },
    #[error("the text `{column}` is empty: fill it in or remove the row")]
    EmptyText { column: String },
    #[error("the label `{column}` is missing: fill it in or remove the row")]
    NoLabel { column: String },
    #[error("not one JSON object on one line: {reason}")]
    Json { reason: String },
    #[error("no key `{key}`: the object has {}", listed(.present))]
    NoKey { key: String, present: Vec<String> },
    #[error("`{key}` is {found}: expected {expected}")]
    WrongType {
        key: String,
        found: &'static str,
        expected: &'static str,
    },
    #[error("label `{label}` is unknown{}: the classes of the main file are {classes}", .near.as_ref().map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default())]
    UnknownLabel {
        label: String,
        near: Option<String>,
        classes: String,
    },
}

/// The problems of one file, of which only the first are kept.
#[derive(Debug, Default)]
pub(super) struct Problems {
    shown: Vec<RowProblem>,
    count: usize,
    hint: Option<String>,
}

impl Problems {
    /// Adds what helps with rows that are not UTF-8, if there are any.
    pub(super) fn hint(&mut self, hint: impl FnOnce() -> String) {
        let misread = |problem: &RowProblem| matches!(problem.fault, RowFault::Encoding { .. });
        if self.shown.iter().any(misread) {
            self.hint = Some(hint());
        }
    }

    pub(super) fn push(&mut self, row: usize, line: Option<u64>, fault: RowFault) {
        self.count += 1;
        if self.shown.len() < SHOWN_PROBLEMS {
            self.shown.push(RowProblem { row, line, fault });
        }
    }

    /// `value` if there was no problem.
    pub(super) fn unless_any<T>(self, place: String, value: T) -> Result<T, DataError> {
        if self.count == 0 {
            return Ok(value);
        }
        Err(DataError::Rows {
            place,
            more: self.count - self.shown.len(),
            problems: self.shown,
            hint: self.hint,
        })
    }
}

fn after(hint: Option<&String>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

fn rows_text(place: &str, problems: &[RowProblem], more: usize) -> String {
    // A single one stands on the first line, which is all that a summary shows.
    if let ([problem], 0) = (problems, more) {
        return format!("{place}: {problem}");
    }
    let count = problems.len() + more;
    let mut lines = vec![format!("{place}: {count} rows cannot be used")];
    lines.extend(problems.iter().map(|problem| format!("  {problem}")));
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

/// Names in backticks, long ones cut, at most ten.
pub(super) fn listed(names: &[String]) -> String {
    const NAMES: usize = 10;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<String> = names
        .iter()
        .take(NAMES)
        .map(|name| format!("`{}`", short(name)))
        .collect();
    let more = names.len().saturating_sub(NAMES);
    match more {
        0 => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The beginning of a text, on one line.
pub(super) fn short(text: &str) -> String {
    const CHARACTERS: usize = 40;
    let mut characters = text.chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    let start: String = characters.by_ref().take(CHARACTERS).collect();
    if characters.next().is_some() {
        start + "…"
    } else {
        start
    }
}
