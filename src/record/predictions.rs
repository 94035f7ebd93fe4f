//! `predictions.csv`: the prediction for every evaluated row. Its columns depend on the classes.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use super::CsvReader;

/// The file with the prediction for every evaluated row.
pub const PREDICTIONS_FILE: &str = "predictions.csv";

/// The header of `predictions.csv` for these classes, in the order of their indices.
#[must_use]
pub fn prediction_columns<S: AsRef<str>>(classes: &[S]) -> Vec<String> {
    let before = ["evaluation", "row", "label", "prediction"];
    before
        .into_iter()
        .map(str::to_owned)
        .chain(
            classes
                .iter()
                .map(|class| probability_column(class.as_ref())),
        )
        .chain(std::iter::once("text".to_owned()))
        .collect()
}

/// The column with the probabilities of a class.
#[must_use]
pub fn probability_column(class: &str) -> String {
    format!("{PROBABILITY}{class}")
}

/// A probability as the file has it.
#[must_use]
pub fn probability_cell(probability: f64) -> String {
    format!("{probability:.6}")
}

const PROBABILITY: &str = "probability_";

/// Characters of a text that the file has.
const SHOWN_CHARACTERS: usize = 500;

/// A row of the file without its probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredictionRow<'a> {
    /// Which evaluation it belongs to.
    pub evaluation: &'a str,
    /// Its row of the data.
    pub row: u64,
    /// The name of its class.
    pub label: &'a str,
    /// The name of the class that it was given.
    pub prediction: &'a str,
    /// Its text, or the beginning of it.
    pub text: &'a str,
}

impl PredictionRow<'_> {
    /// The cells under [`prediction_columns`].
    #[must_use]
    pub fn cells(&self, probabilities: &[f64]) -> Vec<String> {
        let before = [
            self.evaluation,
            &self.row.to_string(),
            self.label,
            self.prediction,
        ]
        .map(str::to_owned);
        let text = self.text.chars().take(SHOWN_CHARACTERS).collect();
        let probabilities = probabilities.iter().copied().map(probability_cell);
        before
            .into_iter()
            .chain(probabilities)
            .chain([text])
            .collect()
    }
}

/// Reads a run's predictions row by row, since the file may be long; returns the classes that have
/// a column. Without a file there are none.
///
/// # Errors
/// A message with the file, and the line where it is one, when the file is not what it should be.
pub fn read_predictions(
    folder: &Path,
    mut each: impl FnMut(PredictionRow<'_>),
) -> Result<Vec<String>, String> {
    read_judged_predictions(folder, |row, _| each(row))
}

/// The same, each row with the probability of the class that it was given, where the file states
/// it.
///
/// # Errors
/// As [`read_predictions`].
pub fn read_judged_predictions(
    folder: &Path,
    each: impl FnMut(PredictionRow<'_>, Option<f64>),
) -> Result<Vec<String>, String> {
    let path = folder.join(PREDICTIONS_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    read(&path, each).map_err(|message| format!("{}: {message}", path.display()))
}

fn read(
    path: &Path,
    mut each: impl FnMut(PredictionRow<'_>, Option<f64>),
) -> Result<Vec<String>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader = CsvReader::new(file).map_err(|error| error.to_string())?;
    let header = reader.header().clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|title| title == name)
            .ok_or_else(|| format!("there is no column `{name}`"))
    };
    let (evaluation, row) = (column("evaluation")?, column("row")?);
    let (label, prediction, text) = (column("label")?, column("prediction")?, column("text")?);
    let of_class = |title: &'_ str| title.strip_prefix(PROBABILITY).map(str::to_owned);
    let probabilities: HashMap<String, usize> = header
        .iter()
        .enumerate()
        .filter_map(|(place, title)| Some((of_class(title)?, place)))
        .collect();
    while let Some(record) = reader.next_row().map_err(|error| error.to_string())? {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let number = cell(row).parse().map_err(|_| {
            let line = record.position().map_or(0, csv::Position::line);
            format!("line {line}: `{}` is not a row number", cell(row))
        })?;
        let given = probabilities.get(cell(prediction));
        let confidence = given.and_then(|&place| cell(place).parse().ok());
        let row = PredictionRow {
            evaluation: cell(evaluation),
            row: number,
            label: cell(label),
            prediction: cell(prediction),
            text: cell(text),
        };
        each(row, confidence.filter(|share: &f64| share.is_finite()));
    }
    Ok(header.iter().filter_map(of_class).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::CsvWriter;

    #[test]
    fn prediction_columns_end_with_the_text() {
        assert_eq!(
            prediction_columns(&["negative", "positive"]).join(","),
            "evaluation,row,label,prediction,probability_negative,probability_positive,text"
        );
    }

    #[test]
    fn texts_and_classes_that_a_spreadsheet_would_run_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = CsvWriter::new(Vec::new());
        writer.write_record(prediction_columns(&["-a"])).unwrap();
        let row = PredictionRow {
            evaluation: "test",
            row: 7,
            label: "-a",
            prediction: "'@b",
            text: "=HYPERLINK(\"x\")",
        };
        writer.write_record(row.cells(&[0.25])).unwrap();
        let content = writer.into_inner().unwrap();
        let text = String::from_utf8(content.clone()).unwrap();
        assert!(
            text.ends_with("test,7,'-a,''@b,0.250000,\"'=HYPERLINK(\"\"x\"\")\"\n"),
            "{text}"
        );
        std::fs::write(folder.path().join(PREDICTIONS_FILE), content).unwrap();
        let classes = read_predictions(folder.path(), |read| assert_eq!(read, row)).unwrap();
        assert_eq!(classes, ["-a"]);
    }
}
