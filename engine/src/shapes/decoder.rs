//! Qwen2 (arXiv 2407.10671), Llama (arXiv 2307.09288) and Phi-3 (arXiv 2404.14219) as transformers
//! lays them out: one network but for biases and for weights that Phi-3 stores in one piece.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::architecture::{Network, Role};
use super::bert::Activation;
use super::checks::{check_scales, check_sizes, impossible};
use super::parts::Parts;
use super::rotary::{Rotary, Written as WrittenRotary};
use super::{LinearShape, Shapes, ShapesError, Spelling};

/// Which of the three it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Qwen2,
    Llama,
    Phi3,
}

/// A decoder's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    family: Family,
    keys: Keys,
    rotary: Rotary,
}

/// The keys of `config.json`, with its exact names; unknown ones are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the file's own")]
struct Keys {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    #[serde(default)]
    num_key_value_heads: Option<usize>,
    #[serde(default)]
    head_dim: Option<usize>,
    hidden_act: Activation,
    max_position_embeddings: usize,
    initializer_range: f64,
    rms_norm_eps: f64,
    tie_word_embeddings: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default)]
    sliding_window: Option<usize>,
    #[serde(default)]
    max_window_layers: usize,
    #[serde(default)]
    layer_types: Option<Vec<String>>,
}

/// How a layer's projections are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projections {
    /// A matrix each; whether those of query, key and value, that of attention's output, and those
    /// of the feed-forward block have a bias.
    Apart {
        /// Of query, key and value.
        query_bias: bool,
        /// Of attention's output.
        output_bias: bool,
        /// Of the feed-forward block.
        block_bias: bool,
    },
    /// Query, key and value in one matrix, the two that meet in the feed-forward block in another.
    Together,
}

static SPELLING: Spelling = Spelling {
    prefix: "model.",
    fresh: &[],
    ignored: &["model.rotary_emb."],
};

/// Where the word embeddings are the head's weights too, a copy of them is not read.
static TIED_SPELLING: Spelling = Spelling {
    prefix: "model.",
    fresh: &[],
    ignored: &["model.rotary_emb.", "lm_head."],
};

impl DecoderConfig {
    /// Reads and checks the text of a `config.json` of this `model_type`.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, or the values contradict each other.
    pub fn read(config_json: &str, model_type: &str) -> Result<Self, ShapesError> {
        let written: Map<String, Value> = serde_json::from_str(config_json)?;
        let family = match model_type {
            "qwen2" => Family::Qwen2,
            "phi3" => Family::Phi3,
            _ => Family::Llama,
        };
        let mut keys = family.defaults();
        // A key that is null is one that was not set.
        keys.extend(
            written
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        let keys: Keys = serde_json::from_value(Value::Object(keys))?;
        let rotary: WrittenRotary = serde_json::from_value(Value::Object(written))?;
        keys.check()?;
        let rotary = rotary.read(
            keys.head_size(),
            keys.max_position_embeddings,
            family == Family::Phi3,
        )?;
        Ok(Self {
            family,
            keys,
            rotary,
        })
    }

    /// Width of the hidden states.
    #[must_use]
    pub fn hidden_size(&self) -> usize {
        self.keys.hidden_size
    }

    /// Rows of the word embedding.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.keys.vocab_size
    }

    /// Width between the linear layers of a feed-forward block.
    #[must_use]
    pub fn intermediate_size(&self) -> usize {
        self.keys.intermediate_size
    }

    /// Layers.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.keys.num_hidden_layers
    }

    /// Heads of queries.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.keys.num_attention_heads
    }

    /// Heads of keys and values, each of which serves as many heads of queries.
    #[must_use]
    pub fn key_heads(&self) -> usize {
        self.keys.key_heads()
    }

    /// Features of a head.
    #[must_use]
    pub fn head_size(&self) -> usize {
        self.keys.head_size()
    }

    /// Activation of the feed-forward block.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.keys.hidden_act
    }

    /// Added to the mean square in every norm.
    #[must_use]
    pub fn norm_epsilon(&self) -> f64 {
        self.keys.rms_norm_eps
    }

    /// Whether the word embeddings are the head's weights too.
    #[must_use]
    pub fn is_tied(&self) -> bool {
        self.keys.tie_word_embeddings
    }

    /// How positions enter.
    #[must_use]
    pub fn rotary(&self) -> &Rotary {
        &self.rotary
    }

    /// Tokens that a layer sees at most, its own included; all without it.
    #[must_use]
    pub fn window(&self, layer: usize) -> Option<usize> {
        let keys = &self.keys;
        match self.family {
            Family::Phi3 => keys.sliding_window,
            Family::Llama => None,
            Family::Qwen2 => {
                let window = keys.sliding_window.filter(|_| keys.use_sliding_window)?;
                let slides = match &keys.layer_types {
                    Some(types) => types.get(layer).is_some_and(|kind| kind == SLIDING),
                    None => layer >= keys.max_window_layers,
                };
                slides.then_some(window)
            }
        }
    }

    /// How a layer's projections are stored.
    #[must_use]
    pub fn projections(&self) -> Projections {
        match self.family {
            Family::Qwen2 => Projections::Apart {
                query_bias: true,
                output_bias: false,
                block_bias: false,
            },
            Family::Llama => Projections::Apart {
                query_bias: self.keys.attention_bias,
                output_bias: self.keys.attention_bias,
                block_bias: self.keys.mlp_bias,
            },
            Family::Phi3 => Projections::Together,
        }
    }
}

