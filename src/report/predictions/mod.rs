//! Confusion matrices from `predictions.csv`.

use std::collections::HashMap;
use std::path::Path;

use crate::record;

/// Counts of (true class, predicted class) in one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confusion {
    /// Which evaluation.
    pub evaluation: String,
    /// Class names in the order of their indices.
    pub classes: Vec<String>,
    /// A row for each true class, a column for each predicted one.
    pub counts: Vec<Vec<u64>>,
    /// Rows whose label or prediction is not one of the classes, such as a decoder's answer that
    /// names none.
    pub unplaced: u64,
}

impl Confusion {
    /// The class that every row was given, where the rows are of several classes.
    pub(super) fn only_prediction(&self) -> Option<&str> {
        let given = |class: &usize| self.counts.iter().any(|row| row[*class] > 0);
        let mut given = (0..self.classes.len()).filter(given);
        let only = given.next()?;
        let true_classes = self.counts.iter().filter(|row| row.iter().any(|&n| n > 0));
        let several = true_classes.count() > 1;
        (given.next().is_none() && self.unplaced == 0 && several).then(|| &*self.classes[only])
    }

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
        let index = |name: &String| classes.iter().position(|class| class == name);
        let mut confusion = Confusion {
            evaluation: self.evaluation,
            classes: classes.to_vec(),
            counts: vec![vec![0; classes.len()]; classes.len()],
            unplaced: 0,
        };
        for ((label, prediction), rows) in &self.pairs {
            match (index(label), index(prediction)) {
                (Some(label), Some(prediction)) => confusion.counts[label][prediction] += rows,
                _ => confusion.unplaced += rows,
            }
        }
        confusion
    }
}

#[cfg(test)]
mod tests;
