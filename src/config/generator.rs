//! The `[generator]` table: what answers from the chunks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::with_model::{OwnKeys, WithModel};

/// What answers from the chunks: a method without a model, or a decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Generator {
    /// No decoder.
    Simple(SimpleGenerator),
    /// A decoder.
    Model(WithModel<Phrases>),
}

impl Generator {
    /// What an answer says when the chunks have none, where the settings say so.
    #[must_use]
    pub fn not_found(&self) -> Option<&str> {
        match self {
            Self::Simple(generator) => generator.not_found.as_deref(),
            Self::Model(generator) => generator.own.not_found.as_deref(),
        }
    }

    /// What a chunk is cited by, where the settings say so.
    #[must_use]
    pub fn citation(&self) -> Option<&str> {
        match self {
            Self::Simple(generator) => generator.citation.as_deref(),
            Self::Model(generator) => generator.own.citation.as_deref(),
        }
    }
}

/// What the prompt asks a decoder to say, so that its answers can be judged by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// What an answer says when the chunks do not have it. By default a sentence in the question's
    /// language, or in English where that is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["The fragments do not say."]))]
    pub not_found: Option<String>,
    /// How a chunk is cited: a word, so that `Source` gives `[Source 7]`, or a pattern with
    /// `{number}` in it. By default the form that the template shows, if it shows one, else a word
    /// in the question's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["Source"]))]
    pub citation: Option<String>,
}

impl OwnKeys for Phrases {
    const KEYS: &'static [&'static str] = &["not_found", "citation"];
}

/// A generator that needs no model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimpleGenerator {
    /// A method that needs no model. Give either this or a model.
    pub kind: SimpleGeneration,
    /// What an answer says when the chunks do not have it. By default a sentence in the question's
    /// language, or in English where that is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["The fragments do not say."]))]
    pub not_found: Option<String>,
    /// How a chunk is cited: a word, so that `Source` gives `[Source 7]`, or a pattern with
    /// `{number}` in it. By default the form that the template shows, if it shows one, else a word
    /// in the question's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["Source"]))]
    pub citation: Option<String>,
}

/// How to answer without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SimpleGeneration {
    /// The sentences of the chunks that are nearest to the question.
    Extractive,
    /// No answer: retrieval alone is measured.
    None,
}
