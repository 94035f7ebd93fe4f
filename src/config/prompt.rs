//! Settings of a `kind = "prompt"` run: a decoder classifies labelled texts by following a prompt.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Data, Model};

/// Everything that decides the result of one prompting run, except its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptSettings {
    /// The decoder that is prompted.
    pub model: Model,
    /// The labelled texts. Without `test_size` and `test_path`, all rows are classified.
    pub data: Data,
    /// How the decoder is used as a classifier.
    pub classification: Classification,
    /// How an answer is drawn.
    #[serde(default)]
    pub generation: Generation,
    /// What the decoder is asked.
    pub prompt: Prompt,
}

pub(super) const FACTS: Facts = Facts {
    word: "prompt",
    numerics: 1,
    classifies: true,
    schema: inlined::<PromptSettings>,
};

impl KindSettings for PromptSettings {
    fn models(&self) -> Vec<(&'static str, &Model)> {
        vec![("model", &self.model)]
    }

    fn models_mut(&mut self) -> Vec<&mut Model> {
        vec![&mut self.model]
    }
}

/// How a decoder is used as a classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Classification {
    /// How labels are read from the decoder.
    pub mode: ClassificationMode,
    /// Texts in one prompt, in mode `chunks`.
    #[schemars(extend("minimum" = 1))]
    pub chunk_size: usize,
    /// Labelled examples in the prompt, the first rows of the data; 0 is zero-shot.
    pub examples: usize,
    /// Leave the examples out of the rows that are classified.
    pub exclude_examples: bool,
}

impl Default for Classification {
    fn default() -> Self {
        Self {
            mode: ClassificationMode::Chunks,
            chunk_size: 15,
            examples: 0,
            exclude_examples: false,
        }
    }
}

/// How labels are read from a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClassificationMode {
    /// Several texts in one prompt, the labels read from the generated answer.
    Chunks,
    /// One text in a prompt, the label with the highest likelihood.
    Likelihood,
}

/// How an answer is drawn. What is not set is left to the model's own generation config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generation {
    /// Tokens after which an answer is cut.
    #[schemars(extend("minimum" = 1))]
    pub max_new_tokens: usize,
    /// Divides the logits before sampling; 0 always takes the likeliest token.
    #[schemars(extend("minimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Sample from the likeliest tokens only: this many.
    #[schemars(extend("minimum" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Sample from the likeliest tokens only: those that together have this probability.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Divides the logits of tokens that were there before; 1 changes nothing.
    #[schemars(extend("exclusiveMinimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            max_new_tokens: 256,
            temperature: None,
            top_k: None,
            top_p: None,
            repetition_penalty: None,
        }
    }
}

/// What the decoder is asked. Exactly one of `template` and `template_file` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Whether the text is fed as it is or as a chat's user message.
    #[serde(default)]
    pub format: PromptFormat,
    /// A minijinja template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// A file with a minijinja template.
    #[schemars(extend("x-path" = "file"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_file: Option<PathBuf>,
}

/// Whether a prompt is fed as it is or as a chat's user message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromptFormat {
    /// As it is.
    #[default]
    Raw,
    /// Through the model's own chat template.
    Chat,
}
