//! Settings of a `kind = "prompt"` run: a decoder classifies labelled texts by following a prompt.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Data, Label, Model};

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
    /// How often a chunk is asked for at most, until an answer has the wanted form. Where the
    /// likeliest token is always taken, once: it would be said again.
    #[schemars(extend("minimum" = 1))]
    pub max_tries: usize,
    /// What stands between the labels of a chunk in an answer.
    #[schemars(extend("minLength" = 1))]
    pub separator: String,
    /// Labelled examples in the prompt, the first rows of the data (of its training rows, where it
    /// has a test split), or of `examples_path`; 0 is zero-shot.
    pub examples: usize,
    /// The same by their rows of the data, from 0, a CSV's header not counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub example_rows: Vec<usize>,
    /// A file with the same columns that examples are taken from: all of its rows, or the first
    /// `examples`.
    #[schemars(extend("x-path" = "file"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples_path: Option<PathBuf>,
    /// Leave the examples out of the rows that are classified.
    pub exclude_examples: bool,
    /// What stands for each class in prompts and answers; the class's name where nothing is set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<ClassWord>,
    /// Divide by what the decoder says of texts without content, in mode `likelihood`: it likes some
    /// words better whatever the text.
    pub calibration: bool,
}

/// What stands for a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassWord {
    /// The label in the data.
    pub class: Label,
    /// The word for it.
    #[schemars(extend("minLength" = 1))]
    pub word: String,
}

impl Default for Classification {
    fn default() -> Self {
        Self {
            mode: ClassificationMode::Chunks,
            chunk_size: 15,
            max_tries: 10,
            separator: ",".to_owned(),
            examples: 0,
            example_rows: Vec::new(),
            examples_path: None,
            exclude_examples: false,
            words: Vec::new(),
            calibration: false,
        }
    }
}

impl Classification {
    /// Whether prompts have labelled examples.
    #[must_use]
    pub fn has_examples(&self) -> bool {
        self.examples > 0 || !self.example_rows.is_empty() || self.examples_path.is_some()
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

/// How an answer is drawn. What is not set is left to the model's own generation config, and what
/// that does not say to transformers' defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generation {
    /// Tokens after which an answer is cut; 256 where neither this nor the model says so.
    #[schemars(extend("minimum" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_new_tokens: Option<usize>,
    /// Divides the logits before sampling; 0 always takes the likeliest token.
    #[schemars(extend("minimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Sample from the likeliest tokens only: this many; 0 for all.
    #[schemars(extend("minimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Sample from the likeliest tokens only: those that together have this probability.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Sample from tokens only that have at least this share of the likeliest one's probability.
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f64>,
    /// Divides the logits of tokens that were there before; 1 changes nothing.
    #[schemars(extend("exclusiveMinimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
    /// Texts that end an answer, which ends before them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Prompts that are answered side by side at most; 8 where it is not set. The answers do not
    /// depend on it.
    #[schemars(extend("minimum" = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_once: Option<usize>,
}

impl Generation {
    /// Prompts that are answered side by side where nothing is set.
    const AT_ONCE: usize = 8;

    /// Prompts that are answered side by side at most.
    #[must_use]
    pub fn rows_at_once(&self) -> usize {
        self.at_once.unwrap_or(Self::AT_ONCE).max(1)
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
    /// A chat's system message. Without it, the chat template puts its own, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The day that a chat template is told, as `2024-07-26`, which it also is where it is not set:
    /// prompts do not change overnight.
    #[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
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
