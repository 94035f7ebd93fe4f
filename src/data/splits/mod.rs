//! From a `[data]` table to the rows of every split, with their classes. Knows nothing of tokens or
//! models.

use std::collections::HashSet;
use std::path::Path;

use super::error::DataError;
use super::examples::{EvaluationSet, Example, evaluation_set, with_classes};
use super::labels::LabelMap;
use super::overlap::{Duplicates, evaluation_notes};
use super::split::train_test_split;
use super::table::{RawRow, read};
use crate::config::Data;

/// All rows of a task, as its `[data]` table parts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splits {
    /// Rows to train on: with `test_size` in the permutation's order, with `test_path` in the
    /// file's.
    pub train: Vec<Example>,
    /// Rows to choose epochs by, where the settings ask for them.
    pub validation: Option<Vec<Example>>,
    /// Rows to judge by.
    pub test: Vec<Example>,
    /// Further sets to judge by.
    pub evaluations: Vec<EvaluationSet>,
    /// The classes: those of `data.path`.
    pub labels: LabelMap,
    /// What the splits share.
    pub duplicates: Duplicates,
    /// What a reader of the results should know of.
    pub notes: Vec<String>,
}

/// Reads and splits the rows that `data` names.
///
/// The classes are the labels of `data.path` (its first `data.limit` rows). The validation split is
/// made from the training rows as the test split is made from all rows, with the same seed; the
/// test rows do not depend on it. With `data.deduplicate`, training rows whose text also stands in
/// the test or validation split are dropped at the end.
///
/// # Errors
///
/// If a file cannot be used (see [`read`]), there are fewer than two classes, a test or evaluation
/// row has a label of its own, or a split is left without rows.
pub fn prepare(data: &Data) -> Result<Splits, DataError> {
    let rows = read(&data.path, &data.text, &data.label, data.limit)?;
    let labels = classes(data, &rows)?;
    let examples = with_classes(shown(&data.path), rows, &labels)?;
    let (rest, test) = match (data.test_size, &data.test_path) {
        (Some(share), None) => part(examples, share, data, ("test", "data.test_size"))?,
        (None, Some(path)) => {
            let rows = read(path, &data.text, &data.label, None)?;
            (examples, with_classes(shown(path), rows, &labels)?)
        }
        _ => return Err(DataError::TestSource),
    };
    let (mut train, validation) = match data.validation_size {
        Some(share) => {
            let (train, validation) =
                part(rest, share, data, ("validation", "data.validation_size"))?;
            (train, Some(validation))
        }
        None => (rest, None),
    };
    let evaluations = data
        .evaluations
        .iter()
        .map(|evaluation| evaluation_set(evaluation, data, &labels));
    let evaluations = evaluations.collect::<Result<Vec<_>, _>>()?;

    let others = validation.as_deref().unwrap_or_default();
    let duplicates = Duplicates::settle(&mut train, others, &test, data.deduplicate);
    refuse_empty(&train, "training", data, || {
        "every training text also stands in another split: set `data.deduplicate = false` or use other rows".to_owned()
    })?;
    let mut notes = duplicates.notes(data.deduplicate);
    notes.extend(evaluation_notes(&train, &evaluations));
    for (split, examples) in [
        ("training", train.as_slice()),
        ("validation", others),
        ("test", &test),
    ] {
        notes.extend(missing_classes(split, examples, &labels));
    }
    Ok(Splits {
        train,
        validation,
        test,
        evaluations,
        labels,
        duplicates,
        notes,
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn classes(data: &Data, rows: &[RawRow]) -> Result<LabelMap, DataError> {
    let labels = LabelMap::new(rows.iter().map(|row| &row.label));
    match labels.names() {
        [] => Err(DataError::EmptySplit {
            path: data.path.clone(),
            split: "training",
            fix: "`data.limit` is 0: raise it".to_owned(),
        }),
        [only] => Err(DataError::OneClass {
            path: data.path.clone(),
            label: only.clone(),
            rows: rows.len(),
            limited: data.limit.is_some(),
        }),
        _ => Ok(labels),
    }
}

/// The rest and the `share` that is set aside, neither empty. `target` is the split that is set
/// aside and the key that says so.
fn part(
    mut examples: Vec<Example>,
    share: f64,
    data: &Data,
    target: (&'static str, &str),
) -> Result<(Vec<Example>, Vec<Example>), DataError> {
    let (split, key) = target;
    let count = examples.len();
    let rows = train_test_split(count, share, data.split_seed);
    // Each row stands in one part, once, so that it can be moved there.
    let mut take = |rows: Vec<usize>| -> Vec<Example> {
        rows.into_iter()
            .map(|row| std::mem::take(&mut examples[row]))
            .collect()
    };
    let (rest, set_aside) = (take(rows.train), take(rows.test));
    refuse_empty(&rest, "training", data, || {
        format!("`{key} = {share}` sets aside the whole of {count}: lower it or use more rows")
    })?;
    refuse_empty(&set_aside, split, data, || {
        format!("`{key} = {share}`: raise it above 0")
    })?;
    Ok((rest, set_aside))
}

fn refuse_empty(
    examples: &[Example],
    split: &'static str,
    data: &Data,
    fix: impl FnOnce() -> String,
) -> Result<(), DataError> {
    if examples.is_empty() {
        return Err(DataError::EmptySplit {
            path: data.path.clone(),
            split,
            fix: fix(),
        });
    }
    Ok(())
}

/// Notes on classes without a row; none for a split without rows, which is one that was not asked
/// for.
fn missing_classes(split: &str, examples: &[Example], labels: &LabelMap) -> Vec<String> {
    let present: HashSet<usize> = examples.iter().map(|example| example.label).collect();
    let missing = labels
        .names()
        .iter()
        .enumerate()
        .filter(|(class, _)| !present.contains(class));
    let notes =
        missing.map(|(_, name)| format!("the {split} split has no row of the class `{name}`"));
    if examples.is_empty() {
        Vec::new()
    } else {
        notes.collect()
    }
}

#[cfg(test)]
mod tests;
