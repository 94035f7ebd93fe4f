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
    /// Text put before every question. By default the prompt for queries in the checkpoint's
    /// `config_sentence_transformers.json`; `""` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["query: "]))]
    pub query_prefix: Option<String>,
    /// Text put before every chunk. By default the checkpoint's prompt for documents; `""` is
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["passage: "]))]
    pub document_prefix: Option<String>,
}

impl OwnKeys for Prefixes {
    const KEYS: &'static [&'static str] = &["query_prefix", "document_prefix"];
}

/// An embedder that counts words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LexicalEmbedder {
    /// Word statistics, which need no model. Give either this or a model.
    pub kind: Lexical,
}

/// Word statistics. They have their own similarity and ignore `retrieval.metric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lexical {
    /// BM25 in Lucene's variant, with k1 1.2 and b 0.75.
    Bm25,
    /// Cosine of TF-IDF vectors as scikit-learn computes them.
    Tfidf,
}
