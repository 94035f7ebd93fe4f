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
    /// What an answer says when the chunks have none. By default in the question's language, or
    /// English where that is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1))]
    pub not_found: Option<String>,
    /// What a chunk is cited by: a word, `Source` for `[Source 7]`, or a pattern with `{number}` in
    /// it. By default in the question's language, as `not_found`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1))]
    pub citation: Option<String>,
}

impl OwnKeys for Phrases {
    const KEYS: &'static [&'static str] = &["not_found", "citation"];
}

/// A generator that needs no model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimpleGenerator {
    /// Which method.
    pub kind: SimpleGeneration,
    /// What an extractive answer says when no sentence has anything to do with the question. By
    /// default in the question's language, or English where that is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1))]
    pub not_found: Option<String>,
    /// What a chunk is cited by: a word, `Source` for `[Source 7]`, or a pattern with `{number}` in
    /// it. By default in the question's language, as `not_found`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1))]
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
