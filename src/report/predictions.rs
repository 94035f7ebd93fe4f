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
    /// Rows whose label or prediction is not one of the classes, such as a decoder's answer that names none.
    pub unplaced: u64,
}

impl Confusion {
    /// Rows in the matrix.
    pub(super) fn rows(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }
}

/// The matrices of a run's evaluations in the order of the file. `labels` are the class names that the record states; where it states none, those
/// of the `probability_` columns. A run without the file has none.
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
mod tests {
    use super::*;

    fn confusions_of(text: &str, labels: &[&str]) -> Result<Vec<Confusion>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(record::PREDICTIONS_FILE), text).unwrap();
        confusions(
            folder.path(),
            &labels
                .iter()
                .map(|&label| label.to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn rows_are_true_classes_and_columns_predicted_ones() {
        let text = "evaluation,row,label,prediction,probability_no,probability_yes,text\n\
                    test,0,no,yes,0.1,0.9,\"a\nb\"\ntest,1,no,no,0.9,0.1,b\ntest,2,yes,yes,0,1,c\ncustom,0,yes,unsure,0,1,d\n";
        let found = confusions_of(text, &[]).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].classes, ["no", "yes"]);
        assert_eq!(found[0].counts, [[1, 1], [0, 1]]);
        assert_eq!((found[1].rows(), found[1].unplaced), (0, 1));
    }

    #[test]
    fn the_records_labels_decide_the_order() {
        let text = "evaluation,row,label,prediction,text\ntest,0,b,a,x\n";
        assert_eq!(
            confusions_of(text, &["b", "a"]).unwrap()[0].counts,
            [[0, 1], [0, 0]]
        );
    }

    #[test]
    fn a_broken_file_is_named() {
        let error = confusions_of("evaluation,row,label\ntest,0,b\n", &[]).unwrap_err();
        assert!(
            error.contains("predictions.csv") && error.contains("`prediction`"),
            "{error}"
        );
        assert!(confusions_of("evaluation,label,prediction\na,b\n", &[]).is_err());
    }

    #[test]
    fn a_run_without_predictions_has_no_matrix() {
        assert_eq!(
            confusions(tempfile::tempdir().unwrap().path(), &[]).unwrap(),
            []
        );
    }
}
