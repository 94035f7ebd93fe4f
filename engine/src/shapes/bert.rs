//! BERT (arXiv 1810.04805) as transformers' `BertForSequenceClassification` lays it out. The model
//! itself reads the same [`BertConfig`].

use serde::{Deserialize, Serialize};

use super::architecture::{Network, Role};
use super::checks::{check_dropouts, check_scales, check_sizes, impossible};
use super::parts::Parts;
use super::{Shapes, ShapesError, Spelling};

/// BERT's `config.json`, with its exact key names and transformers' defaults; unknown keys are
/// ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BertConfig {
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Transformer layers.
    pub num_hidden_layers: usize,
    /// Attention heads; they share `hidden_size` evenly.
    pub num_attention_heads: usize,
    /// Width between the two linear layers of a feed-forward block.
    pub intermediate_size: usize,
    /// Activation between them.
    pub hidden_act: Activation,
    /// Dropout on embeddings and on the output of each block.
    pub hidden_dropout_prob: f64,
    /// Dropout on attention weights.
    pub attention_probs_dropout_prob: f64,
    /// Rows of the position embedding.
    pub max_position_embeddings: usize,
    /// Rows of the segment embedding.
    pub type_vocab_size: usize,
    /// Standard deviation of freshly drawn weights.
    pub initializer_range: f64,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f64,
    /// Token id of padding, where there is one.
    pub pad_token_id: Option<u32>,
    /// Dropout before the classification head; `hidden_dropout_prob` where it is not set.
    pub classifier_dropout: Option<f64>,
    /// How positions enter; only `absolute` is supported.
    pub position_embedding_type: Option<String>,
    /// Whether attention is causal; not supported.
    pub is_decoder: bool,
    /// Whether layers attend to another sequence; not supported.
    pub add_cross_attention: bool,
}

impl Default for BertConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: Activation::Gelu,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            initializer_range: 0.02,
            layer_norm_eps: 1e-12,
            pad_token_id: Some(0),
            classifier_dropout: None,
            position_embedding_type: None,
            is_decoder: false,
            add_cross_attention: false,
        }
    }
}

/// The spellings of BERT's checkpoints. Heads for pre-training stand under `cls`; old versions
/// stored the position numbers.
static CLASSIFIER_SPELLING: Spelling = Spelling {
    prefix: "bert.",
    fresh: &["bert.pooler.", "classifier."],
    ignored: &["cls.", "bert.cls.", "bert.embeddings.position_ids"],
};

/// The spellings of BERT's checkpoints where no head is wanted: poolers and heads of any task are
/// left aside.
pub(super) static BARE_SPELLING: Spelling = Spelling {
    prefix: "bert.",
    fresh: &[],
    ignored: &[
        "cls.",
        "classifier.",
        "qa_outputs.",
        "bert.cls.",
        "bert.pooler.",
        "bert.embeddings.position_ids",
    ],
};

/// Activation of the feed-forward block, by transformers' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * Phi(x)`, exact.
    Gelu,
    /// GELU's tanh approximation, as BERT's first code had it.
    GeluNew,
    /// GELU's tanh approximation, `gelu(approximate="tanh")`: the same function.
    GeluPytorchTanh,
    /// `max(x, 0)`.
    Relu,
    /// `x * sigmoid(x)`.
    #[serde(alias = "swish")]
    Silu,
}

impl BertConfig {
    /// Reads and checks the text of a `config.json`; its `model_type` is the caller's business.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, or the values contradict each other.
    pub fn read(config_json: &str) -> Result<Self, ShapesError> {
        let config: Self = serde_json::from_str(config_json)?;
        config.check()?;
        Ok(config)
    }

    /// Width of one attention head.
    #[must_use]
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Dropout before the head's last layer.
    #[must_use]
    pub fn head_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    pub(super) fn check(&self) -> Result<(), ShapesError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_hidden_layers", self.num_hidden_layers),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        check_sizes(&sizes)?;
        let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
        if !hidden.is_multiple_of(heads) {
            return Err(impossible(
                "hidden_size",
                format!("is {hidden}, which {heads} attention heads cannot share evenly"),
            ));
        }
        let dropouts = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
            ("classifier_dropout", self.classifier_dropout.unwrap_or(0.0)),
        ];
        check_dropouts(&dropouts)?;
        check_scales(self.layer_norm_eps, self.initializer_range)?;
        if let Some(pad) = self
            .pad_token_id
            .filter(|&pad| pad as usize >= self.vocab_size)
        {
            return Err(impossible(
                "pad_token_id",
                format!(
                    "is {pad}, but the vocabulary has {} entries",
                    self.vocab_size
                ),
            ));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => {
                return Err(impossible(
                    "position_embedding_type",
                    format!("is `{other}`; only `absolute` is supported"),
                ));
            }
        }
        if self.is_decoder {
            return Err(impossible(
                "is_decoder",
                "is true; only encoders are supported",
            ));
        }
        if self.add_cross_attention {
            return Err(impossible(
                "add_cross_attention",
                "is true; only encoders are supported",
            ));
        }
        Ok(())
    }

    /// The network that consists of `parts`.
    pub(super) fn shapes_of(
        &self,
        model_type: &'static str,
        spelling: &'static Spelling,
        parts: Parts,
    ) -> Shapes {
        parts.into_shapes(Shapes {
            model_type,
            spelling,
            tensors: Vec::new(),
            linears: Vec::new(),
            max_positions: self.max_position_embeddings,
            vocab_size: self.vocab_size,
            hidden_size: self.hidden_size,
            num_layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            relative_positions: 0,
        })
    }

    /// Embeddings and layers as parts of the module `prefix`.
    pub(super) fn parts(&self, prefix: &str) -> Parts {
        let hidden = self.hidden_size;
        let mut parts = Parts::default();
        for (name, rows) in [
            ("word", self.vocab_size),
            ("position", self.max_position_embeddings),
            ("token_type", self.type_vocab_size),
        ] {
            parts.embedding(
                &format!("{prefix}.embeddings.{name}_embeddings"),
                rows,
                hidden,
            );
        }
        parts.norm(&format!("{prefix}.embeddings.LayerNorm"), hidden);
        for index in 0..self.num_hidden_layers {
            let layer = format!("{prefix}.encoder.layer.{index}");
            for name in ["query", "key", "value"] {
                parts.linear(
                    format!("{layer}.attention.self.{name}"),
                    name,
                    Some(index),
                    hidden,
                    hidden,
                );
            }
            parts.block(&layer, index, hidden, self.intermediate_size);
        }
        parts
    }
}

impl Network for BertConfig {
    fn shapes(&self, role: Role) -> Option<Shapes> {
        let hidden = self.hidden_size;
        let mut parts = self.parts("bert");
        let spelling = match role {
            Role::Classifier { classes } => {
                let pooler = "bert.pooler.dense".to_owned();
                parts.linear(pooler, "pooler", None, hidden, hidden);
                parts.weight_and_bias("classifier", &[classes, hidden], true);
                &CLASSIFIER_SPELLING
            }
            Role::Embedder => &BARE_SPELLING,
            Role::Decoder => return None,
        };
        Some(self.shapes_of("bert", spelling, parts))
    }

    fn initializer_range(&self) -> f64 {
        self.initializer_range
    }

    fn override_dropout(&mut self, probability: f64) {
        self.hidden_dropout_prob = probability;
        self.attention_probs_dropout_prob = probability;
        self.classifier_dropout = Some(probability);
    }
}

#[cfg(test)]
mod tests;
