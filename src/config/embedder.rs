//! The `[embedder]` table: what turns texts into something comparable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::with_model::{OwnKeys, WithModel};

/// What turns texts into something comparable: a lexical method, or a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Embedder {
    /// Word statistics; needs no model.
    Lexical(LexicalEmbedder),
    /// A sentence encoder.
    Model(WithModel<Prefixes>),
}

/// What goes before a text when it is embedded. What is not set is what the checkpoint says in
/// `config_sentence_transformers.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    /// Goes before every question, such as `"query: "`. By default the checkpoint's prompt for
    /// queries; `""` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_prefix: Option<String>,
    /// Goes before every chunk, such as `"passage: "`. By default the checkpoint's prompt for
    /// documents; `""` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_prefix: Option<String>,
}

impl OwnKeys for Prefixes {
    const KEYS: &'static [&'static str] = &["query_prefix", "document_prefix"];
}

/// An embedder that counts words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LexicalEmbedder {
    /// Which statistics.
    pub kind: Lexical,
}

/// Word statistics. They have their own similarity and ignore `retrieval.metric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lexical {
    /// Okapi BM25.
    Bm25,
    /// Cosine of TF-IDF vectors.
    Tfidf,
}
