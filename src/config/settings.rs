//! The three kinds of experiment under one roof.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use super::{LoraSettings, Model, PromptSettings, RagSettings};

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
}

impl Settings {
    /// Which kind of experiment these are the settings of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Lora(_) => Kind::Lora,
            Self::Prompt(_) => Kind::Prompt,
            Self::Rag(_) => Kind::Rag,
        }
    }

    /// Rows that go through the network at once, where they may be fewer for the same result but for rounding.
    #[must_use]
    pub fn rows_at_once(&self) -> Option<usize> {
        match self {
            Self::Lora(settings) => Some(settings.training.rows_at_once()),
            Self::Prompt(_) | Self::Rag(_) => None,
        }
    }

    /// The models that the run loads, each with the table it is set in.
    #[must_use]
    pub fn models(&self) -> Vec<(&'static str, &Model)> {
        use super::{Embedder, Generator};
        match self {
            Self::Lora(settings) => vec![("model", &settings.model)],
            Self::Prompt(settings) => vec![("model", &settings.model)],
            Self::Rag(settings) => {
                let mut models = Vec::new();
                if let Embedder::Model(model) = &settings.embedder {
                    models.push(("embedder", model));
                }
                if let Generator::Model(model) = &settings.generator {
                    models.push(("generator", model));
                }
                models
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
}

impl Kind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Lora, Self::Prompt, Self::Rag];

    /// The word in a TOML: `lora`, `prompt` or `rag`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lora => "lora",
            Self::Prompt => "prompt",
            Self::Rag => "rag",
        }
    }

    /// The kind that a TOML's word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// JSON Schema of this kind's settings with everything inlined, as the structs describe them.
    pub(super) fn settings_schema(self) -> Schema {
        match self {
            Self::Lora => inlined::<LoraSettings>(),
            Self::Prompt => inlined::<PromptSettings>(),
            Self::Rag => inlined::<RagSettings>(),
        }
    }
}

/// JSON Schema of a struct with everything inlined.
pub(super) fn inlined<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
