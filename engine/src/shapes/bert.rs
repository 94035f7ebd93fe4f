//! BERT (arXiv 1810.04805) as transformers' `BertForSequenceClassification` lays it out. The model itself reads the same [`BertConfig`].

use serde::{Deserialize, Serialize};

use super::{LinearShape, Shapes, ShapesError, TensorShape};

/// BERT's `config.json`, with its exact key names and transformers' defaults; unknown keys are ignored.
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
    /// When the text is not JSON, a key has the wrong type, or the values make no network.
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

    /// Replaces every dropout probability.
    pub fn override_dropout(&mut self, probability: f64) {
        self.hidden_dropout_prob = probability;
        self.attention_probs_dropout_prob = probability;
        self.classifier_dropout = Some(probability);
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

    /// The tensors and linear layers of the classifier with `num_labels` classes.
    #[must_use]
    pub fn shapes(&self, num_labels: usize) -> Shapes {
        let hidden = self.hidden_size;
        let mut parts = self.parts("bert");
        parts.linear(
            "bert.pooler.dense".to_owned(),
            "pooler",
            None,
            hidden,
            hidden,
        );
        parts.weight_and_bias("classifier", &[num_labels, hidden], true);
        self.shapes_of("bert", parts)
    }

    /// The tensors and linear layers of the model without pooler and head.
    #[must_use]
    pub fn bare_shapes(&self) -> Shapes {
        self.shapes_of("bert", self.parts("bert"))
    }

    /// The network that consists of `parts`.
    pub(super) fn shapes_of(&self, model_type: &'static str, parts: Parts) -> Shapes {
        parts.into_shapes(Shapes {
            model_type,
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

pub(super) fn impossible(key: &'static str, problem: impl Into<String>) -> ShapesError {
    ShapesError::Impossible {
        key,
        problem: problem.into(),
    }
}

/// Refuses a network without extent.
pub(super) fn check_sizes(sizes: &[(&'static str, usize)]) -> Result<(), ShapesError> {
    if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == 0) {
        return Err(impossible(key, "is 0"));
    }
    // Bounds no real checkpoint comes near, so that no list of tensors is longer than memory and no count of parameters overflows.
    let largest = |key: &str| match key {
        "num_hidden_layers" => 1 << 10,
        "vocab_size" => 1 << 28,
        _ => 1 << 22,
    };
    match sizes.iter().find(|(key, size)| *size > largest(key)) {
        Some((key, size)) => Err(impossible(
            key,
            format!("is {size}, which is beyond any real checkpoint"),
        )),
        None => Ok(()),
    }
}

pub(super) fn check_dropouts(dropouts: &[(&'static str, f64)]) -> Result<(), ShapesError> {
    match dropouts
        .iter()
        .find(|(_, value)| !(0.0..1.0).contains(value))
    {
        Some((key, value)) => Err(impossible(
            key,
            format!("is {value}, but must be at least 0 and less than 1"),
        )),
        None => Ok(()),
    }
}

pub(super) fn check_scales(layer_norm_eps: f64, initializer_range: f64) -> Result<(), ShapesError> {
    if !(layer_norm_eps > 0.0 && layer_norm_eps.is_finite()) {
        return Err(impossible(
            "layer_norm_eps",
            format!("is {layer_norm_eps}, but must be above 0"),
        ));
    }
    if !(initializer_range >= 0.0 && initializer_range.is_finite()) {
        return Err(impossible(
            "initializer_range",
            format!("is {initializer_range}, but must be at least 0"),
        ));
    }
    Ok(())
}

/// Tensors and linear layers, collected in the order of the forward pass.
#[derive(Default)]
pub(super) struct Parts {
    tensors: Vec<TensorShape>,
    linears: Vec<LinearShape>,
}

impl Parts {
    /// The network of these parts, whose other figures are those of `shapes`.
    pub(super) fn into_shapes(self, mut shapes: Shapes) -> Shapes {
        shapes.tensors = self.tensors;
        shapes.linears = self.linears;
        shapes
    }

    /// What follows attention in a layer: its output, and the feed-forward block.
    pub(super) fn block(&mut self, layer: &str, index: usize, hidden: usize, intermediate: usize) {
        let index = Some(index);
        let dense = format!("{layer}.attention.output.dense");
        self.linear(dense, "attention_output", index, hidden, hidden);
        self.norm(&format!("{layer}.attention.output.LayerNorm"), hidden);
        let dense = format!("{layer}.intermediate.dense");
        self.linear(dense, "intermediate", index, hidden, intermediate);
        let dense = format!("{layer}.output.dense");
        self.linear(dense, "output", index, intermediate, hidden);
        self.norm(&format!("{layer}.output.LayerNorm"), hidden);
    }

    pub(super) fn embedding(&mut self, module: &str, rows: usize, width: usize) {
        self.tensors.push(TensorShape {
            name: format!("{module}.weight"),
            shape: vec![rows, width],
            head: false,
        });
    }

    pub(super) fn norm(&mut self, module: &str, width: usize) {
        self.weight_and_bias(module, &[width], false);
    }

    pub(super) fn linear(
        &mut self,
        module: String,
        logical: &'static str,
        layer: Option<usize>,
        input: usize,
        output: usize,
    ) {
        self.weight_and_bias(&module, &[output, input], false);
        self.linears.push(LinearShape {
            module,
            logical,
            layer,
            input,
            output,
        });
    }

    /// A bias is as long as the weight's first dimension, in linear layers and norms alike.
    pub(super) fn weight_and_bias(&mut self, module: &str, weight: &[usize], head: bool) {
        self.tensors.push(TensorShape {
            name: format!("{module}.weight"),
            shape: weight.to_vec(),
            head,
        });
        self.tensors.push(TensorShape {
            name: format!("{module}.bias"),
            shape: weight[..1].to_vec(),
            head,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"{"model_type": "bert", "architectures": ["BertForMaskedLM"], "gradient_checkpointing": false}"#;

    fn targets(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn bert_base_has_110_million_parameters() {
        let shapes = Shapes::read(BASE, 2).unwrap();
        let embeddings = (30_522 + 512 + 2) * 768 + 2 * 768;
        let attention = 4 * (768 * 768 + 768) + 2 * 768;
        let feed_forward = (768 * 3072 + 3072) + (3072 * 768 + 768) + 2 * 768;
        let pooler = 768 * 768 + 768;
        let body = embeddings + 12 * (attention + feed_forward) + pooler;
        assert_eq!(
            body, 109_482_240,
            "the figure everybody quotes for bert-base-uncased"
        );
        assert_eq!(shapes.total_parameters(), body + 2 * 768 + 2);
        assert_eq!(shapes.tensors.len(), 5 + 12 * 16 + 2 + 2);
    }

    #[test]
    fn lora_on_query_and_value_trains_what_peft_prints_for_bert_base() {
        let shapes = Shapes::read(BASE, 2).unwrap();
        assert_eq!(
            shapes.trainable_parameters(8, &targets(&["query", "value"])),
            Ok(12 * 2 * 8 * (768 + 768) + 2 * 768 + 2)
        );
        assert_eq!(
            shapes.trainable_parameters(8, &targets(&["query", "value"])),
            Ok(296_450)
        );
    }

    #[test]
    fn feed_forward_adapters_count_both_widths() {
        let shapes = Shapes::read(BASE, 3).unwrap();
        let expected = 12 * (4 * (768 + 3072) + 4 * (3072 + 768)) + 3 * 768 + 3;
        assert_eq!(
            shapes.trainable_parameters(4, &targets(&["intermediate", "output"])),
            Ok(expected)
        );
    }

    #[test]
    fn tensors_carry_the_checkpoints_names_and_shapes() {
        let shapes = Shapes::read(r#"{"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 120}"#, 3).unwrap();
        let shape = |name: &str| {
            shapes
                .tensors
                .iter()
                .find(|tensor| tensor.name == name)
                .map(|tensor| tensor.shape.as_slice())
        };
        assert_eq!(
            shape("bert.embeddings.word_embeddings.weight"),
            Some([120, 32].as_slice())
        );
        assert_eq!(
            shape("bert.encoder.layer.0.intermediate.dense.weight"),
            Some([64, 32].as_slice())
        );
        assert_eq!(
            shape("bert.encoder.layer.0.intermediate.dense.bias"),
            Some([64].as_slice())
        );
        assert_eq!(
            shape("bert.encoder.layer.0.output.LayerNorm.bias"),
            Some([32].as_slice())
        );
        assert_eq!(shape("classifier.weight"), Some([3, 32].as_slice()));
        assert_eq!(shape("classifier.bias"), Some([3].as_slice()));
    }

    #[test]
    fn null_keys_mean_what_transformers_means_by_none() {
        let config = BertConfig::read(
            r#"{"classifier_dropout": null, "pad_token_id": null, "hidden_act": "swish"}"#,
        )
        .unwrap();
        assert_eq!(
            (
                config.classifier_dropout,
                config.pad_token_id,
                config.hidden_act
            ),
            (None, None, Activation::Silu)
        );
    }

    #[test]
    fn networks_that_cannot_exist_are_refused_with_the_key() {
        let message = |config: &str| Shapes::read(config, 2).unwrap_err().to_string();
        assert_eq!(
            message(r#"{"model_type": "bert", "hidden_size": 100}"#),
            "config.json: `hidden_size` is 100, which 12 attention heads cannot share evenly"
        );
        assert_eq!(
            message(r#"{"model_type": "bert", "num_attention_heads": 0}"#),
            "config.json: `num_attention_heads` is 0"
        );
        assert_eq!(
            message(r#"{"model_type": "bert", "position_embedding_type": "relative_key"}"#),
            "config.json: `position_embedding_type` is `relative_key`; only `absolute` is supported"
        );
        assert_eq!(
            message(r#"{"model_type": "bert", "hidden_dropout_prob": 1.0}"#),
            "config.json: `hidden_dropout_prob` is 1, but must be at least 0 and less than 1"
        );
        assert_eq!(
            message(r#"{"model_type": "bert", "is_decoder": true}"#),
            "config.json: `is_decoder` is true; only encoders are supported"
        );
        for key in ["num_hidden_layers", "hidden_size", "vocab_size"] {
            let said = message(&format!(r#"{{"model_type": "bert", "{key}": 300000000}}"#));
            assert!(
                said.contains(key) && said.ends_with("beyond any real checkpoint"),
                "{said}"
            );
        }
        assert!(
            message(r#"{"model_type": "bert", "hidden_act": "mish"}"#)
                .contains("unknown variant `mish`")
        );
        assert_eq!(
            message(r#"{"model_type": "gpt2"}"#),
            "model_type `gpt2` is not supported; supported: bert, roberta, xlm-roberta, deberta-v2"
        );
        assert!(message("{}").contains("no `model_type`"));
        assert!(message("[").contains("not a readable config.json"));
    }
}
