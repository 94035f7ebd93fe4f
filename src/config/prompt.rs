//! Settings of a `kind = "prompt"` run: a decoder classifies labelled texts by following a prompt.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Data, Label, Model};

/// Asks a decoder for the class of each text, without training it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptSettings {
    /// The decoder that is prompted.
    pub model: Model,
    /// The labelled texts.
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
    /// How often a chunk is asked for at most, in mode `chunks`, until its answer is a list of the
    /// right number of labels. With `temperature = 0` once, since the answer would be the same.
    #[schemars(extend("minimum" = 1))]
    pub max_tries: usize,
    /// What separates the labels in an answer, in mode `chunks`.
    #[schemars(extend("minLength" = 1))]
    pub separator: String,
    /// Labelled examples in the prompt; 0 is zero-shot. They are the first rows of `examples_path`
    /// if that is set, else of the training rows, else (without a test split) of the data.
    #[schemars(extend("examples" = [5]))]
    pub examples: usize,
    /// Instead of `examples`: their rows in the data, counted from 0 without a CSV's header.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [[3, 8]]))]
    pub example_rows: Vec<usize>,
    /// A file, in the same columns, that the examples are taken from: the first `examples` rows,
    /// or all of them if that is not set.
    #[schemars(extend("x-path" = "file", "examples" = ["../data/shots.csv"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples_path: Option<PathBuf>,
    /// Leave the examples out of the rows that are classified.
    pub exclude_examples: bool,
    /// The word for each class in prompts and answers. By default the label itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [[{ "class": 0, "word": "bad" }, { "class": 1, "word": "good" }]]))]
    pub words: Vec<ClassWord>,
    /// Divide each word's probability by the one it has after texts without content, in mode
    /// `likelihood`, since a decoder prefers some words whatever the text.
    pub calibration: bool,
}

/// What stands for a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassWord {
    /// The label in the data.
    #[schemars(extend("examples" = [0]))]
    pub class: Label,
    /// The word for it. One that follows a space in the prompt begins with that space.
    #[schemars(extend("minLength" = 1, "examples" = [" bad"]))]
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
    /// Several texts in one prompt; the labels are read from the answer.
    Chunks,
    /// One text in a prompt; the class whose word is likeliest to follow.
    Likelihood,
}

/// How an answer is drawn. What is not set is left to the model's own generation config, and what
/// that does not say to transformers' defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generation {
    /// Tokens after which an answer is cut. By default the model's own, else 256.
    #[schemars(extend("minimum" = 1, "examples" = [45]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_new_tokens: Option<usize>,
    /// Divides the logits before sampling; 0 always takes the likeliest token. By default the
    /// model's own, else 0.7.
    #[schemars(extend("minimum" = 0, "examples" = [0.7]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Sample only from so many of the likeliest tokens; 0 takes all. By default the model's own,
    /// else 50.
    #[schemars(extend("minimum" = 0, "examples" = [20]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Sample only from the likeliest tokens that together have this probability; 1 takes all. By
    /// default the model's own, else 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "examples" = [0.9]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Sample only from tokens with at least this share of the likeliest one's probability; 0
    /// takes all. By default the model's own, else 0.
    #[schemars(extend("minimum" = 0, "maximum" = 1, "examples" = [0.05]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f64>,
    /// Makes tokens that occurred before less likely, if it is above 1, in the way transformers
    /// does; 1 changes nothing. By default the model's own, else 1.
    #[schemars(extend("exclusiveMinimum" = 0, "examples" = [1.05]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
    /// Texts before which an answer ends. By default only the model's own tokens end it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["\n\n"]]))]
    pub stop: Vec<String>,
    /// Most prompts that are answered at the same time: more are faster and take more memory, and
    /// answers do not depend on it.
    #[schemars(extend("minimum" = 1, "default" = 8))]
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
    /// How the model gets the prompt.
    #[serde(default)]
    pub format: PromptFormat,
    /// The prompt as a minijinja template. Give either this or `template_file`. For `kind =
    /// "prompt"` it has `reviews`, `count`, `examples` and `classes`, in mode `likelihood` also
    /// `review`; for `kind = "rag"` it has `question`, `fragments` and `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Is this review positive? {{ review.text }}\nAnswer:"]))]
    pub template: Option<String>,
    /// A file with the template.
    #[schemars(extend("x-path" = "file", "examples" = ["prompts/reviews.txt"]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_file: Option<PathBuf>,
    /// System message of a chat; needs `format = "chat"`. By default the chat template's own, if
    /// it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["You answer in digits."]))]
    pub system: Option<String>,
    /// Day that chat templates which ask for today's date are given. It is fixed, so that prompts
    /// do not change overnight.
    #[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "default" = "2024-07-26"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// How the model gets a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromptFormat {
    /// As plain text.
    #[default]
    Raw,
    /// As the user's message in the model's own chat template.
    Chat,
}
