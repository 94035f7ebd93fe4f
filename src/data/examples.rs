//! From labelled rows to examples: each label becomes the index of its class, or a message with its
//! row. Knows nothing of splits.

use super::error::{DataError, Problems, RowFault, listed};
use super::labels::{LabelMap, name};
use super::table::{RawRow, read};
use crate::config::{Data, Evaluation, Label};

/// A text with its class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Example {
    /// The row of its file, from 0, a CSV's header not counted.
    pub row: usize,
    /// The text.
    pub text: String,
    /// The index of its class in a [`LabelMap`].
    pub label: usize,
}

/// A named set of examples apart from the splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationSet {
    /// Its name in the results.
    pub name: String,
    /// Its rows, in order.
    pub examples: Vec<Example>,
}

/// The rows of `place` as examples, or an error that lists those whose label is unknown.
pub(super) fn with_classes(
    place: String,
    rows: Vec<RawRow>,
    labels: &LabelMap,
) -> Result<Vec<Example>, DataError> {
    let mut problems = Problems::default();
    let mut examples = Vec::with_capacity(rows.len());
    for RawRow {
        text,
        label,
        row,
        line,
    } in rows
    {
        match class_of(&label, labels) {
            Ok(label) => examples.push(Example { row, text, label }),
            Err(fault) => problems.push(row, Some(line), fault),
        }
    }
    problems.unless_any(place, examples)
}

/// The examples of an evaluation, from its file or from the settings themselves.
pub(super) fn evaluation_set(
    evaluation: &Evaluation,
    data: &Data,
    labels: &LabelMap,
) -> Result<EvaluationSet, DataError> {
    let name = evaluation.name.clone();
    let examples = match (&evaluation.path, &evaluation.rows) {
        (Some(path), None) => {
            let rows = read(path, &data.text, &data.label, None)?;
            with_classes(path.display().to_string(), rows, labels)?
        }
        (None, Some(rows)) if rows.is_empty() => return Err(DataError::EmptyEvaluation { name }),
        (None, Some(rows)) => {
            let mut problems = Problems::default();
            let mut examples = Vec::with_capacity(rows.len());
            for (row, content) in rows.iter().enumerate() {
                let text = content.text.clone();
                match class_of(&content.label, labels) {
                    _ if text.trim().is_empty() => {
                        let column = "text".to_owned();
                        problems.push(row, None, RowFault::EmptyText { column });
                    }
                    Ok(label) => examples.push(Example { row, text, label }),
                    Err(fault) => problems.push(row, None, fault),
                }
            }
            problems.unless_any(format!("evaluation `{name}`"), examples)?
        }
        _ => return Err(DataError::EvaluationSource { name }),
    };
    Ok(EvaluationSet { name, examples })
}

fn class_of(label: &Label, labels: &LabelMap) -> Result<usize, RowFault> {
    labels
        .index_of(label)
        .ok_or_else(|| RowFault::UnknownLabel {
            label: name(label),
            near: labels.near(label).map(str::to_owned),
            classes: listed(labels.names()),
        })
}
