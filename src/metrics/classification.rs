//! Scores of a classifier's predictions, with scikit-learn's definitions. A ratio over nothing is 0
//! (`zero_division=0`).

/// Precision, recall and F1 of one class, or their average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Share of the rows predicted as the class that belong to it.
    pub precision: f64,
    /// Share of the rows of the class that were predicted as it.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1_score: f64,
}

/// One class of a [`ClassificationReport`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    /// The class's name.
    pub class: String,
    /// How well it was found.
    pub scores: Scores,
    /// Rows that belong to it.
    pub support: u64,
}

/// What `sklearn.metrics.classification_report` says, with every class named, present or not.
/// Displayed, it is that function's text with two digits.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    /// One entry for each class name, in their order.
    pub classes: Vec<ClassScore>,
    /// Share of the rows whose prediction is right.
    pub accuracy: f64,
    /// Plain mean over the classes.
    pub macro_average: Scores,
    /// Mean over the classes weighted by their support.
    pub weighted_average: Scores,
    /// Rows in all.
    pub support: u64,
}

/// A line of a [`ClassificationReport`] as flat files hold it: a class, or one of the three
/// averages at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportLine {
    /// Class name, `accuracy`, `macro avg` or `weighted avg`.
    pub class: String,
    /// Precision; none on the accuracy line.
    pub precision: Option<f64>,
    /// Recall; none on the accuracy line.
    pub recall: Option<f64>,
    /// F1 score; on the accuracy line, the accuracy.
    pub f1_score: f64,
    /// Rows of the class, or all rows.
    pub support: u64,
}

/// Scores `predictions` against `labels`, both class indices. A prediction without a name is no
/// answer at all: its row counts as wrong.
///
/// # Panics
///
/// If the slices differ in length or a label has no name.
#[must_use]
pub fn classification_report(
    labels: &[usize],
    predictions: &[usize],
    class_names: &[String],
) -> ClassificationReport {
    assert_eq!(
        labels.len(),
        predictions.len(),
        "one prediction for each label"
    );
    // Not by a matrix, which of a thousand classes would have a million cells.
    let [mut rights, mut supports, mut predictions_of] =
        [(); 3].map(|()| vec![0_u64; class_names.len()]);
    for (&label, &prediction) in labels.iter().zip(predictions) {
        supports[label] += 1;
        if let Some(count) = predictions_of.get_mut(prediction) {
            *count += 1;
        }
        rights[label] += u64::from(label == prediction);
    }
    let classes: Vec<ClassScore> = class_names
        .iter()
        .enumerate()
        .map(|(class, name)| {
            let (right, support) = (rights[class], supports[class]);
            let predicted = predictions_of[class];
            ClassScore {
                class: name.clone(),
                scores: Scores {
                    precision: ratio(right, predicted),
                    recall: ratio(right, support),
                    f1_score: ratio(2 * right, support + predicted),
                },
                support,
            }
        })
        .collect();
    let support = labels.len() as u64;
    ClassificationReport {
        accuracy: accuracy(labels, predictions),
        macro_average: average(&classes, |_| 1),
        weighted_average: average(&classes, |class| class.support),
        classes,
        support,
    }
}

/// Counts of rows by label (outer) and prediction (inner), `classes` by `classes`.
///
/// # Panics
///
/// If the slices differ in length or an index is not below `classes`.
#[must_use]
pub fn confusion_matrix(labels: &[usize], predictions: &[usize], classes: usize) -> Vec<Vec<u64>> {
    assert_eq!(
        labels.len(),
        predictions.len(),
        "one prediction for each label"
    );
    let mut matrix = vec![vec![0; classes]; classes];
    for (&label, &prediction) in labels.iter().zip(predictions) {
        matrix[label][prediction] += 1;
    }
    matrix
}

/// Share of the rows whose prediction is right; 0 for no rows.
///
/// # Panics
///
/// If the slices differ in length.
#[must_use]
pub fn accuracy(labels: &[usize], predictions: &[usize]) -> f64 {
    assert_eq!(
        labels.len(),
        predictions.len(),
        "one prediction for each label"
    );
    let right = labels
        .iter()
        .zip(predictions)
        .filter(|(label, prediction)| label == prediction);
    ratio(right.count() as u64, labels.len() as u64)
}

impl ClassificationReport {
    /// The report as flat lines: the classes, `accuracy`, `macro avg`, `weighted avg`.
    #[must_use]
    pub fn lines(&self) -> Vec<ReportLine> {
        let scored = |class: &str, scores: Scores, support| ReportLine {
            class: class.to_owned(),
            precision: Some(scores.precision),
            recall: Some(scores.recall),
            f1_score: scores.f1_score,
            support,
        };
        let accuracy = ReportLine {
            class: ACCURACY.to_owned(),
            precision: None,
            recall: None,
            f1_score: self.accuracy,
            support: self.support,
        };
        let classes = self.classes.iter();
        let mut lines: Vec<_> = classes
            .map(|row| scored(&row.class, row.scores, row.support))
            .collect();
        lines.push(accuracy);
        lines.push(scored(MACRO_AVERAGE, self.macro_average, self.support));
        lines.push(scored(
            WEIGHTED_AVERAGE,
            self.weighted_average,
            self.support,
        ));
        lines
    }

