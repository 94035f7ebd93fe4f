//! What stands beside an adapter for people and for the Hugging Face hub: a model card with the
//! run's results. How to use the adapter the engine says, which knows what it wrote.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use engine::checkpoint::Base;

use crate::config::Origin;
use crate::record::{MetricRow, RecordError, write_atomically};

/// The figures of an evaluation that a card has: their metric, the hub's name of its kind, and how
/// people call it.
const FIGURES: [(&str, &str, &str); 3] = [
    ("accuracy", "accuracy", "Accuracy"),
    ("macro_f1", "f1", "Macro F1"),
    ("loss", "loss", "Loss"),
];

/// Evaluations that are splits of the data set; others are sets of their own.
const SPLITS: [&str; 2] = ["test", "validation"];

/// What a card tells of a run.
pub(super) struct Facts<'a> {
    /// `experiment/run@seed`.
    pub(super) label: &'a str,
    /// The file of the data set.
    pub(super) data: &'a Path,
    /// Its content.
    pub(super) sha256: Option<&'a str>,
    /// Texts that it was trained on.
    pub(super) trained: usize,
    /// The base model.
    pub(super) base: &'a Base,
    /// The scalars of the result.
    pub(super) metrics: &'a [MetricRow],
}

/// The base model as transformers loads it from any folder.
pub(super) fn base(origin: &Origin) -> Base {
    let absolute = |path: &Path| {
        let absolute = fs::canonicalize(path).or_else(|_| std::path::absolute(path));
        absolute
            .as_deref()
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    };
    match origin {
        Origin::Folder(folder) => Base::Folder(absolute(folder)),
        Origin::Random { config, .. } => Base::Drawn(config.to_string_lossy().into_owned()),
        Origin::Hub { id, revision } => Base::Hub {
            id: id.clone(),
            revision: revision.clone(),
        },
    }
}

