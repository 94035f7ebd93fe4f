//! Confusion matrices from `predictions.csv`.

use std::collections::HashMap;
use std::path::Path;

use crate::record;

/// Classes that a matrix shows: more would have no room for their names, and a thousand of them a
/// million cells.
const MOST_CLASSES: usize = 30;

/// Counts of (true class, predicted class) in one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confusion {
    /// Which evaluation.
    pub evaluation: String,
    /// Class names in the order of their indices; of many classes, those with the most rows.
    pub classes: Vec<String>,
    /// Classes in all.
    pub all_classes: usize,
    /// A row for each true class, a column for each predicted one.
    pub counts: Vec<Vec<u64>>,
    /// Rows of each true class, whatever was predicted.
    pub totals: Vec<u64>,
    /// Rows of the classes that are not shown, and those predicted as one of them.
    pub left_out: u64,
    /// Rows whose label or prediction is not one of the classes, such as a decoder's answer that
    /// names none.
    pub unplaced: u64,
}

impl Confusion {
    /// Rows in the matrix.
    pub(super) fn rows(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }
}

/// The matrices of a run's evaluations in the order of the file. `labels` are the class names that
/// the record states; where it states none, those of the `probability_` columns. A run without the
/// file has none.
///
/// # Errors
/// A message with file and line when the file is not what it should be.
pub(super) fn confusions(folder: &Path, labels: &[String]) -> Result<Vec<Confusion>, String> {
    let mut counts: Vec<Counts> = Vec::new();
    let probable = record::read_predictions(folder, |row| {
        let place = counts
            .iter()
            .position(|known| known.evaluation == row.evaluation);
        let place = place.unwrap_or_else(|| {
            counts.push(Counts {
                evaluation: row.evaluation.to_owned(),
                pairs: HashMap::new(),
            });
            counts.len() - 1
        });
        let pair = (row.label.to_owned(), row.prediction.to_owned());
        *counts[place].pairs.entry(pair).or_default() += 1;
    })?;
    let classes = if labels.is_empty() {
        probable
    } else {
        labels.to_vec()
    };
    Ok(counts
        .into_iter()
        .map(|counts| counts.matrix(&classes))
        .collect())
}

/// Rows of an evaluation by (label, prediction).
struct Counts {
    evaluation: String,
    pairs: HashMap<(String, String), u64>,
}

impl Counts {
    fn matrix(self, classes: &[String]) -> Confusion {
        let mut indices: HashMap<&str, usize> = HashMap::new();
        for (index, class) in classes.iter().enumerate() {
            indices.entry(class).or_insert(index);
        }
        let index = |name: &String| indices.get(name.as_str()).copied();
        let (mut totals, mut unplaced) = (vec![0; classes.len()], 0);
        let mut pairs = Vec::with_capacity(self.pairs.len());
        for ((label, prediction), &rows) in &self.pairs {
            match (index(label), index(prediction)) {
                (Some(label), Some(prediction)) => {
                    totals[label] += rows;
                    pairs.push((label, prediction, rows));
                }
                _ => unplaced += rows,
            }
        }
        let shown = largest(&totals);
        let count = shown.len();
        let mut confusion = Confusion {
            evaluation: self.evaluation,
            classes: shown.iter().map(|&class| classes[class].clone()).collect(),
            all_classes: classes.len(),
            counts: vec![vec![0; count]; count],
            totals: shown.iter().map(|&class| totals[class]).collect(),
            left_out: 0,
            unplaced,
        };
        for (label, prediction, rows) in pairs {
            match (
                shown.binary_search(&label),
                shown.binary_search(&prediction),
            ) {
                (Ok(label), Ok(prediction)) => confusion.counts[label][prediction] += rows,
                _ => confusion.left_out += rows,
            }
        }
        confusion
    }
}

/// The classes with the most rows, in the order of their indices.
fn largest(totals: &[u64]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..totals.len()).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(totals[class]));
    classes.truncate(MOST_CLASSES);
    classes.sort_unstable();
    classes
}

#[cfg(test)]
mod tests;
