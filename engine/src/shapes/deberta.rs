//! DeBERTa-v2 and v3 (arXiv 2006.03654, 2111.09543) as transformers'
//! `DebertaV2ForSequenceClassification` lays them out. The model itself reads the same
//! [`DebertaV2Config`].

use serde::{Deserialize, Serialize};

use super::architecture::{Network, Role};
use super::bert::Activation;
use super::checks::{check_dropouts, check_scales, check_sizes, impossible};
use super::parts::Parts;
use super::{Shapes, ShapesError, Spelling};

/// DeBERTa's `config.json`, with its exact key names and transformers' defaults; unknown keys are
/// ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)]
pub struct DebertaV2Config {
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
    /// Dropout on embeddings, on relative positions and on the output of each block.
    pub hidden_dropout_prob: f64,
    /// Dropout on attention weights.
    pub attention_probs_dropout_prob: f64,
    /// Tokens of the longest text.
    pub max_position_embeddings: usize,
    /// Rows of the segment embedding; only 0 is supported.
    pub type_vocab_size: usize,
    /// Standard deviation of freshly drawn weights.
    pub initializer_range: f64,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f64,
    /// Whether attention sees relative positions; it must.
    pub relative_attention: bool,
    /// The largest distance with a row of its own; `max_position_embeddings` where it is below 1.
    pub max_relative_positions: i64,
    /// Distances in each direction after those further away have been put together logarithmically;
    /// below 1 where each distance stays alone.
    pub position_buckets: i64,
    /// What is done to the table of relative positions: `none` or `layer_norm`.
    pub norm_rel_ebd: String,
    /// Whether relative positions go through the projections of queries and keys rather than
    /// through some of their own.
    pub share_att_key: bool,
    /// `c2p` (content to position), `p2c`, or both in any order, as a list or with `|` in between.
    pub pos_att_type: Option<PosAttType>,
    /// Whether absolute positions are added to the words; not supported.
    pub position_biased_input: bool,
    /// Token id of padding, where there is one.
    pub pad_token_id: Option<u32>,
    /// Width of the pooler; only `hidden_size` is supported.
    pub pooler_hidden_size: Option<usize>,
    /// Dropout before the pooler.
    pub pooler_dropout: f64,
    /// Activation after the pooler.
    pub pooler_hidden_act: Activation,
    /// Dropout before the classifier; `hidden_dropout_prob` where it is not set.
    pub cls_dropout: Option<f64>,
    /// Width of the word embedding; only `hidden_size` is supported.
    pub embedding_size: Option<usize>,
    /// Width of an attention head; only an even share of `hidden_size` is supported.
    pub attention_head_size: Option<usize>,
    /// Width of a convolution beside the first layer; not supported.
    pub conv_kernel_size: Option<i64>,
    /// How often the last layer is applied; only once is supported.
    pub z_steps: Option<i64>,
}

/// The spellings of DeBERTa's checkpoints. Those of pre-training carry heads for masked words and
/// replaced words, and tables of absolute positions that the encoder does not read; they have no
/// pooler.
static SPELLING: Spelling = Spelling {
    prefix: "deberta.",
    fresh: &["pooler.", "classifier."],
    ignored: &[
        "cls.",
        "deberta.cls.",
        "lm_predictions.",
        "deberta.lm_predictions.",
        "mask_predictions.",
        "deberta.mask_predictions.",
        "deberta.embeddings.position_embeddings.",
        "deberta.embeddings.position_ids",
        // What the pre-training of v3 added to the generator's words.
        "deberta.embeddings.word_embeddings._weight",
    ],
};

/// The terms of attention that see positions, in either of the spellings that checkpoints use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PosAttType {
    /// `p2c|c2p`.
    Joined(String),
    /// `["p2c", "c2p"]`.
    List(Vec<String>),
}

impl PosAttType {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Joined(text) => text
                .to_lowercase()
                .split('|')
                .map(|name| name.trim().to_owned())
                .collect(),
            Self::List(names) => names.clone(),
        }
    }
}

