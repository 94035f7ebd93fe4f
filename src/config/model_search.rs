//! Settings of a `kind = "model-search"` run: a table of the hub's models as they are on the day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Model;
use super::kind::{Facts, KindSettings, inlined};

/// Everything that decides which models one run asks for.
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
    /// A task, such as `text-classification`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Tags, such as `license:mit`.
    pub tags: Vec<String>,
    /// Languages, such as `es`.
    pub languages: Vec<String>,
    /// A library, such as `transformers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// A user or an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Words that the name must not have, in any case.
    pub without: Vec<String>,
    /// What comes first.
    pub sort: ModelSort,
    /// The most models that are wanted.
    #[schemars(extend("minimum" = 1))]
    pub limit: usize,
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
    /// When it was made.
    Created,
    /// When it was changed.
    Modified,
    /// What is talked about.
    Trending,
}
