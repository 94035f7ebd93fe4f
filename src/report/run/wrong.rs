//! The rows that a run got wrong, those it was most sure of first.

use std::path::Path;

use crate::record::read_judged_predictions;

/// A row with a wrong prediction.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Wrong {
    /// Its row of the data.
    pub row: u64,
    /// Its class.
    pub label: String,
    /// The class that it was given.
    pub prediction: String,
    /// How probable that class was to the run; none where it did not say.
    pub confidence: Option<f64>,
    /// Its text, or the beginning of it.
    pub text: String,
}

/// What a run got wrong in an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Mistakes {
    /// The evaluation.
    pub evaluation: String,
    /// Its rows.
    pub rows: usize,
    /// How many of them are wrong.
    pub wrong: usize,
    /// The first of these, those of the highest confidence first, then by row.
    pub shown: Vec<Wrong>,
}

/// The mistakes in each evaluation, at most `most` shown, in the order of the file.
///
/// # Errors
/// A message with the file when it is not what it should be.
pub(in crate::report) fn mistakes(folder: &Path, most: usize) -> Result<Vec<Mistakes>, String> {
    let mut found: Vec<Mistakes> = Vec::new();
    read_judged_predictions(folder, |row, confidence| {
        let known = found
            .iter()
            .position(|known| known.evaluation == row.evaluation);
        let place = known.unwrap_or_else(|| {
            found.push(Mistakes {
                evaluation: row.evaluation.to_owned(),
                rows: 0,
                wrong: 0,
                shown: Vec::new(),
            });
            found.len() - 1
        });
        let mistakes = &mut found[place];
        mistakes.rows += 1;
        if row.label == row.prediction {
            return;
        }
        mistakes.wrong += 1;
        mistakes.shown.push(Wrong {
            row: row.row,
            label: row.label.to_owned(),
            prediction: row.prediction.to_owned(),
            confidence,
            text: row.text.to_owned(),
        });
        // The file may be long, and most of its mistakes are not shown.
        if mistakes.shown.len() >= 4 * most.max(1) {
            mistakes.keep(most);
        }
    })?;
    for mistakes in &mut found {
        mistakes.keep(most);
    }
    Ok(found)
}

impl Mistakes {
    fn keep(&mut self, most: usize) {
        let confidence = |wrong: &Wrong| wrong.confidence.unwrap_or(-1.0);
        self.shown.sort_by(|one, two| {
            let order = confidence(two).total_cmp(&confidence(one));
            order.then(one.row.cmp(&two.row))
        });
        self.shown.truncate(most);
    }

    /// How many there are, and which of them are shown.
    pub(in crate::report) fn said(&self) -> String {
        let of = |count: usize| crate::report::figures::group(&count.to_string());
        let (rows, wrong, shown) = (of(self.rows), of(self.wrong), self.shown.len());
        if shown < self.wrong {
            format!("{wrong} of {rows} rows; the {shown} it was most sure of")
        } else {
            format!("{wrong} of {rows} rows, those it was most sure of first")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PREDICTIONS_FILE;

    #[test]
    fn mistakes_come_with_their_confidence_the_highest_first() {
        let folder = tempfile::tempdir().unwrap();
        let text = "evaluation,row,label,prediction,probability_a,probability_b,text\n\
            test,1,a,b,0.4,0.6,one\n\
            test,2,a,a,0.9,0.1,right\n\
            test,3,b,a,0.7,0.3,three\n\
            test,4,b,?,0.7,0.3,no class\n\
            custom,0,b,b,0.1,0.9,x\n";
        std::fs::write(folder.path().join(PREDICTIONS_FILE), text).unwrap();
        let found = mistakes(folder.path(), 2).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].rows, found[0].wrong), (4, 3));
        let shown: Vec<_> = found[0]
            .shown
            .iter()
            .map(|wrong| (wrong.row, wrong.confidence))
            .collect();
        assert_eq!(shown, [(3, Some(0.7)), (1, Some(0.6))]);
        assert_eq!(found[0].said(), "3 of 4 rows; the 2 it was most sure of");
        assert_eq!((found[1].rows, found[1].wrong), (1, 0));
    }

    #[test]
    fn of_many_mistakes_only_the_surest_are_kept_on_the_way() {
        use std::fmt::Write;
        let folder = tempfile::tempdir().unwrap();
        let mut text =
            String::from("evaluation,row,label,prediction,probability_a,probability_b,text\n");
        for row in 0..1000 {
            writeln!(
                text,
                "test,{row},a,b,0,{:.6},t",
                f64::from(row * 7919 % 1000) / 1000.0
            )
            .unwrap();
        }
        std::fs::write(folder.path().join(PREDICTIONS_FILE), text).unwrap();
        let found = mistakes(folder.path(), 50).unwrap();
        let sure: Vec<f64> = found[0]
            .shown
            .iter()
            .map(|wrong| wrong.confidence.unwrap())
            .collect();
        let wanted: Vec<f64> = (0..50)
            .map(|place| f64::from(999 - place) / 1000.0)
            .collect();
        assert_eq!(sure, wanted);
        assert_eq!(found[0].wrong, 1000);
    }
}
