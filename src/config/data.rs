//! The `[data]` table: labelled texts and how they are split.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Labelled texts from a `.csv` or `.jsonl` file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The file with the texts: `.csv` or `.jsonl`, in UTF-8. Give either this or `steam`. In the
    /// settings that a run leaves, it is also the file that reviews from Steam were written to.
    #[serde(default, skip_serializing_if = "is_unset")]
    #[schemars(extend("x-path" = "file", "examples" = ["../data/reviews.csv"]))]
    pub path: PathBuf,
    /// Reviews of a game on Steam, fetched before the first run. Give either this or `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steam: Option<SteamReviews>,
    /// Column of the CSV, or key of the JSONL, with the text.
    #[serde(default = "default_text")]
    pub text: String,
    /// Column or key with the label, an integer or a word.
    #[serde(default = "default_label")]
    pub label: String,
    /// Share of the rows set aside as the test split. Not together with `test_path`. Without
    /// either, a `lora` experiment takes 0.2, and a `prompt` experiment classifies every row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "examples" = [0.2]))]
    pub test_size: Option<f64>,
    /// A separate file with the test split, in the same columns. Not together with `test_size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "file", "examples" = ["../data/test.csv"]))]
    pub test_path: Option<PathBuf>,
    /// Share of the training rows set aside as a validation split, on which epochs may be chosen.
    /// By default there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "examples" = [0.1]))]
    pub validation_size: Option<f64>,
    /// How the rows that are set aside are drawn.
    #[serde(default, skip_serializing_if = "SplitKind::is_default")]
    #[schemars(extend("default" = "random"))]
    pub split: SplitKind,
    /// Seed of the split. The run's own seed does not change the split. Below 2^32 with `split =
    /// "stratified"`.
    #[serde(default = "default_split_seed")]
    pub split_seed: u64,
    /// Use only so many rows, from the top of the file, before any split. By default all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "examples" = [1000]))]
    pub limit: Option<usize>,
    /// Drop training rows whose text is also in the test or validation split. Without it, such
    /// rows are only counted in a note.
    #[serde(default)]
    pub deduplicate: bool,
    /// Further named sets of labelled texts to evaluate on, beside the test split.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [[{ "name": "custom", "path": "../data/custom.csv" }]]))]
    pub evaluations: Vec<Evaluation>,
}

/// How the rows that are set aside are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SplitKind {
    /// Whatever their classes, exactly as `train_test_split` of Hugging Face's `datasets` does.
    #[default]
    Random,
    /// The same share of each class, exactly as scikit-learn's `train_test_split` with `stratify`
    /// and `split_seed` as its `random_state` does.
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
    /// The game's number, which is part of the address of its page in the store.
    #[schemars(extend("minimum" = 1, "examples" = [322_170]))]
    pub app: u64,
    /// Steam's name of a language, such as `english`, `spanish` or `schinese`; `all` takes every
    /// language.
    #[serde(default = "default_language")]
    #[schemars(extend("pattern" = "^[a-z]+$"))]
    pub language: String,
    /// How many positive reviews, the latest ones; at least 1. A game with fewer gives what it has,
    /// and a note says so.
    #[schemars(extend("examples" = [10_000]))]
    pub positive: usize,
    /// How many negative reviews, the latest ones; at least 1.
    #[schemars(extend("examples" = [10_000]))]
    pub negative: usize,
    /// Order of the rows in the file.
    #[serde(default)]
    pub order: ReviewOrder,
}

/// The order of reviews in their file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewOrder {
    /// Positive and negative reviews alternate; what is left of the larger class comes last.
    #[default]
    Turns,
    /// All positive reviews, then all negative ones.
    Class,
    /// The latest review first, whatever its class.
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

/// A named set of labelled texts. Give either `path` or `rows`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Its name in the results; any but `test`, `validation` and `run`, which are taken.
    #[schemars(extend("examples" = ["custom"]))]
    pub name: String,
    /// A file with the texts, in the same columns as the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "file", "examples" = ["../data/custom.csv"]))]
    pub path: Option<PathBuf>,
    /// The texts themselves, with their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minItems" = 1, "examples" = [[{ "text": "I would buy it again.", "label": 1 }]]))]
    pub rows: Option<Vec<Row>>,
}

/// A labelled text in a TOML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The text.
    #[schemars(extend("examples" = ["I would buy it again."]))]
    pub text: String,
    /// Its label, as the data's column has it.
    #[schemars(extend("examples" = [1]))]
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
