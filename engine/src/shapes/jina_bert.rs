//! Jina BERT v2 (arXiv 2310.19923), as the checkpoints `jina-embeddings-v2-*` lay it out. The model
//! itself reads the same [`JinaBertConfig`].

use serde_json::{Map, Value};

use super::architecture::{Network, Role};
use super::bert::{BARE_SPELLING, BertConfig};
use super::checks::impossible;
use super::parts::Parts;
use super::{LinearShape, Shapes, ShapesError};

/// How the values between the two products of the feed-forward block are gated (arXiv 2002.05202).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// By an exact GELU.
    Geglu,
    /// By `max(x, 0)`.
    Reglu,
}

/// Jina BERT's `config.json`: BERT's keys, no position embeddings, a gated feed-forward block.
#[derive(Debug, Clone, PartialEq)]
pub struct JinaBertConfig {
    encoder: BertConfig,
    gate: Gate,
}

impl JinaBertConfig {
    /// Whether a `config.json` describes this architecture: its checkpoints have the `model_type`
    /// of BERT and differ from it in their positions.
    #[must_use]
    pub fn is_described_by(keys: &Map<String, Value>) -> bool {
        let text = |key: &str| keys.get(key).and_then(Value::as_str);
        text("position_embedding_type") == Some("alibi")
            && matches!(text("model_type"), Some("bert" | "jina_bert"))
    }

    /// Reads and checks the text of a `config.json`; its `model_type` is the caller's business.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, the values contradict each other, or it
    /// is a variant of the architecture that is not supported.
    pub fn read(config_json: &str) -> Result<Self, ShapesError> {
        let mut keys: Map<String, Value> = serde_json::from_str(config_json)?;
        keys.remove("position_embedding_type");
        if let Some(code) = keys.get("auto_map")
            && code.to_string().contains("qk-post-norm")
        {
            let problem = "names the code `jina-bert-v2-qk-post-norm`, a variant with norms of queries and keys that is not supported";
            return Err(impossible("auto_map", problem));
        }
        let gate = match keys.get("feed_forward_type").map_or("original", name_of) {
            "geglu" => Gate::Geglu,
            "reglu" => Gate::Reglu,
            other => {
                let problem = format!("is `{other}`; supported: geglu, reglu");
                return Err(impossible("feed_forward_type", problem));
            }
        };
        let encoder: BertConfig = serde_json::from_value(Value::Object(keys))?;
        encoder.check()?;
        Ok(Self { encoder, gate })
    }

    /// The keys shared with BERT.
    #[must_use]
    pub fn encoder(&self) -> &BertConfig {
        &self.encoder
    }

    /// The gate of the feed-forward block.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.gate
    }
}

impl Network for JinaBertConfig {
    /// An embedder only. `max_positions` is the length it was made for; nothing in it ends there.
    fn shapes(&self, role: Role) -> Option<Shapes> {
        if role != Role::Embedder {
            return None;
        }
        let config = &self.encoder;
        let hidden = config.hidden_size;
        let mut parts = Parts::default();
        for (name, rows) in [
            ("word", config.vocab_size),
            ("token_type", config.type_vocab_size),
        ] {
            let module = format!("bert.embeddings.{name}_embeddings");
            parts.embedding(&module, rows, hidden);
        }
        parts.norm("bert.embeddings.LayerNorm", hidden);
        for index in 0..config.num_hidden_layers {
            let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
            let layer = Some(index);
            for part in ["query", "key", "value"] {
                let module = name(&format!("attention.self.{part}"));
                parts.linear(module, part, layer, hidden, hidden);
            }
            let module = name("attention.output.dense");
            parts.linear(module, "attention_output", layer, hidden, hidden);
            parts.norm(&name("attention.output.LayerNorm"), hidden);
            let inner = config.intermediate_size;
            parts.linear_without_bias(LinearShape {
                module: name("mlp.gated_layers"),
                logical: "intermediate",
                layer,
                input: hidden,
                output: 2 * inner,
            });
            parts.linear(name("mlp.wo"), "output", layer, inner, hidden);
            parts.norm(&name("mlp.layernorm"), hidden);
        }
        Some(config.shapes_of("jina_bert", &BARE_SPELLING, parts))
    }

    fn initializer_range(&self) -> f64 {
        self.encoder.initializer_range
    }

    fn override_dropout(&mut self, probability: f64) {
        self.encoder.override_dropout(probability);
    }

    fn embeds_positions(&self) -> bool {
        false
    }
}

/// A text, or a word that no key allows.
fn name_of(value: &Value) -> &str {
    value.as_str().unwrap_or("not a text")
}
