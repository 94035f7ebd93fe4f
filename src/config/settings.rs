//! The kinds of experiment under one roof.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::draft::Check;
use super::kind::{Facts, KindSettings};
use super::rules::{Fields, Rule};
use super::{
    LoraSettings, Model, ModelSearchSettings, Origin, PromptSettings, RagSettings, lora,
    model_search, prompt, rag,
};

/// Everything that decides the result of one run, except its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Settings {
    /// LoRA fine-tuning of an encoder.
    Lora(LoraSettings),
    /// A decoder prompted as a classifier.
    Prompt(PromptSettings),
    /// Retrieval and answers over a document.
    Rag(RagSettings),
    /// A table of the hub's models.
    #[serde(rename = "model-search")]
    ModelSearch(ModelSearchSettings),
}

impl Settings {
    /// Which kind of experiment these are the settings of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Lora(_) => Kind::Lora,
            Self::Prompt(_) => Kind::Prompt,
            Self::Rag(_) => Kind::Rag,
            Self::ModelSearch(_) => Kind::ModelSearch,
        }
    }

    fn of_kind(&self) -> &dyn KindSettings {
        match self {
            Self::Lora(settings) => settings,
            Self::Prompt(settings) => settings,
            Self::Rag(settings) => settings,
            Self::ModelSearch(settings) => settings,
        }
    }

    /// The same for the check that completes them.
    pub(super) fn as_check(&mut self) -> &mut dyn Check {
        match self {
            Self::Lora(settings) => settings,
            Self::Prompt(settings) => settings,
            Self::Rag(settings) => settings,
            Self::ModelSearch(settings) => settings,
        }
    }

    /// Rows that go through the network at once, where fewer would change results by no more than
    /// rounding.
    #[must_use]
    pub fn rows_at_once(&self) -> Option<usize> {
        self.of_kind().rows_at_once()
    }

    /// The models that the run loads, each with the table it is set in.
    #[must_use]
    pub fn models(&self) -> Vec<(&'static str, &Model)> {
        self.of_kind().models()
    }

    /// Takes each model of the hub at the commit that `commit` gives for its name and revision. What
    /// it gives none for stays as it is written.
    pub fn pin(&mut self, mut commit: impl FnMut(&str, &str) -> Option<String>) {
        for model in self.as_check().models_mut() {
            if let Origin::Hub { id, revision } = &mut model.origin
                && let Some(commit) = commit(id, revision)
            {
                *revision = commit;
            }
        }
    }
}

/// A kind of experiment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// LoRA fine-tuning of an encoder.
    Lora,
    /// A decoder prompted as a classifier.
    Prompt,
    /// Retrieval and answers over a document.
    Rag,
    /// A table of the hub's models.
    #[serde(rename = "model-search")]
    ModelSearch,
}

impl Kind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Lora, Self::Prompt, Self::Rag, Self::ModelSearch];

    fn facts(self) -> Facts {
        match self {
            Self::Lora => lora::FACTS,
            Self::Prompt => prompt::FACTS,
            Self::Rag => rag::FACTS,
            Self::ModelSearch => model_search::FACTS,
        }
    }

    /// The word in a TOML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.facts().word
    }

    /// The kind that a TOML's word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The version of its results: raised whenever the same settings, seed and inputs begin to give
    /// others.
    #[must_use]
    pub fn numerics(self) -> u32 {
        self.facts().numerics
    }

    /// Whether its runs give each row of a data set a class.
    pub(super) fn classifies(self) -> bool {
        self.facts().classifies
    }

    /// The words of the kinds that classify, as a sentence has them.
    pub(super) fn classifiers() -> String {
        let kinds = Self::ALL.into_iter().filter(|kind| kind.classifies());
        let words: Vec<&str> = kinds.map(Self::as_str).collect();
        words.join(" and ")
    }

    /// The tables that an experiment of this kind may have, without `name`, `seeds`, `[[runs]]` and
    /// the like.
    pub(super) fn fields(self) -> Fields {
        match Rule::read(self.settings_schema().as_value()) {
            Rule::Table(fields) => fields,
            _ => Fields::default(),
        }
    }

    /// JSON Schema of this kind's settings with everything inlined, as the structs describe them.
    pub(super) fn settings_schema(self) -> Schema {
        (self.facts().schema)()
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
