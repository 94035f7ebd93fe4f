//! MPNet (arXiv 2004.09297) as transformers' `MPNetModel` lays it out. The model itself reads the same [`MpnetConfig`].

use serde_json::{Map, Value};

use super::bert::{BertConfig, impossible};
use super::sentence::Layout;
use super::{Shapes, ShapesError};

/// The id of padding, which the architecture fixes: positions begin behind it.
pub const PADDING: u32 = 1;

/// Distances that attention tells apart, which the architecture fixes too: `config.json` only says how many rows the table has.
pub const BUCKETS: usize = 32;

/// MPNet's `config.json`: BERT's keys but for segments, with defaults of its own, and the rows of the table of relative positions.
#[derive(Debug, Clone, PartialEq)]
pub struct MpnetConfig {
    encoder: BertConfig,
    bucket_rows: usize,
}

impl MpnetConfig {
    /// Reads and checks the text of a `config.json`; its `model_type` is the caller's business.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, or the values make no network.
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
                "is {}, of which none is left for a text",
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

    /// The tensors of the bare model.
    #[must_use]
    pub fn shapes(&self) -> Shapes {
        let config = &self.encoder;
        let hidden = config.hidden_size;
        let mut layout = Layout::new("mpnet");
        layout.weight("embeddings.word_embeddings", &[config.vocab_size, hidden]);
        layout.weight(
            "embeddings.position_embeddings",
            &[config.max_position_embeddings, hidden],
        );
        layout.norm("embeddings.LayerNorm", hidden);
        layout.weight(
            "encoder.relative_attention_bias",
            &[self.bucket_rows, config.num_attention_heads],
        );
        for index in 0..config.num_hidden_layers {
            let layer = format!("encoder.layer.{index}");
            for name in ["q", "k", "v", "o"] {
                layout.linear(&format!("{layer}.attention.attn.{name}"), hidden, hidden);
            }
            layout.norm(&format!("{layer}.attention.LayerNorm"), hidden);
            let inner = config.intermediate_size;
            layout.linear(&format!("{layer}.intermediate.dense"), hidden, inner);
            layout.linear(&format!("{layer}.output.dense"), inner, hidden);
            layout.norm(&format!("{layer}.output.LayerNorm"), hidden);
        }
        let used = config.max_position_embeddings - PADDING as usize - 1;
        layout.shapes("mpnet", config, used)
    }
}
