//! The `[data]` table: labelled texts and how they are split.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Labelled texts from a `.csv` or `.jsonl` file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The file.
    #[schemars(extend("x-path" = "file"))]
    pub path: PathBuf,
    /// Name of the column (or key) with the text.
    #[serde(default = "default_text")]
    pub text: String,
    /// Name of the column (or key) with the label, an integer or a string.
    #[serde(default = "default_label")]
    pub label: String,
    /// Share of the rows that make the test split, as in `datasets`' `train_test_split`. Not
    /// together with `test_path`; 0.2 when a LoRA experiment gives neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub test_size: Option<f64>,
    /// A file of its own for the test split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "file"))]
    pub test_path: Option<PathBuf>,
    /// Share of the training rows set aside as a validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub validation_size: Option<f64>,
    /// Which rows are set aside: any, or of each class its share.
    #[serde(default, skip_serializing_if = "SplitKind::is_default")]
    pub split: SplitKind,
    /// Seed of the split, apart from the run's seed.
    #[serde(default = "default_split_seed")]
    pub split_seed: u64,
    /// Use only the first rows of `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1))]
    pub limit: Option<usize>,
    /// Drop training rows whose text also stands in the test or validation split.
    #[serde(default)]
    pub deduplicate: bool,
    /// Further named sets of labelled texts on which the trained model is evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluation>,
}

/// Which rows are set aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SplitKind {
    /// As `datasets`' `train_test_split` draws them, without a look at their classes.
    #[default]
    Random,
    /// Of each class its share: scikit-learn's `train_test_split` with `stratify`, and
    /// `split_seed` as its `random_state`.
    Stratified,
}

impl SplitKind {
    /// Left out of resolved settings, so that runs from before it could be chosen stay what they
    /// are.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn default_text() -> String {
    "text".to_owned()
}

fn default_label() -> String {
    "label".to_owned()
}

fn default_split_seed() -> u64 {
    42
}

/// A named set of labelled texts: exactly one of `path` and `rows` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Its name in the results; not `test`, `validation` or `run`.
    pub name: String,
    /// A file with the same columns as the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "file"))]
    pub path: Option<PathBuf>,
    /// The texts themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minItems" = 1))]
    pub rows: Option<Vec<Row>>,
}

/// A labelled text in a TOML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The text.
    pub text: String,
    /// Its label.
    pub label: Label,
}

/// A label as it is written: an integer or a string.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum Label {
    /// Such as `0` or `1`.
    Integer(i64),
    /// Such as `"positive"`.
    Text(String),
}
