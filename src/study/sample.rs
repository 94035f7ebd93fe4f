//! Made-up studies for the tests.

use std::path::Path;

use super::published::{FileKind, Published};
use super::whole::Study;
use crate::config::{Problems, read_strict};

/// What a made-up study prints: lines below the headers of the files.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    /// More of the manifest.
    pub more: &'static str,
    pub reports: String,
    pub epochs: String,
    pub values: String,
    pub embeddings: String,
}

impl Sample {
    /// A study of the runs `a`, `b` and `c`.
    pub(super) fn study(&self) -> Study {
        let text = format!(
            "name = \"mine\"\ntitle = \"A study\"\n\
             runs = [{{ name = \"a\", run = \"x/a\" }}, {{ name = \"b\", run = \"x/b\" }}, {{ name = \"c\", run = \"x/c\" }}]\n\
             figures = [{{ number = 1, caption = \"c\", kind = \"comparison\", runs = [\"a\", \"b\"] }}]\n{}",
            self.more
        );
        let mut problems = Problems::default();
        let (manifest, places) = read_strict(Path::new("studies/mine.toml"), &text, &mut problems)
            .unwrap_or_else(|| panic!("{problems}"));
        let mut published = Published::default();
        let files = [
            (
                FileKind::Reports,
                "run,evaluation,class,precision,recall,f1_score,support\n",
                &self.reports,
            ),
            (
                FileKind::Epochs,
                "run,epoch,train_loss,validation_loss,accuracy\n",
                &self.epochs,
            ),
            (
                FileKind::Values,
                "run,evaluation,name,value\n",
                &self.values,
            ),
            (
                FileKind::Embeddings,
                "run,question,dimension,first_values\n",
                &self.embeddings,
            ),
        ];
        for (kind, head, lines) in files {
            let text = format!("{head}{lines}");
            published.add(
                kind,
                (Path::new("p.csv"), &text),
                &["a", "b", "c"],
                &mut problems,
            );
        }
        assert!(problems.is_empty(), "{problems}");
        Study {
            path: "studies/mine.toml".into(),
            manifest,
            places,
            published,
        }
    }
}

/// The report of a confusion matrix as scikit-learn prints it, for rows of class 0 and 1 that were
/// given each class.
#[allow(clippy::cast_precision_loss, reason = "small counts")]
pub(super) fn report(run: &str, evaluation: &str, counts: [[u64; 2]; 2]) -> String {
    let [[right0, wrong0], [wrong1, right1]] = counts.map(|row| row.map(|count| count as f64));
    let (support0, support1) = (right0 + wrong0, right1 + wrong1);
    let rows = support0 + support1;
    let f1 = |precision: f64, recall: f64| 2.0 * precision * recall / (precision + recall);
    let of = |right: f64, said: f64, support: f64| {
        let (precision, recall) = (right / said, right / support);
        [precision, recall, f1(precision, recall)]
    };
    let zero = of(right0, right0 + wrong1, support0);
    let one = of(right1, right1 + wrong0, support1);
    let mean = |share0: f64, share1: f64| {
        std::array::from_fn::<f64, 3, _>(|index| share0 * zero[index] + share1 * one[index])
    };
    let line = |class: &str, [precision, recall, f1]: [f64; 3], support: f64| {
        format!("{run},{evaluation},{class},{precision:.2},{recall:.2},{f1:.2},{support}\n")
    };
    let accuracy = (right0 + right1) / rows;
    [
        line("0", zero, support0),
        line("1", one, support1),
        format!("{run},{evaluation},accuracy,,,{accuracy:.2},{rows}\n"),
        line("macro avg", mean(0.5, 0.5), rows),
        line("weighted avg", mean(support0 / rows, support1 / rows), rows),
    ]
    .concat()
}