impl Facts<'_> {
    /// What a person should know of the run, in Markdown.
    pub(super) fn description(&self) -> String {
        let mut text = format!(
            "Trained by ensayo as `{}` on {} texts of `{}`.\n\n\
             | evaluation | rows | accuracy | macro F1 | loss |\n|---|---|---|---|---|\n",
            self.label,
            self.trained,
            self.file()
        );
        for evaluation in self.evaluations() {
            let figure = |name: &str| match self.metric(evaluation, name) {
                Some(value) => format!("{value:.4}"),
                None => String::new(),
            };
            let rows = self.metric(evaluation, "rows").unwrap_or_default();
            // Into memory, which cannot fail.
            let _ = writeln!(
                text,
                "| {} | {rows} | {} | {} | {} |",
                evaluation.replace(['\n', '\r'], " ").replace('|', "\\|"),
                figure("accuracy"),
                figure("macro_f1"),
                figure("loss")
            );
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// Puts what the hub reads at the head of a card in the place of what stands there.
    ///
    /// # Errors
    /// When the card cannot be read or written.
    pub(super) fn complete(&self, card: &Path) -> Result<(), RecordError> {
        let text = fs::read_to_string(card).map_err(|source| RecordError::Read {
            path: card.to_owned(),
            source,
        })?;
        write_atomically(card, self.completed(&text).as_bytes())
    }

    fn completed(&self, card: &str) -> String {
        let head = card.strip_prefix("---\n");
        let body = head.and_then(|text| text.split_once("\n---\n"));
        let body = body.map_or(card, |(_, body)| body);
        format!("---\n{}---\n{body}", self.head())
    }

    /// The metadata, in YAML.
    fn head(&self) -> String {
        let mut text = String::new();
        // A folder of this machine means nothing to anybody else.
        if let Base::Hub { id, .. } = self.base {
            let _ = writeln!(
                text,
                "base_model: {}\nbase_model_relation: adapter",
                quoted(id)
            );
        }
        text.push_str(
            "library_name: peft\npipeline_tag: text-classification\ntags:\n- ensayo\n- lora\n- text-classification\n",
        );
        let results: String = self
            .evaluations()
            .into_iter()
            .filter_map(|evaluation| self.result(evaluation))
            .collect();
        if !results.is_empty() {
            let name = quoted(self.label);
            let _ = write!(text, "model-index:\n- name: {name}\n  results:\n{results}");
        }
        text
    }

    /// An evaluation's figures, as `model-index` has them; none where no figure is a number.
    fn result(&self, evaluation: &str) -> Option<String> {
        let mut metrics = String::new();
        for (metric, kind, name) in FIGURES {
            let value = self.metric(evaluation, metric);
            if let Some(value) = value.filter(|value| value.is_finite()) {
                let value = number(value);
                let _ = write!(
                    metrics,
                    "    - type: {kind}\n      value: {value}\n      name: {name}\n"
                );
            }
        }
        if metrics.is_empty() {
            return None;
        }
        let is_split = SPLITS.contains(&evaluation);
        let file = self.file();
        let name = if is_split { &file } else { evaluation };
        let kind = Path::new(name).file_stem().unwrap_or_default();
        let mut text = format!(
            "  - task:\n      type: text-classification\n      name: Text Classification\n    \
             dataset:\n      type: {}\n      name: {}\n",
            quoted(&kind.to_string_lossy()),
            quoted(name)
        );
        if is_split {
            let _ = writeln!(text, "      split: {evaluation}");
            if let Some(sha256) = self.sha256 {
                let _ = write!(text, "      args:\n        sha256: {}\n", quoted(sha256));
            }
        }
        let _ = write!(text, "    metrics:\n{metrics}");
        Some(text)
    }

    fn file(&self) -> String {
        let name = self.data.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The evaluations that have an accuracy, in their order.
    fn evaluations(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.metrics {
            if row.metric == "accuracy" && !names.contains(&row.evaluation.as_str()) {
                names.push(&row.evaluation);
            }
        }
        names
    }

    fn metric(&self, evaluation: &str, name: &str) -> Option<f64> {
        let mut rows = self.metrics.iter();
        let row = rows.find(|row| row.evaluation == evaluation && row.metric == name)?;
        Some(row.value)
    }
}

/// A number that YAML does not take for a text: it has a point and no exponent.
fn number(value: f64) -> String {
    let text = value.to_string();
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

/// A text in double quotes, as YAML reads it. What YAML does not allow in a file, or folds, is
/// written as an escape.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        let code = u32::from(letter);
        let is_plain = matches!(code, 0x20..=0x7e | 0xa0..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..)
            && !matches!(code, 0x2028 | 0x2029 | 0xfeff);
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if is_plain => quoted.push(letter),
            _ => {
                let _ = write!(quoted, "\\u{code:04X}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::*;

    fn metrics() -> Vec<MetricRow> {
        let figures = [
            ("test", "rows", 40.0),
            ("test", "accuracy", 0.825),
            ("test", "macro_f1", 0.8125),
            ("test", "loss", 0.000_000_5),
            ("cust\"om: \u{85}\u{2028}|1", "rows", 4.0),
            ("cust\"om: \u{85}\u{2028}|1", "accuracy", 1.0),
            ("cust\"om: \u{85}\u{2028}|1", "loss", f64::NAN),
        ];
        let row = |(evaluation, metric, value): (&str, &str, f64)| MetricRow {
            evaluation: evaluation.to_owned(),
            metric: metric.to_owned(),
            value,
        };
        figures.map(row).to_vec()
    }

    fn card(base: &Base) -> String {
        let facts = Facts {
            label: "toy/rank=4@1",
            data: Path::new("../some/reviews.csv"),
            sha256: Some("00ff"),
            trained: 160,
            base,
            metrics: &metrics(),
        };
        let engines = format!(
            "---\nbase_model: \"x\"\n---\n\n# LoRA adapter\n\n{}\n\n---\nlines to run\n",
            facts.description()
        );
        facts.completed(&engines)
    }

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
    }

    #[test]
    fn the_hub_reads_the_base_model_and_every_result() {
        let hub = Base::Hub {
            id: "owner/model".to_owned(),
            revision: "main".to_owned(),
        };
        for (name, base) in [("hub", hub), ("folder", Base::Folder("/secret".to_owned()))] {
            let path = fixtures().join("card").join(name).join("README.md");
            let card = card(&base);
            if std::env::var_os("ENSAYO_WRITE_FORMATS").is_some() {
                write_atomically(&path, card.as_bytes()).unwrap();
            }
            assert_eq!(card, fs::read_to_string(path).unwrap());
            assert!(!card.contains("secret"), "{card}");
            assert!(card.ends_with("\n\n---\nlines to run\n"), "{card}");
        }
        let text = fs::read_to_string(fixtures().join("read.json")).unwrap();
        let read = &serde_json::from_str::<Value>(&text).unwrap()["card"];
        assert_eq!(read["hub"]["base_model"], "owner/model");
        assert_eq!(read["folder"]["base_model"], Value::Null);
        for card in [&read["hub"], &read["folder"]] {
            assert_eq!(card["library_name"], "peft");
            assert_eq!(card["pipeline_tag"], "text-classification");
            assert_eq!(card["model_name"], "toy/rank=4@1");
            let results = card["eval_results"].as_array().unwrap();
            let figure = |index: usize, key: &str| &results[index][key];
            let values: Vec<&Value> = (0..results.len())
                .map(|index| figure(index, "metric_value"))
                .collect();
            assert_eq!(
                values,
                [&json!(0.825), &json!(0.8125), &json!(5e-7), &json!(1.0)]
            );
            assert_eq!(figure(1, "metric_type"), "f1");
            assert_eq!(figure(0, "dataset_name"), "reviews.csv");
            assert_eq!(figure(0, "dataset_type"), "reviews");
            assert_eq!(figure(0, "dataset_split"), "test");
            assert_eq!(figure(0, "dataset_args"), &json!({"sha256": "00ff"}));
            assert_eq!(figure(3, "dataset_name"), "cust\"om: \u{85}\u{2028}|1");
        }
    }
}
