//! MPNet (arXiv 2004.09297) as transformers' `MPNetModel` lays it out. The model itself reads the
//! same [`MpnetConfig`].

use serde_json::{Map, Value};

use super::architecture::{Network, Role};
use super::bert::BertConfig;
use super::checks::impossible;
use super::parts::Parts;
use super::{Shapes, ShapesError, Spelling};

/// The id of padding, which the architecture fixes: positions begin after it.
pub const PADDING: u32 = 1;

/// Buckets that attention sorts distances into, a number that the architecture fixes too:
/// `config.json` only says how many rows the table has.
pub const BUCKETS: usize = 32;

/// The spellings of MPNet's checkpoints; poolers and heads of other tasks are left aside.
static SPELLING: Spelling = Spelling {
    prefix: "mpnet.",
    fresh: &[],
    ignored: &[
        "lm_head.",
        "classifier.",
        "qa_outputs.",
        "mpnet.pooler.",
        "mpnet.embeddings.position_ids",
    ],
};

/// MPNet's `config.json`: BERT's keys but for segments, with defaults of its own, and the rows of
/// the table of relative positions.
#[derive(Debug, Clone, PartialEq)]
pub struct MpnetConfig {
    encoder: BertConfig,
    bucket_rows: usize,
}

impl MpnetConfig {
    /// Reads and checks the text of a `config.json`; its `model_type` is the caller's business.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, or the values contradict each other.
    pub fn read(config_json: &str) -> Result<Self, ShapesError> {
        let mut keys: Map<String, Value> = serde_json::from_str(config_json)?;
        keys.entry("vocab_size").or_insert(30_527.into());
        keys.entry("pad_token_id").or_insert(PADDING.into());
        let bucket_rows = match keys.get("relative_attention_num_buckets") {
            Some(value) => serde_json::from_value(value.clone())?,
            None => BUCKETS,
        };
        let encoder: BertConfig = serde_json::from_value(Value::Object(keys))?;
        encoder.check()?;
        if !(BUCKETS..=1 << 20).contains(&bucket_rows) {
            let problem = format!("is {bucket_rows}, but the architecture uses {BUCKETS} buckets");
            return Err(impossible("relative_attention_num_buckets", problem));
        }
        if encoder.max_position_embeddings <= PADDING as usize + 1 {
            let problem = format!(
                "is {}, which leaves no position for a text",
                encoder.max_position_embeddings
            );
            return Err(impossible("max_position_embeddings", problem));
        }
        Ok(Self {
            encoder,
            bucket_rows,
        })
    }

    /// The keys shared with BERT.
    #[must_use]
    pub fn encoder(&self) -> &BertConfig {
        &self.encoder
    }

    /// Rows of the table of relative positions, of which [`BUCKETS`] are used.
    #[must_use]
    pub fn bucket_rows(&self) -> usize {
        self.bucket_rows
    }
}

impl Network for MpnetConfig {
    /// An embedder only.
    fn shapes(&self, role: Role) -> Option<Shapes> {
        if role != Role::Embedder {
            return None;
        }
        let config = &self.encoder;
        let hidden = config.hidden_size;
        let mut parts = Parts::default();
        for (name, rows) in [
            ("word", config.vocab_size),
            ("position", config.max_position_embeddings),
        ] {
            let module = format!("mpnet.embeddings.{name}_embeddings");
            parts.embedding(&module, rows, hidden);
        }
        parts.norm("mpnet.embeddings.LayerNorm", hidden);
        parts.embedding(
            "mpnet.encoder.relative_attention_bias",
            self.bucket_rows,
            config.num_attention_heads,
        );
        for index in 0..config.num_hidden_layers {
            let name = |part: &str| format!("mpnet.encoder.layer.{index}.{part}");
            let layer = Some(index);
            for (part, logical) in [
                ("q", "query"),
                ("k", "key"),
                ("v", "value"),
                ("o", "attention_output"),
            ] {
                let module = name(&format!("attention.attn.{part}"));
                parts.linear(module, logical, layer, hidden, hidden);
            }
            parts.norm(&name("attention.LayerNorm"), hidden);
            let inner = config.intermediate_size;
            let module = name("intermediate.dense");
            parts.linear(module, "intermediate", layer, hidden, inner);
            parts.linear(name("output.dense"), "output", layer, inner, hidden);
            parts.norm(&name("output.LayerNorm"), hidden);
        }
        Some(Shapes {
            max_positions: config.max_position_embeddings - PADDING as usize - 1,
            ..config.shapes_of("mpnet", &SPELLING, parts)
        })
    }

    fn initializer_range(&self) -> f64 {
        self.encoder.initializer_range
    }

    fn override_dropout(&mut self, probability: f64) {
        self.encoder.override_dropout(probability);
    }
}
