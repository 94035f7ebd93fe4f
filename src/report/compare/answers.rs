//! What a run answered row by row, from `predictions.csv`, and whether two runs answered the same
//! rows. A row is known by its number, its label and the beginning of its text.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::record::read_predictions;

/// The answers to one evaluation, in the order of the rows' numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::report) struct Answers {
    /// What was asked.
    questions: Vec<Question>,
    /// Whether each answer was right.
    pub right: Vec<bool>,
}

/// A row; label and text as their hashes, since there may be many rows and many runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Question {
    row: u64,
    label: u64,
    text: u64,
}

/// The answers of a run by evaluation; none if it left no predictions.
///
/// # Errors
/// A message with the file when it is not what it should be.
pub(in crate::report) fn read(folder: &Path) -> Result<BTreeMap<String, Answers>, String> {
    let mut found: BTreeMap<String, Vec<(Question, bool)>> = BTreeMap::new();
    read_predictions(folder, |row| {
        let question = Question {
            row: row.row,
            label: hash(row.label),
            text: hash(row.text),
        };
        let answer = (question, row.label == row.prediction);
        match found.get_mut(row.evaluation) {
            Some(answers) => answers.push(answer),
            None => {
                found.insert(row.evaluation.to_owned(), vec![answer]);
            }
        }
    })?;
    let sorted = |(evaluation, mut answers): (String, Vec<(Question, bool)>)| {
        answers.sort_unstable();
        let (questions, right) = answers.into_iter().unzip();
        (evaluation, Answers { questions, right })
    };
    Ok(found.into_iter().map(sorted).collect())
}

/// A row with its answer in words.
pub(super) struct Shown {
    /// The beginning of its text.
    pub text: String,
    /// Its label.
    pub label: String,
    /// The answer.
    pub prediction: String,
}

/// The rows of an evaluation that has at most `most` of them, in the order of the file; none if it
/// has more, or none.
///
/// # Errors
/// As [`read`].
pub(super) fn few(
    folder: &Path,
    evaluation: &str,
    most: usize,
) -> Result<Option<Vec<Shown>>, String> {
    let mut shown = Vec::new();
    read_predictions(folder, |row| {
        if row.evaluation == evaluation && shown.len() <= most {
            shown.push(Shown {
                text: row.text.to_owned(),
                label: row.label.to_owned(),
                prediction: row.prediction.to_owned(),
            });
        }
    })?;
    Ok((1..=most).contains(&shown.len()).then_some(shown))
}

/// The same hash each time: only equality within one process matters, but nothing here shall depend
/// on chance.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Answers {
    /// The same for the same rows only, as [`Self::differs_from`] knows them.
    pub(in crate::report) fn mark(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.questions.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The share of right answers.
    #[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
    pub(in crate::report) fn accuracy(&self) -> f64 {
        let right = self.right.iter().filter(|right| **right).count();
        right as f64 / self.right.len() as f64
    }

    /// In what the rows differ from another run's; none if they are the same.
    pub(in crate::report) fn differs_from(&self, other: &Self) -> Option<String> {
        let (ours, theirs) = (&self.questions, &other.questions);
        if ours.len() != theirs.len() {
            return Some(format!("{} rows against {}", ours.len(), theirs.len()));
        }
        let rows = |questions: &[Question]| -> Vec<u64> {
            questions.iter().map(|question| question.row).collect()
        };
        let (our_rows, their_rows) = (rows(ours), rows(theirs));
        if our_rows != their_rows {
            let missing = our_rows
                .iter()
                .filter(|row| their_rows.binary_search(row).is_err());
            return Some(format!(
                "{} of the {} rows are not in the other, as with a different `split_seed`",
                missing.count(),
                ours.len()
            ));
        }
        let (our, their) = ours.iter().zip(theirs).find(|(our, their)| our != their)?;
        let what = if our.text == their.text {
            "label"
        } else {
            "text"
        };
        Some(format!("row {} has another {what}", our.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PREDICTIONS_FILE;

    fn answers(rows: &str) -> Result<BTreeMap<String, Answers>, String> {
        let folder = tempfile::tempdir().unwrap();
        let header = "evaluation,row,label,prediction,probability_a,text\n";
        std::fs::write(
            folder.path().join(PREDICTIONS_FILE),
            format!("{header}{rows}"),
        )
        .unwrap();
        read(folder.path())
    }

    #[test]
    fn a_mark_is_that_of_the_rows_whatever_the_answers() {
        let mark = |rows| answers(rows).unwrap()["test"].mark();
        let base = mark("test,7,a,b,0,x\ntest,2,a,a,1,y\n");
        assert_eq!(mark("test,2,a,b,1,y\ntest,7,a,a,0,x\n"), base);
        for other in [
            "test,7,a,b,0,x\n",
            "test,7,a,b,0,x\ntest,2,a,a,1,z\n",
            "test,7,b,b,0,x\ntest,2,a,a,1,y\n",
        ] {
            assert_ne!(mark(other), base);
        }
    }

    fn difference(one: &str, two: &str) -> Option<String> {
        answers(one).unwrap()["test"].differs_from(&answers(two).unwrap()["test"])
    }

    #[test]
    fn answers_stand_in_the_order_of_their_rows() {
        let read = answers("test,7,a,b,0,x\ntest,2,a,a,1,\"y\nz\"\ncustom,0,a,a,1,x\n").unwrap();
        assert_eq!(read["test"].right, [true, false]);
        assert_eq!(read["custom"].right, [true]);
    }

    #[test]
    fn the_same_rows_are_the_same_in_any_order_and_with_any_answer() {
        let one = "test,7,a,b,0,x\ntest,2,a,a,1,y\n";
        let two = "test,2,a,b,1,y\ntest,7,a,a,0,x\n";
        assert_eq!(difference(one, two), None);
    }

    #[test]
    fn other_rows_labels_and_texts_are_named() {
        let base = "test,7,a,b,0,x\ntest,2,a,a,1,y\n";
        let said = |other| difference(base, other).unwrap();
        assert_eq!(said("test,7,a,b,0,x\n"), "2 rows against 1");
        assert!(said("test,7,a,b,0,x\ntest,3,a,a,1,y\n").starts_with("1 of the 2 rows are not"));
        assert_eq!(
            said("test,7,a,b,0,x\ntest,2,b,a,1,y\n"),
            "row 2 has another label"
        );
        assert_eq!(
            said("test,7,a,b,0,z\ntest,2,a,a,1,y\n"),
            "row 7 has another text"
        );
    }

    #[test]
    fn a_broken_row_is_named_with_file_and_line() {
        let error = answers("test,seven,a,b,0,x\n").unwrap_err();
        assert!(
            error.contains("predictions.csv: line 2: `seven` is not a row number"),
            "{error}"
        );
    }
}