const SLIDING: &str = "sliding_attention";

impl Family {
    /// What transformers takes for keys that a file leaves out.
    fn defaults(self) -> Map<String, Value> {
        let defaults = match self {
            Self::Qwen2 => serde_json::json!({
                "vocab_size": 151_936, "hidden_size": 4096, "intermediate_size": 22_016,
                "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
                "max_position_embeddings": 32_768, "rms_norm_eps": 1e-6,
                "sliding_window": 4096, "max_window_layers": 28,
            }),
            Self::Llama => serde_json::json!({
                "vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 11_008,
                "num_hidden_layers": 32, "num_attention_heads": 32,
                "max_position_embeddings": 2048, "rms_norm_eps": 1e-6,
            }),
            Self::Phi3 => serde_json::json!({
                "vocab_size": 32_064, "hidden_size": 3072, "intermediate_size": 8192,
                "num_hidden_layers": 32, "num_attention_heads": 32,
                "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
            }),
        };
        let all = serde_json::json!({
            "hidden_act": "silu", "initializer_range": 0.02, "tie_word_embeddings": false,
        });
        [defaults, all]
            .into_iter()
            .filter_map(|value| value.as_object().cloned())
            .flatten()
            .collect()
    }

    fn model_type(self) -> &'static str {
        match self {
            Self::Qwen2 => "qwen2",
            Self::Llama => "llama",
            Self::Phi3 => "phi3",
        }
    }
}

impl Keys {
    fn key_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    fn head_size(&self) -> usize {
        self.head_dim
            .unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }

    fn check(&self) -> Result<(), ShapesError> {
        check_sizes(&[
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.key_heads()),
            ("head_dim", self.head_size()),
            ("max_position_embeddings", self.max_position_embeddings),
        ])?;
        if self.head_dim.is_none() && !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(impossible(
                "num_attention_heads",
                format!(
                    "is {}, which does not divide `hidden_size` {}",
                    self.num_attention_heads, self.hidden_size
                ),
            ));
        }
        if !self.num_attention_heads.is_multiple_of(self.key_heads()) {
            return Err(impossible(
                "num_key_value_heads",
                format!(
                    "is {}, which does not divide `num_attention_heads` {}",
                    self.key_heads(),
                    self.num_attention_heads
                ),
            ));
        }
        if self.sliding_window == Some(0) {
            return Err(impossible("sliding_window", "is 0"));
        }
        let norm = check_scales(self.rms_norm_eps, self.initializer_range);
        norm.map_err(|error| match error {
            ShapesError::Impossible {
                key: "layer_norm_eps",
                problem,
            } => impossible("rms_norm_eps", problem),
            other => other,
        })
    }
}

