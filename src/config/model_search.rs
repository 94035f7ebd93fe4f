//! Settings of a `kind = "model-search"` run: a table of the hub's models as they are on the day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Model;
use super::kind::{Facts, KindSettings, inlined};

/// Searches the Hugging Face hub and keeps the table of models as of that day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSearchSettings {
    /// What to look for.
    pub search: ModelSearch,
}

pub(super) const FACTS: Facts = Facts {
    word: "model-search",
    classifies: false,
    numerics: 1,
    schema: inlined::<ModelSearchSettings>,
};

impl KindSettings for ModelSearchSettings {
    fn models(&self) -> Vec<(&'static str, &Model)> {
        Vec::new()
    }

    fn models_mut(&mut self) -> Vec<&mut Model> {
        Vec::new()
    }
}

/// Filters of which all must hold, and how much is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSearch {
    /// The hub's name of a task. By default any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["text-classification"]))]
    pub task: Option<String>,
    /// Tags, all of which a model must have.
    #[schemars(extend("examples" = [["license:mit"]]))]
    pub tags: Vec<String>,
    /// Codes of languages, all of which a model must have.
    #[schemars(extend("examples" = [["es"]]))]
    pub languages: Vec<String>,
    /// The library that a model is for. By default any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["transformers"]))]
    pub library: Option<String>,
    /// The user or organisation that a model belongs to. By default any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["FacebookAI"]))]
    pub author: Option<String>,
    /// A part of the name. By default any name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["bert"]))]
    pub contains: Option<String>,
    /// Words that the name must not contain; upper and lower case count alike.
    #[schemars(extend("examples" = [["gguf"]]))]
    pub without: Vec<String>,
    /// Order of the models, the most or the latest first.
    pub sort: ModelSort,
    /// Most models in the table.
    #[schemars(extend("minimum" = 1))]
    pub limit: usize,
    /// Also look into each model's configuration and the headers of its weights; no weights are
    /// fetched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub inspect: bool,
}

impl Default for ModelSearch {
    fn default() -> Self {
        Self {
            task: None,
            tags: Vec::new(),
            languages: Vec::new(),
            library: None,
            author: None,
            contains: None,
            without: Vec::new(),
            sort: ModelSort::Downloads,
            limit: 20,
            inspect: false,
        }
    }
}

/// What comes first; always the most or the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelSort {
    /// Downloads of the last thirty days.
    Downloads,
    /// Likes.
    Likes,
    /// Day of creation.
    Created,
    /// Day of the last change.
    Modified,
    /// The hub's own measure of what is popular now.
    Trending,
}
