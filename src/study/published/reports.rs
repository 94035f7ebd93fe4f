//! Classification reports: `run,evaluation,class,precision,recall,f1_score,support`. The row
//! `accuracy` has its share under `f1_score`, as scikit-learn prints it.

use std::path::Path;

use super::sheet::{self, Bounds};
use crate::config::Problems;
use crate::study::Printed;

const COLUMNS: [&str; 7] = [
    "run",
    "evaluation",
    "class",
    "precision",
    "recall",
    "f1_score",
    "support",
];

/// The rows that are no classes.
const AVERAGES: [&str; 3] = ["accuracy", "macro avg", "weighted avg"];

/// A run's report of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The study's name of the run.
    pub run: String,
    /// Which evaluation.
    pub evaluation: String,
    /// In the order of the file.
    pub rows: Vec<ClassRow>,
}

/// A row of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassRow {
    /// The class, or one of the averages.
    pub class: String,
    /// Precision.
    pub precision: Option<Printed>,
    /// Recall.
    pub recall: Option<Printed>,
    /// F1; on the accuracy row, the accuracy.
    pub f1_score: Option<Printed>,
    /// Rows of the class.
    pub support: u64,
}

impl Report {
    /// The rows of classes.
    pub fn classes(&self) -> impl Iterator<Item = &ClassRow> + Clone {
        let is_class = |row: &&ClassRow| !AVERAGES.contains(&row.class.as_str());
        self.rows.iter().filter(is_class)
    }

    /// A row by its class or average.
    #[must_use]
    pub fn row(&self, class: &str) -> Option<&ClassRow> {
        self.rows.iter().find(|row| row.class == class)
    }

    /// The accuracy.
    #[must_use]
    pub fn accuracy(&self) -> Option<&Printed> {
        self.row("accuracy")?.f1_score.as_ref()
    }

    /// How many rows were evaluated.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        if let Some(row) = self.row("accuracy") {
            return Some(row.support);
        }
        let mut classes = self.classes().peekable();
        classes.peek()?;
        classes.try_fold(0_u64, |sum, row| sum.checked_add(row.support))
    }

    /// A metric as records call it: `accuracy`, `macro_f1`, `weighted_recall` …
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Printed> {
        if name == "accuracy" {
            return self.accuracy();
        }
        let (average, figure) = name.split_once('_')?;
        let row = self.row(&format!("{average} avg"))?;
        match figure {
            "precision" => row.precision.as_ref(),
            "recall" => row.recall.as_ref(),
            "f1" => row.f1_score.as_ref(),
            _ => None,
        }
    }
}

pub(super) fn read(
    path: &Path,
    text: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for line in sheet::read(path, text, &COLUMNS, problems) {
        let run = line.run(names, problems);
        let evaluation = line.needed("evaluation", problems);
        let class = line.needed("class", problems);
        let [precision, recall, f1_score] = ["precision", "recall", "f1_score"]
            .map(|column| line.number(column, Bounds::Share, problems));
        let support = line.count("support", problems);
        let (Some(run), Some(evaluation), Some(class), Some(support)) =
            (run, evaluation, class, support)
        else {
            continue;
        };
        let known = |report: &&mut Report| report.run == run && report.evaluation == evaluation;
        let row = ClassRow {
            class,
            precision,
            recall,
            f1_score,
            support,
        };
        match reports.iter_mut().find(known) {
            Some(report) if report.row(&row.class).is_some() => {
                let message = format!("`{run}` has `{}` of `{evaluation}` twice", row.class);
                problems.push(line.problem(message).help("remove one"));
            }
            Some(report) => report.rows.push(row),
            None => reports.push(Report {
                run,
                evaluation,
                rows: vec![row],
            }),
        }
    }
    reports
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "run,evaluation,class,precision,recall,f1_score,support\n";

    fn read_all(lines: &str) -> (Vec<Report>, String) {
        let mut problems = Problems::default();
        let text = format!("{HEAD}{lines}");
        let reports = read(Path::new("r.csv"), &text, &["a"], &mut problems);
        (reports, problems.to_string())
    }

    #[test]
    fn a_report_is_known_by_its_run_and_evaluation() {
        let (reports, _) = read_all(
            "a,test,0,0.5,0.5,0.5,2\na,custom,accuracy,,,1.0,4\na,test,accuracy,,,0.50,2\na,test,macro avg,0.1,0.2,0.3,2\n",
        );
        assert_eq!(reports.len(), 2);
        let report = &reports[0];
        assert_eq!(report.classes().count(), 1);
        assert_eq!((report.rows(), reports[1].rows()), (Some(2), Some(4)));
        let text = |name: &str| report.metric(name).map(|printed| printed.text.as_str());
        assert_eq!(text("accuracy"), Some("0.50"));
        assert_eq!(text("macro_f1"), Some("0.3"));
        assert_eq!(text("weighted_f1"), None);
    }

    #[test]
    fn what_cannot_be_is_named_with_its_line() {
        for (line, wanted) in [
            ("b,test,0,0.5,0.5,0.5,2\n", "the manifest has no run `b`"),
            ("a,,0,0.5,0.5,0.5,2\n", "`evaluation` is empty"),
            ("a,test,0,84,0.5,0.5,2\n", "write a share, not percent"),
            ("a,test,0,0.5,0.5,0.5,-2\n", "which is no count"),
            (
                "a,test,0,0.5,0.5,0.5,2\na,test,0,0.5,0.5,0.5,2\n",
                "`a` has `0` of `test` twice",
            ),
        ] {
            let said = read_all(line).1;
            assert!(said.contains(wanted) && said.contains("r.csv:"), "{said}");
        }
    }
}