impl Default for DebertaV2Config {
    fn default() -> Self {
        Self {
            vocab_size: 128_100,
            hidden_size: 1536,
            num_hidden_layers: 24,
            num_attention_heads: 24,
            intermediate_size: 6144,
            hidden_act: Activation::Gelu,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            max_position_embeddings: 512,
            type_vocab_size: 0,
            initializer_range: 0.02,
            layer_norm_eps: 1e-7,
            relative_attention: false,
            max_relative_positions: -1,
            position_buckets: -1,
            norm_rel_ebd: "none".to_owned(),
            share_att_key: false,
            pos_att_type: None,
            position_biased_input: true,
            pad_token_id: Some(0),
            pooler_hidden_size: None,
            pooler_dropout: 0.0,
            pooler_hidden_act: Activation::Gelu,
            cls_dropout: None,
            embedding_size: None,
            attention_head_size: None,
            conv_kernel_size: None,
            z_steps: None,
        }
    }
}

impl DebertaV2Config {
    /// Reads and checks the text of a `config.json`; its `model_type` is the caller's business.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, or the values describe no network that
    /// is supported.
    pub fn read(config_json: &str) -> Result<Self, ShapesError> {
        let config: Self = serde_json::from_str(config_json)?;
        config.check()?;
        Ok(config)
    }

