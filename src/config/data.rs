//! The `[data]` table: labelled texts and how they are split.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Labelled texts from a `.csv` or `.jsonl` file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The file. Exactly one of `path` and `steam` is written; with `steam`, this is where the
    /// reviews are put.
    #[serde(default, skip_serializing_if = "is_unset")]
    #[schemars(extend("x-path" = "file"))]
    pub path: PathBuf,
    /// Reviews of a game on Steam, fetched before the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steam: Option<SteamReviews>,
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
    /// Drop training rows whose text is also in the test or validation split.
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

/// `[data.steam]`: the latest reviews of a game, in columns `text` and `label` (1 where the author
/// recommends the game, 0 where not) and some more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SteamReviews {
    /// The game's number; it stands in the address of its page in the store.
    #[schemars(extend("minimum" = 1))]
    pub app: u64,
    /// Steam's name of a language, such as `english`, `spanish` or `schinese`, or `all`.
    #[serde(default = "default_language")]
    #[schemars(extend("pattern" = "^[a-z]+$"))]
    pub language: String,
    /// How many positive reviews; fewer where the game has fewer.
    pub positive: usize,
    /// How many negative reviews; fewer where the game has fewer.
    pub negative: usize,
    /// The order of the rows.
    #[serde(default)]
    pub order: ReviewOrder,
}

/// The order of reviews in their file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewOrder {
    /// A positive and a negative one by turns; what is left of the larger class comes last.
    #[default]
    Turns,
    /// All positive ones, then all negative ones.
    Class,
    /// The latest first, whatever their class.
    Latest,
}

fn is_unset(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

fn default_language() -> String {
    "english".to_owned()
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
