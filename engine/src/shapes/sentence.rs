//! The encoders that turn texts into vectors: bare, without a head.

use serde_json::{Map, Value};

use super::bert::{BertConfig, impossible};
use super::jina_bert::JinaBertConfig;
use super::mpnet::MpnetConfig;
use super::roberta::RobertaConfig;
use super::{Shapes, ShapesError, TensorShape};

/// The encoders there are, as messages list them.
const KINDS: &str =
    "bert, roberta, xlm-roberta, mpnet, and bert with position_embedding_type alibi (Jina BERT v2)";

/// An embedder's `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub enum SentenceConfig {
    /// `model_type` bert.
    Bert(BertConfig),
    /// `model_type` roberta or xlm-roberta.
    Roberta(RobertaConfig),
    /// `model_type` mpnet.
    Mpnet(MpnetConfig),
    /// `model_type` bert with `position_embedding_type` alibi.
    JinaBert(JinaBertConfig),
}

impl SentenceConfig {
    /// Reads and checks the text of a `config.json`.
    ///
    /// # Errors
    /// When the text is not JSON, names another architecture, or describes a network that cannot exist.
    pub fn read(config_json: &str) -> Result<Self, ShapesError> {
        let keys: Map<String, Value> = serde_json::from_str(config_json)?;
        if JinaBertConfig::is_described_by(&keys) {
            return JinaBertConfig::read(config_json).map(Self::JinaBert);
        }
        match keys.get("model_type").and_then(Value::as_str) {
            Some("bert") => BertConfig::read(config_json).map(Self::Bert),
            Some("roberta") => RobertaConfig::read(config_json).map(Self::Roberta),
            Some("xlm-roberta") => RobertaConfig::read_xlm(config_json).map(Self::Roberta),
            Some("mpnet") => MpnetConfig::read(config_json).map(Self::Mpnet),
            Some(other) => {
                let problem = format!("is `{other}`, which is no embedder; supported: {KINDS}");
                Err(impossible("model_type", problem))
            }
            None => {
                let problem = format!("is missing; supported: {KINDS}");
                Err(impossible("model_type", problem))
            }
        }
    }

    /// The tensors of the bare model.
    #[must_use]
    pub fn shapes(&self) -> Shapes {
        match self {
            Self::Bert(config) => config.bare_shapes(),
            Self::Roberta(config) => config.bare_shapes(),
            Self::Mpnet(config) => config.shapes(),
            Self::JinaBert(config) => config.shapes(),
        }
    }

    /// Tokens that the position embeddings can number; `None` where there are no such embeddings and any length will do.
    #[must_use]
    pub fn position_limit(&self) -> Option<usize> {
        match self {
            Self::JinaBert(_) => None,
            other => Some(other.shapes().max_positions),
        }
    }

    /// Standard deviation of freshly drawn weights.
    #[must_use]
    pub fn initializer_range(&self) -> f64 {
        match self {
            Self::Bert(config) => config,
            Self::Roberta(config) => config.encoder(),
            Self::Mpnet(config) => config.encoder(),
            Self::JinaBert(config) => config.encoder(),
        }
        .initializer_range
    }
}

/// The tensors of a bare model, collected in the order of the forward pass.
pub(super) struct Layout {
    prefix: &'static str,
    tensors: Vec<TensorShape>,
}

impl Layout {
    /// Of the module that whole checkpoints call `prefix`.
    pub(super) fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            tensors: Vec::new(),
        }
    }

    fn tensor(&mut self, name: &str, shape: &[usize]) {
        self.tensors.push(TensorShape {
            name: format!("{}.{name}", self.prefix),
            shape: shape.to_vec(),
            head: false,
        });
    }

    /// A table, or a linear layer without a bias.
    pub(super) fn weight(&mut self, module: &str, shape: &[usize]) {
        self.tensor(&format!("{module}.weight"), shape);
    }

    pub(super) fn linear(&mut self, module: &str, inputs: usize, outputs: usize) {
        self.weight(module, &[outputs, inputs]);
        self.tensor(&format!("{module}.bias"), &[outputs]);
    }

    pub(super) fn norm(&mut self, module: &str, width: usize) {
        self.weight(module, &[width]);
        self.tensor(&format!("{module}.bias"), &[width]);
    }

    /// The network of these tensors; nothing in it carries an adapter.
    pub(super) fn shapes(
        self,
        model_type: &'static str,
        config: &BertConfig,
        max_positions: usize,
    ) -> Shapes {
        Shapes {
            model_type,
            tensors: self.tensors,
            linears: Vec::new(),
            max_positions,
            vocab_size: config.vocab_size,
            hidden_size: config.hidden_size,
            num_layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            relative_positions: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(config: &str) -> String {
        SentenceConfig::read(config).unwrap_err().to_string()
    }

    #[test]
    fn real_embedders_have_the_parameters_they_are_quoted_with() {
        let total = |config: &str| {
            SentenceConfig::read(config)
                .unwrap()
                .shapes()
                .total_parameters()
        };
        // all-mpnet-base-v2 without its pooler of 768 * 768 + 768.
        let mpnet = r#"{"model_type": "mpnet", "vocab_size": 30527, "max_position_embeddings": 514, "relative_attention_num_buckets": 32}"#;
        assert_eq!(total(mpnet), 109_486_464 - 590_592);
        // jina-embeddings-v2-base-en, 137 million with its pooler.
        let jina = r#"{"model_type": "bert", "position_embedding_type": "alibi", "feed_forward_type": "geglu", "vocab_size": 30528, "max_position_embeddings": 8192}"#;
        assert_eq!(total(jina), 137_368_320 - 590_592);
        // paraphrase-multilingual-mpnet-base-v2 is an XLM-R: 278 million with its pooler.
        let xlm = r#"{"model_type": "xlm-roberta", "vocab_size": 250002, "max_position_embeddings": 514, "type_vocab_size": 1}"#;
        assert_eq!(total(xlm), 278_043_648 - 590_592);
    }

    #[test]
    fn lengths_end_where_position_embeddings_end() {
        let limit = |config: &str| SentenceConfig::read(config).unwrap().position_limit();
        assert_eq!(limit(r#"{"model_type": "bert"}"#), Some(512));
        assert_eq!(
            limit(r#"{"model_type": "mpnet", "max_position_embeddings": 514}"#),
            Some(512)
        );
        let jina = r#"{"model_type": "bert", "position_embedding_type": "alibi", "feed_forward_type": "geglu"}"#;
        assert_eq!(limit(jina), None);
    }

    #[test]
    fn other_architectures_and_variants_are_refused_by_name() {
        assert!(message(r#"{"model_type": "gpt2"}"#).contains("`model_type` is `gpt2`"));
        assert!(message("{}").contains("`model_type` is missing"));
        assert_eq!(
            message(r#"{"model_type": "mpnet", "relative_attention_num_buckets": 8}"#),
            "config.json: `relative_attention_num_buckets` is 8, but the architecture uses 32 buckets"
        );
        let jina = r#""model_type": "bert", "position_embedding_type": "alibi""#;
        assert!(message(&format!("{{{jina}}}")).contains("`feed_forward_type` is `original`"));
        let variant = format!(
            r#"{{{jina}, "feed_forward_type": "geglu", "auto_map": {{"AutoModel": "jinaai/jina-bert-v2-qk-post-norm--modeling_bert.JinaBertModel"}}}}"#
        );
        assert!(message(&variant).contains("qk-post-norm"));
    }
}
