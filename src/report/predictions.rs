//! Confusion matrices from `predictions.csv`, read row by row: the file may be long.

use std::collections::HashMap;
use std::path::Path;

use crate::record::PREDICTIONS_FILE;

/// Counts of (true class, predicted class) in one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confusion {
    /// Which evaluation.
    pub evaluation: String,
    /// Class names in the order of their indices.
    pub classes: Vec<String>,
    /// A row for each true class, a column for each predicted one.
    pub counts: Vec<Vec<u64>>,
    /// Rows whose label or prediction is none of the classes, such as a decoder's answer that names none.
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
    let path = folder.join(PREDICTIONS_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    read(&path, labels).map_err(|message| format!("{}: {message}", path.display()))
}

fn read(path: &Path, labels: &[String]) -> Result<Vec<Confusion>, String> {
    let mut reader = csv::Reader::from_path(path).map_err(|error| error.to_string())?;
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|title| title == name)
            .ok_or_else(|| format!("there is no column `{name}`"))
    };
    let (evaluation, label, prediction) = (
        column("evaluation")?,
        column("label")?,
        column("prediction")?,
    );
    let classes: Vec<String> = if labels.is_empty() {
        header
            .iter()
            .filter_map(|title| title.strip_prefix("probability_"))
            .map(str::to_owned)
            .collect()
    } else {
        labels.to_vec()
    };
    let index: HashMap<&str, usize> = classes
        .iter()
        .enumerate()
        .map(|(index, name)| (name.as_str(), index))
        .collect();
    let mut found: Vec<Confusion> = Vec::new();
    let mut row = csv::StringRecord::new();
    while reader
        .read_record(&mut row)
        .map_err(|error| error.to_string())?
    {
        let name = row.get(evaluation).unwrap_or_default();
        let place = found
            .iter()
            .position(|confusion| confusion.evaluation == name)
            .unwrap_or_else(|| {
                let counts = vec![vec![0; classes.len()]; classes.len()];
                found.push(Confusion {
                    evaluation: name.to_owned(),
                    classes: classes.clone(),
                    counts,
                    unplaced: 0,
                });
                found.len() - 1
            });
        let class = |column: usize| row.get(column).and_then(|text| index.get(text)).copied();
        match (class(label), class(prediction)) {
            (Some(label), Some(prediction)) => found[place].counts[label][prediction] += 1,
            _ => found[place].unplaced += 1,
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusions_of(text: &str, labels: &[&str]) -> Result<Vec<Confusion>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(PREDICTIONS_FILE), text).unwrap();
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