    /// The report whose [`lines`](Self::lines) these are; none if they do not end in the three
    /// averages or lack a value.
    #[must_use]
    pub fn from_lines(lines: &[ReportLine]) -> Option<Self> {
        // By position, not by name: a class may itself be called `accuracy`.
        let (classes, [accuracy, macro_average, weighted_average]) = lines.split_last_chunk()?;
        let names = [accuracy, macro_average, weighted_average].map(|line| line.class.as_str());
        if names != [ACCURACY, MACRO_AVERAGE, WEIGHTED_AVERAGE] {
            return None;
        }
        let classes = classes.iter().map(|line| {
            Some(ClassScore {
                class: line.class.clone(),
                scores: line.scores()?,
                support: line.support,
            })
        });
        Some(Self {
            classes: classes.collect::<Option<_>>()?,
            accuracy: accuracy.f1_score,
            macro_average: macro_average.scores()?,
            weighted_average: weighted_average.scores()?,
            support: accuracy.support,
        })
    }
}

impl ReportLine {
    fn scores(&self) -> Option<Scores> {
        Some(Scores {
            precision: self.precision?,
            recall: self.recall?,
            f1_score: self.f1_score,
        })
    }
}

const ACCURACY: &str = "accuracy";
const MACRO_AVERAGE: &str = "macro avg";
const WEIGHTED_AVERAGE: &str = "weighted avg";

fn average(classes: &[ClassScore], weight: impl Fn(&ClassScore) -> u64) -> Scores {
    let total: u64 = classes.iter().map(&weight).sum();
    if total == 0 {
        return Scores::default();
    }
    let of = |score: fn(&Scores) -> f64| {
        let weighted = classes
            .iter()
            .map(|class| score(&class.scores) * as_float(weight(class)));
        weighted.sum::<f64>() / as_float(total)
    };
    Scores {
        precision: of(|scores| scores.precision),
        recall: of(|scores| scores.recall),
        f1_score: of(|scores| scores.f1_score),
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        as_float(part) / as_float(whole)
    }
}

#[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    pub struct Case {
        name: String,
        class_names: Vec<String>,
        labels: Vec<usize>,
        predictions: Vec<usize>,
        /// Precision, recall, F1 and support of each class, then of the macro and the weighted
        /// average.
        scores: Vec<(f64, f64, f64, f64)>,
        accuracy: f64,
        confusion: Vec<Vec<u64>>,
    }

    #[derive(Deserialize)]
    struct Fixture {
        reports: Vec<Case>,
    }

    fn cases() -> Vec<Case> {
        let text = include_str!("../../tests/parity/metrics/expected.json");
        serde_json::from_str::<Fixture>(text).unwrap().reports
    }

    #[test]
    fn scores_are_scikit_learns() {
        for case in cases() {
            let report = classification_report(&case.labels, &case.predictions, &case.class_names);
            assert!(
                (report.accuracy - case.accuracy).abs() < 1e-12,
                "{}",
                case.name
            );
            let lines = report.lines();
            let scored: Vec<_> = lines
                .iter()
                .filter(|line| line.precision.is_some())
                .collect();
            assert_eq!(scored.len(), case.scores.len(), "{}", case.name);
            for (line, expected) in scored.into_iter().zip(&case.scores) {
                let Scores {
                    precision,
                    recall,
                    f1_score,
                } = line.scores().unwrap();
                let found = [precision, recall, f1_score, as_float(line.support)];
                let expected = [expected.0, expected.1, expected.2, expected.3];
                for (found, expected) in found.into_iter().zip(expected) {
                    assert!(
                        (found - expected).abs() < 1e-12,
                        "{}, {}: {found} for {expected}",
                        case.name,
                        line.class
                    );
                }
            }
        }
    }

    #[test]
    fn confusion_matrix_is_scikit_learns() {
        for case in cases() {
            let matrix = confusion_matrix(&case.labels, &case.predictions, case.class_names.len());
            assert_eq!(matrix, case.confusion, "{}", case.name);
        }
    }

    #[test]
    fn report_survives_the_way_through_its_lines() {
        for case in cases() {
            let report = classification_report(&case.labels, &case.predictions, &case.class_names);
            assert_eq!(
                ClassificationReport::from_lines(&report.lines()),
                Some(report)
            );
        }
    }

    #[test]
    fn lines_without_the_averages_are_no_report() {
        let names = ["accuracy".to_owned(), "b".to_owned()];
        let lines = classification_report(&[0, 1], &[0, 0], &names).lines();
        assert_eq!(ClassificationReport::from_lines(&lines[..4]), None);
        assert_eq!(ClassificationReport::from_lines(&lines[3..]), None);
        assert_eq!(ClassificationReport::from_lines(&[]), None);
    }

    #[test]
    fn no_rows_score_zero() {
        let report = classification_report(&[], &[], &["a".to_owned(), "b".to_owned()]);
        assert_eq!((report.accuracy, report.support), (0.0, 0));
        assert_eq!(report.weighted_average, Scores::default());
        assert_eq!(report.macro_average, Scores::default());
    }
}