    /// Dropout before the classifier.
    #[must_use]
    pub fn head_dropout(&self) -> f64 {
        self.cls_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// Whether queries see the positions of keys.
    #[must_use]
    pub fn content_to_position(&self) -> bool {
        self.has_term("c2p")
    }

    /// Whether keys see the positions of queries.
    #[must_use]
    pub fn position_to_content(&self) -> bool {
        self.has_term("p2c")
    }

    fn has_term(&self, name: &str) -> bool {
        self.terms().iter().any(|term| term == name)
    }

    fn terms(&self) -> Vec<String> {
        self.pos_att_type
            .as_ref()
            .map(PosAttType::names)
            .unwrap_or_default()
    }

    /// Whether the table of relative positions has a norm.
    #[must_use]
    pub fn norms_positions(&self) -> bool {
        self.norm_steps().any(|step| step == "layer_norm")
    }

    fn norm_steps(&self) -> impl Iterator<Item = String> {
        let steps = self.norm_rel_ebd.to_lowercase();
        steps
            .split('|')
            .map(|step| step.trim().to_owned())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The largest distance with a row of its own.
    #[must_use]
    pub fn furthest(&self) -> usize {
        match usize::try_from(self.max_relative_positions) {
            Ok(furthest) if furthest > 0 => furthest,
            _ => self.max_position_embeddings,
        }
    }

    /// Logarithmic buckets in each direction, where there are any.
    #[must_use]
    pub fn buckets(&self) -> Option<usize> {
        usize::try_from(self.position_buckets)
            .ok()
            .filter(|&buckets| buckets > 0)
    }

    /// Rows of the table of relative positions.
    #[must_use]
    pub fn position_rows(&self) -> usize {
        2 * self.buckets().unwrap_or_else(|| self.furthest())
    }

    fn check(&self) -> Result<(), ShapesError> {
        check_sizes(&[
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_hidden_layers", self.num_hidden_layers),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("max_relative_positions", self.furthest()),
            ("position_buckets", self.buckets().unwrap_or(1)),
        ])?;
        let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
        if !hidden.is_multiple_of(heads) {
            return Err(impossible(
                "hidden_size",
                format!("is {hidden}, which {heads} attention heads cannot share evenly"),
            ));
        }
        check_dropouts(&[
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
            ("pooler_dropout", self.pooler_dropout),
            ("cls_dropout", self.head_dropout()),
        ])?;
        check_scales(self.layer_norm_eps, self.initializer_range)?;
        self.check_variant()?;
        self.check_buckets()
    }

    /// Refuses the variants of DeBERTa that are not implemented.
    fn check_variant(&self) -> Result<(), ShapesError> {
        let width = |key, size: Option<usize>, expected: usize| match size {
            Some(size) if size != expected => Err(impossible(
                key,
                format!(
                    "is {size}; only {expected}, which follows from `hidden_size`, is supported"
                ),
            )),
            _ => Ok(()),
        };
        let hidden = self.hidden_size;
        width("embedding_size", self.embedding_size, hidden)?;
        width("pooler_hidden_size", self.pooler_hidden_size, hidden)?;
        width(
            "attention_head_size",
            self.attention_head_size,
            hidden / self.num_attention_heads,
        )?;
        let unsupported = [
            (
                !self.relative_attention,
                "relative_attention",
                "is false; only attention with relative positions is supported",
            ),
            (
                self.position_biased_input,
                "position_biased_input",
                "is true; absolute positions are not supported",
            ),
            (
                self.type_vocab_size > 0,
                "type_vocab_size",
                "is above 0; segments are not supported",
            ),
            (
                self.conv_kernel_size.is_some_and(|size| size > 0),
                "conv_kernel_size",
                "is above 0; the convolution of DeBERTa-v2's larger models is not supported",
            ),
            (
                self.z_steps.is_some_and(|steps| steps > 1),
                "z_steps",
                "is above 1; applying the last layer again is not supported",
            ),
        ];
        if let Some(&(_, key, problem)) = unsupported.iter().find(|(found, ..)| *found) {
            return Err(impossible(key, problem));
        }
        if let Some(step) = self
            .norm_steps()
            .find(|step| !matches!(step.as_str(), "none" | "layer_norm"))
        {
            return Err(impossible(
                "norm_rel_ebd",
                format!("is `{step}`; `none` and `layer_norm` are supported"),
            ));
        }
        let terms = self.terms();
        if terms.is_empty() {
            return Err(impossible(
                "pos_att_type",
                "is empty; `c2p`, `p2c` or both must be in it",
            ));
        }
        match terms
            .iter()
            .find(|term| !matches!(term.as_str(), "c2p" | "p2c"))
        {
            Some(term) => Err(impossible(
                "pos_att_type",
                format!("has `{term}` in it; `c2p` and `p2c` are supported"),
            )),
            None => Ok(()),
        }
    }

    /// Logarithmic buckets need room after the half that stands for single distances.
    fn check_buckets(&self) -> Result<(), ShapesError> {
        let Some(buckets) = self.buckets() else {
            return Ok(());
        };
        let single = buckets / 2;
        if single == 0
            || (self.max_position_embeddings > single + 1 && self.furthest() <= single + 1)
        {
            return Err(impossible(
                "position_buckets",
                format!(
                    "is {buckets}, which leaves no distances up to {} for logarithmic buckets",
                    self.furthest()
                ),
            ));
        }
        Ok(())
    }
}

impl Network for DebertaV2Config {
    /// A classifier only. The pooler is not of the head: PEFT leaves it frozen.
    fn shapes(&self, role: Role) -> Option<Shapes> {
        let Role::Classifier { classes } = role else {
            return None;
        };
        let hidden = self.hidden_size;
        let mut parts = Parts::default();
        parts.embedding(
            "deberta.embeddings.word_embeddings",
            self.vocab_size,
            hidden,
        );
        parts.norm("deberta.embeddings.LayerNorm", hidden);
        parts.embedding(
            "deberta.encoder.rel_embeddings",
            self.position_rows(),
            hidden,
        );
        if self.norms_positions() {
            parts.norm("deberta.encoder.LayerNorm", hidden);
        }
        for index in 0..self.num_hidden_layers {
            let layer = format!("deberta.encoder.layer.{index}");
            let attention = format!("{layer}.attention.self");
            let own = !self.share_att_key;
            for (name, logical, exists) in [
                ("query_proj", "query", true),
                ("key_proj", "key", true),
                ("value_proj", "value", true),
                (
                    "pos_key_proj",
                    "position_key",
                    own && self.content_to_position(),
                ),
                (
                    "pos_query_proj",
                    "position_query",
                    own && self.position_to_content(),
                ),
            ] {
                if exists {
                    let module = format!("{attention}.{name}");
                    parts.linear(module, logical, Some(index), hidden, hidden);
                }
            }
            parts.block(&layer, index, hidden, self.intermediate_size);
        }
        parts.linear("pooler.dense".to_owned(), "pooler", None, hidden, hidden);
        parts.weight_and_bias("classifier", &[classes, hidden], true);
        Some(parts.into_shapes(Shapes {
            model_type: "deberta-v2",
            spelling: &SPELLING,
            tensors: Vec::new(),
            linears: Vec::new(),
            max_positions: self.max_position_embeddings,
            vocab_size: self.vocab_size,
            hidden_size: hidden,
            num_layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            relative_positions: self.position_rows(),
        }))
    }

    fn initializer_range(&self) -> f64 {
        self.initializer_range
    }

    fn override_dropout(&mut self, probability: f64) {
        self.hidden_dropout_prob = probability;
        self.attention_probs_dropout_prob = probability;
        self.pooler_dropout = probability;
        self.cls_dropout = Some(probability);
    }
}

#[cfg(test)]
mod tests;
