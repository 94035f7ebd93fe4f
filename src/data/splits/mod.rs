//! From a `[data]` table to the rows of every split, with their classes. Knows nothing of tokens or
//! models.

mod order;

use std::collections::HashSet;
use std::path::Path;

use super::error::{DataError, listed, short};
use super::examples::{EvaluationSet, Example, evaluation_set, with_classes};
use super::labels::LabelMap;
use super::overlap::{Duplicates, evaluation_notes};
use super::split::{Split, Unsplittable, stratified_split, train_test_split};
use super::table::{RawRow, read};
use crate::config::{Data, SplitKind};

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
        (Some(share), None) => {
            let target = ("test", "data.test_size");
            part(examples, share, data, &labels, target)?
        }
        (None, Some(path)) => {
            let rows = read(path, &data.text, &data.label, None)?;
            (examples, with_classes(shown(path), rows, &labels)?)
        }
        _ => return Err(DataError::TestSource),
    };
    let (mut train, validation) = match data.validation_size {
        Some(share) => {
            let target = ("validation", "data.validation_size");
            let (train, validation) = part(rest, share, data, &labels, target)?;
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
        "every training text is also in another split: set `data.deduplicate = false` or use other rows".to_owned()
    })?;
    let mut notes = labels.warnings();
    notes.extend(duplicates.notes(data.deduplicate));
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

/// Reads the rows that `data` names without splitting them: all of them are judged, none is trained
/// on.
///
/// # Errors
///
/// As [`prepare`].
pub fn whole(data: &Data) -> Result<Splits, DataError> {
    let rows = read(&data.path, &data.text, &data.label, data.limit)?;
    let labels = classes(data, &rows)?;
    let test = with_classes(shown(&data.path), rows, &labels)?;
    let evaluations = data
        .evaluations
        .iter()
        .map(|evaluation| evaluation_set(evaluation, data, &labels));
    let evaluations = evaluations.collect::<Result<Vec<_>, _>>()?;
    Ok(Splits {
        train: Vec::new(),
        validation: None,
        test,
        evaluations,
        notes: labels.warnings(),
        labels,
        duplicates: Duplicates::default(),
    })
}

/// Reads labelled rows of another file as examples of the same classes.
///
/// # Errors
///
/// As [`read`], or if a row has a label that is none of the classes.
pub fn labelled(path: &Path, data: &Data, labels: &LabelMap) -> Result<Vec<Example>, DataError> {
    let rows = read(path, &data.text, &data.label, None)?;
    with_classes(shown(path), rows, labels)
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
        _ => match distinct(data, rows, labels.names().len()) {
            Some(fault) => Err(fault),
            None => Ok(labels),
        },
    }
}

/// Refuses a column in which hardly any value comes twice: one of texts, of numbers, of names of
/// rows.
fn distinct(data: &Data, rows: &[RawRow], classes: usize) -> Option<DataError> {
    /// Fewer rows may well have a class each.
    const FEWEST: usize = 10;
    if rows.len() < FEWEST || 2 * classes <= rows.len() {
        return None;
    }
    let texts = rows.iter().map(|row| row.text.as_str());
    let swapped = texts.collect::<HashSet<_>>().len() < classes;
    (swapped || 10 * classes >= 9 * rows.len()).then(|| {
        let fix = if swapped {
            format!(
                "`data.text` and `data.label` seem to be swapped: `{}` has the fewer different values",
                data.text
            )
        } else {
            format!("set `data.label` to the column of the classes, which `{}` seems not to be", data.label)
        };
        let limited = data.limit.map_or("", |_| ", or raise `data.limit`");
        DataError::DistinctLabels {
            path: data.path.clone(),
            classes,
            rows: rows.len(),
            fix: fix + limited,
        }
    })
}

/// The rest and the `share` that is set aside, neither empty. `target` is the split that is set
/// aside and the key that says so.
fn part(
    mut examples: Vec<Example>,
    share: f64,
    data: &Data,
    labels: &LabelMap,
    target: (&'static str, &str),
) -> Result<(Vec<Example>, Vec<Example>), DataError> {
    let (split, key) = target;
    let count = examples.len();
    let rows = match data.split {
        SplitKind::Random => train_test_split(count, share, data.split_seed),
        SplitKind::Stratified => by_classes(&examples, share, data, labels, target)?,
    };
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

/// The rows of both parts where each class has its share in both.
fn by_classes(
    examples: &[Example],
    share: f64,
    data: &Data,
    labels: &LabelMap,
    (split, key): (&'static str, &str),
) -> Result<Split, DataError> {
    let classes: Vec<usize> = examples.iter().map(|example| example.label).collect();
    // A larger seed is refused where the settings are read.
    let seed = u32::try_from(data.split_seed).unwrap_or(u32::MAX);
    stratified_split(&classes, share, seed).map_err(|fault| DataError::Stratified {
        path: data.path.clone(),
        fault: match fault {
            Unsplittable::OneRow(class) => format!(
                "the class `{}` has one row to split, which cannot stand in both parts: add some, or remove it",
                short(&labels.names()[class])
            ),
            Unsplittable::TooFew {
                test,
                rows,
                classes,
            } => {
                let (split, change) = if test { (split, "raise") } else { ("training", "lower") };
                format!(
                    "the {split} split has {rows} rows for {classes} classes: {change} `{key} = {share}`, or use more rows"
                )
            }
        },
    })
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

/// A note on classes without a row; none for a split without rows, which is one that was not asked
/// for.
fn missing_classes(split: &str, examples: &[Example], labels: &LabelMap) -> Option<String> {
    let present: HashSet<usize> = examples.iter().map(|example| example.label).collect();
    let names = labels.names();
    let missing = names.iter().enumerate();
    let missing = missing.filter(|(class, _)| !present.contains(class));
    let missing: Vec<String> = missing.map(|(_, name)| name.clone()).collect();
    match missing.as_slice() {
        _ if examples.is_empty() => None,
        [] => None,
        [name] => Some(format!(
            "the {split} split has no row of the class `{}`",
            short(name)
        )),
        missing => Some(format!(
            "the {split} split has no row of {} of the {} classes: {}",
            missing.len(),
            names.len(),
            listed(missing)
        )),
    }
}

#[cfg(test)]
mod tests;