impl Network for DecoderConfig {
    fn shapes(&self, role: Role) -> Option<Shapes> {
        if role != Role::Decoder {
            return None;
        }
        let keys = &self.keys;
        let (hidden, inner) = (keys.hidden_size, keys.intermediate_size);
        let size = keys.head_size();
        let (queries, held) = (keys.num_attention_heads * size, keys.key_heads() * size);
        let mut parts = Parts::default();
        parts.embedding("model.embed_tokens", keys.vocab_size, hidden);
        for index in 0..keys.num_hidden_layers {
            let layer = format!("model.layers.{index}");
            let mut linear = |name: &str, logical, input, output, bias| {
                let module = format!("{layer}.{name}");
                let layer = Some(index);
                if bias {
                    parts.linear(module, logical, layer, input, output);
                } else {
                    parts.linear_without_bias(LinearShape {
                        module,
                        logical,
                        layer,
                        input,
                        output,
                    });
                }
            };
            match self.projections() {
                Projections::Apart {
                    query_bias,
                    output_bias,
                    block_bias,
                } => {
                    linear("self_attn.q_proj", "query", hidden, queries, query_bias);
                    linear("self_attn.k_proj", "key", hidden, held, query_bias);
                    linear("self_attn.v_proj", "value", hidden, held, query_bias);
                    linear(
                        "self_attn.o_proj",
                        "attention_output",
                        queries,
                        hidden,
                        output_bias,
                    );
                    linear("mlp.gate_proj", "gate", hidden, inner, block_bias);
                    linear("mlp.up_proj", "intermediate", hidden, inner, block_bias);
                    linear("mlp.down_proj", "output", inner, hidden, block_bias);
                }
                Projections::Together => {
                    let together = queries + 2 * held;
                    linear(
                        "self_attn.qkv_proj",
                        "query_key_value",
                        hidden,
                        together,
                        false,
                    );
                    linear(
                        "self_attn.o_proj",
                        "attention_output",
                        queries,
                        hidden,
                        false,
                    );
                    linear(
                        "mlp.gate_up_proj",
                        "gate_intermediate",
                        hidden,
                        2 * inner,
                        false,
                    );
                    linear("mlp.down_proj", "output", inner, hidden, false);
                }
            }
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                parts.weight(&format!("{layer}.{norm}"), &[hidden], false);
            }
        }
        parts.weight("model.norm", &[hidden], false);
        if !keys.tie_word_embeddings {
            parts.weight("lm_head", &[keys.vocab_size, hidden], false);
        }
        Some(parts.into_shapes(Shapes {
            model_type: self.family.model_type(),
            spelling: if keys.tie_word_embeddings {
                &TIED_SPELLING
            } else {
                &SPELLING
            },
            tensors: Vec::new(),
            linears: Vec::new(),
            max_positions: keys.max_position_embeddings,
            vocab_size: keys.vocab_size,
            hidden_size: hidden,
            num_layers: keys.num_hidden_layers,
            heads: keys.num_attention_heads,
            relative_positions: 0,
        }))
    }

    fn initializer_range(&self) -> f64 {
        self.keys.initializer_range
    }

    /// There is none: decoders are not trained.
    fn override_dropout(&mut self, _: f64) {}

    fn embeds_positions(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::Architecture;
    use super::*;

    fn total(config: &str) -> u64 {
        let architecture = Architecture::read(config, Role::Decoder).unwrap();
        architecture.shapes().total_parameters()
    }

    #[test]
    fn real_decoders_have_the_parameters_they_are_quoted_with() {
        // Qwen2.5-1.5B, 7B, Phi-3.5-mini, Llama-3.2-1B and SmolLM2-135M.
        let published = [
            (
                r#"{"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12, "num_key_value_heads": 2, "tie_word_embeddings": true}"#,
                1_543_714_304,
            ),
            (
                r#"{"model_type": "qwen2", "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4}"#,
                7_615_616_512,
            ),
            (r#"{"model_type": "phi3"}"#, 3_821_079_552),
            (
                r#"{"model_type": "llama", "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_key_value_heads": 8, "head_dim": 64, "tie_word_embeddings": true}"#,
                1_235_814_400,
            ),
            (
                r#"{"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": true}"#,
                134_515_008,
            ),
        ];
        for (config, parameters) in published {
            assert_eq!(total(config), parameters, "{config}");
        }
    }

    #[test]
    fn what_cannot_be_is_named_by_its_key() {
        let message = |config: &str| {
            let read = Architecture::read(config, Role::Decoder);
            read.unwrap_err().to_string()
        };
        for (config, key) in [
            (
                r#"{"model_type": "qwen2", "num_key_value_heads": 5}"#,
                "num_key_value_heads",
            ),
            (
                r#"{"model_type": "llama", "num_attention_heads": 33}"#,
                "num_attention_heads",
            ),
            (
                r#"{"model_type": "llama", "rope_scaling": {"type": "yarn"}}"#,
                "rope_type",
            ),
            (
                r#"{"model_type": "llama", "rope_scaling": {"rope_type": "llama3"}}"#,
                "factor",
            ),
            (
                r#"{"model_type": "phi3", "rope_scaling": {"type": "su", "short_factor": [1.0]}}"#,
                "short_factor",
            ),
            (
                r#"{"model_type": "llama", "rms_norm_eps": 0}"#,
                "rms_norm_eps",
            ),
            (r#"{"model_type": "gpt2"}"#, "gpt2"),
        ] {
            assert!(message(config).contains(key), "{}", message(config));
        }
    }

    #[test]
    fn windows_slide_only_where_they_are_used() {
        let read = |config: &str, kind| DecoderConfig::read(config, kind).unwrap();
        let qwen = read(r#"{"sliding_window": 8, "max_window_layers": 2}"#, "qwen2");
        assert_eq!(qwen.window(3), None);
        let used = r#"{"sliding_window": 8, "max_window_layers": 2, "use_sliding_window": true}"#;
        let qwen = read(used, "qwen2");
        assert_eq!([qwen.window(1), qwen.window(2)], [None, Some(8)]);
        assert_eq!(read(r#"{"sliding_window": 8}"#, "phi3").window(0), Some(8));
    }

    #[test]
    fn positions_are_read_in_both_spellings() {
        let old = r#"{"rope_theta": 500000.0, "head_dim": 64, "rope_scaling": {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}}"#;
        let new = r#"{"head_dim": 64, "rope_parameters": {"rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}}"#;
        let [old, new] = [old, new].map(|config| DecoderConfig::read(config, "llama").unwrap());
        assert_eq!(old.rotary(), new.rotary());
        let frequencies = &old.rotary().frequencies;
        assert_eq!((frequencies.len(), frequencies[0]), (32, 1.0));
        // The lowest is divided by the factor.
        let lowest = 1.0 / 500_000_f64.powf(62.0 / 64.0) / 32.0;
        assert!((f64::from(frequencies[31]) / lowest - 1.0).abs() < 1e-5);
    }
}
