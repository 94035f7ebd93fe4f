//! A classification report as text, in scikit-learn's layout to the byte. Knows nothing of how
//! scores are made.

use std::fmt;

use super::{ClassificationReport, ReportLine};

impl ClassificationReport {
    /// The text of `sklearn.metrics.classification_report(…, digits=digits, zero_division=0)`.
    /// Supports are whole numbers throughout; scikit-learn prints them with a fraction where not
    /// one prediction is right.
    #[must_use]
    pub fn to_text(&self, digits: usize) -> String {
        let names = self.classes.iter().map(|row| row.class.chars().count());
        let width = names.chain(["weighted avg".len(), digits]).max();
        let width = width.unwrap_or_default();
        let lines = self.lines();
        let (classes, averages) = lines.split_at(self.classes.len());
        let mut text = format!(
            "{:width$}  {:>9} {:>9} {:>9} {:>9}\n\n",
            "", "precision", "recall", "f1-score", "support"
        );
        text.extend(classes.iter().map(|line| line_text(line, width, digits)));
        text.push('\n');
        text.extend(averages.iter().map(|line| line_text(line, width, digits)));
        text
    }
}

impl fmt::Display for ClassificationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text(2))
    }
}

fn line_text(line: &ReportLine, width: usize, digits: usize) -> String {
    let [precision, recall] = [line.precision, line.recall]
        .map(|score| score.map_or_else(String::new, |score| format!("{score:.digits$}")));
    format!(
        "{:>width$}  {precision:>9} {recall:>9} {:>9.digits$} {:>9}\n",
        line.class, line.f1_score, line.support
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::metrics::classification_report;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        class_names: Vec<String>,
        labels: Vec<usize>,
        predictions: Vec<usize>,
        /// Digits and the text with so many.
        texts: Vec<(usize, String)>,
    }

    #[derive(Deserialize)]
    struct Fixture {
        reports: Vec<Case>,
    }

    #[test]
    fn text_is_scikit_learns_to_the_byte() {
        let text = include_str!("../../tests/parity/metrics/expected.json");
        for case in serde_json::from_str::<Fixture>(text).unwrap().reports {
            let report = classification_report(&case.labels, &case.predictions, &case.class_names);
            for (digits, text) in case.texts {
                assert_eq!(
                    report.to_text(digits),
                    text,
                    "{}, {digits} digits",
                    case.name
                );
            }
        }
    }

    #[test]
    fn displayed_report_has_two_digits() {
        let names = ["no".to_owned(), "yes".to_owned()];
        let report = classification_report(&[0, 1, 1], &[0, 1, 0], &names);
        assert_eq!(report.to_string(), report.to_text(2));
    }
}
