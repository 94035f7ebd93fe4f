//! The architectures there are, each with what it can be used as.
//!
//! A new one has a file here for its configuration and shapes, a file in `models`, and its lines in
//! [`Role::model_types`], [`Config`] and [`Architecture::read`].

use serde_json::{Map, Value};

use super::bert::BertConfig;
use super::deberta::DebertaV2Config;
use super::decoder::DecoderConfig;
use super::jina_bert::JinaBertConfig;
use super::mpnet::MpnetConfig;
use super::roberta::RobertaConfig;
use super::{Shapes, ShapesError};

/// What a network is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A classifier of texts, with a head.
    Classifier {
        /// Number of classes.
        classes: usize,
    },
    /// An encoder without a head, whose hidden states become vectors of texts.
    Embedder,
    /// A decoder with its head for the next token.
    Decoder,
}

impl Role {
    /// The values of `model_type` that it is supported for.
    pub(super) fn model_types(self) -> &'static [&'static str] {
        match self {
            Self::Classifier { .. } => &["bert", "roberta", "xlm-roberta", "deberta-v2"],
            // Jina BERT's checkpoints have the one of BERT, or one of their own.
            Self::Embedder => &["bert", "roberta", "xlm-roberta", "mpnet", "jina_bert"],
            Self::Decoder => &["qwen2", "llama", "phi3"],
        }
    }

    pub(super) fn use_in_words(self) -> &'static str {
        match self {
            Self::Classifier { .. } => "",
            Self::Embedder => " as an embedder",
            Self::Decoder => " as a decoder",
        }
    }
}

/// What an architecture's configuration says of the network, whatever the architecture.
pub trait Network {
    /// Its tensors and linear layers in a role; `None` if it has none of that role.
    fn shapes(&self, role: Role) -> Option<Shapes>;

    /// Standard deviation of freshly drawn weights.
    fn initializer_range(&self) -> f64;

    /// Replaces every dropout probability.
    fn override_dropout(&mut self, probability: f64);

    /// Whether positions have embeddings, so that texts can be no longer than there are.
    fn embeds_positions(&self) -> bool {
        true
    }
}

/// A `config.json`, by architecture.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// `model_type` bert.
    Bert(BertConfig),
    /// `model_type` roberta or xlm-roberta.
    Roberta(RobertaConfig),
    /// `model_type` deberta-v2, which DeBERTa-v3 has too.
    DebertaV2(DebertaV2Config),
    /// `model_type` mpnet.
    Mpnet(MpnetConfig),
    /// `model_type` bert with `position_embedding_type` alibi.
    JinaBert(JinaBertConfig),
    /// `model_type` qwen2, llama or phi3.
    Decoder(DecoderConfig),
}

/// The same expression for the configuration of every architecture.
macro_rules! each_config {
    ($value:expr, $config:ident => $body:expr) => {
        match $value {
            Config::Bert($config) => $body,
            Config::Roberta($config) => $body,
            Config::DebertaV2($config) => $body,
            Config::Mpnet($config) => $body,
            Config::JinaBert($config) => $body,
            Config::Decoder($config) => $body,
        }
    };
}

/// A network as its `config.json` describes it, in a role that its architecture has.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    config: Config,
    role: Role,
}

impl Architecture {
    /// Reads and checks the text of a `config.json`.
    ///
    /// # Errors
    /// When the text is not JSON, names an architecture that is not supported in the role, or
    /// describes a network that cannot exist.
    pub fn read(config_json: &str, role: Role) -> Result<Self, ShapesError> {
        let keys: Map<String, Value> = serde_json::from_str(config_json)?;
        let Some(model_type) = keys.get("model_type").and_then(Value::as_str) else {
            return Err(ShapesError::NoModelType { role });
        };
        let unsupported = || ShapesError::ModelType {
            model_type: model_type.to_owned(),
            role,
        };
        if !role.model_types().contains(&model_type) {
            return Err(unsupported());
        }
        let config = match model_type {
            // As a classifier, it is a BERT with positions that are not supported.
            "bert" | "jina_bert"
                if role == Role::Embedder && JinaBertConfig::is_described_by(&keys) =>
            {
                Config::JinaBert(JinaBertConfig::read(config_json)?)
            }
            "bert" => Config::Bert(BertConfig::read(config_json)?),
            "roberta" => Config::Roberta(RobertaConfig::read(config_json)?),
            "xlm-roberta" => Config::Roberta(RobertaConfig::read_xlm(config_json)?),
            "deberta-v2" => Config::DebertaV2(DebertaV2Config::read(config_json)?),
            "mpnet" => Config::Mpnet(MpnetConfig::read(config_json)?),
            "qwen2" | "llama" | "phi3" => {
                Config::Decoder(DecoderConfig::read(config_json, model_type)?)
            }
            _ => return Err(unsupported()),
        };
        let architecture = Self { config, role };
        match architecture.network().shapes(role) {
            Some(_) => Ok(architecture),
            None => Err(unsupported()),
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What the network is used as.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its tensors and linear layers.
    ///
    /// # Panics
    /// Never: [`Architecture::read`] has asked for them already.
    #[must_use]
    pub fn shapes(&self) -> Shapes {
        let shapes = self.network().shapes(self.role);
        shapes.expect("a role that the architecture has")
    }

    /// Tokens that the position embeddings can number; `None` where there are no such embeddings
    /// and any length will do.
    #[must_use]
    pub fn position_limit(&self) -> Option<usize> {
        let network = self.network();
        network
            .embeds_positions()
            .then(|| self.shapes().max_positions)
    }

    /// Standard deviation of freshly drawn weights.
    #[must_use]
    pub fn initializer_range(&self) -> f64 {
        self.network().initializer_range()
    }

    /// Replaces every dropout probability.
    pub fn override_dropout(&mut self, probability: f64) {
        each_config!(&mut self.config, config => config.override_dropout(probability));
    }

    fn network(&self) -> &dyn Network {
        each_config!(&self.config, config => config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(config: &str) -> String {
        let read = Architecture::read(config, Role::Embedder);
        read.unwrap_err().to_string()
    }

    #[test]
    fn real_embedders_have_the_parameters_they_are_quoted_with() {
        let total = |config: &str| {
            let architecture = Architecture::read(config, Role::Embedder).unwrap();
            architecture.shapes().total_parameters()
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
    fn embedders_name_their_linear_layers_as_all_architectures_do() {
        let names = |config: &str| {
            let architecture = Architecture::read(config, Role::Embedder).unwrap();
            architecture.shapes().logical_names()
        };
        let all = [
            "query",
            "key",
            "value",
            "attention_output",
            "intermediate",
            "output",
        ];
        assert_eq!(names(r#"{"model_type": "mpnet"}"#), all);
        let jina = r#"{"model_type": "bert", "position_embedding_type": "alibi", "feed_forward_type": "geglu"}"#;
        assert_eq!(names(jina), all);
    }

    #[test]
    fn lengths_end_where_position_embeddings_end() {
        let limit = |config: &str| {
            let architecture = Architecture::read(config, Role::Embedder).unwrap();
            architecture.position_limit()
        };
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
        for other in ["gpt2", "deberta-v2"] {
            let said = message(&format!(r#"{{"model_type": "{other}"}}"#));
            let expected = format!("model_type `{other}` is not supported as an embedder");
            assert!(said.starts_with(&expected), "{said}");
        }
        let mpnet = r#"{"model_type": "mpnet"}"#;
        let said = Shapes::read(mpnet, 2).unwrap_err().to_string();
        assert!(said.starts_with("model_type `mpnet` is not supported; supported: bert, "));
        assert!(message("{}").contains("no `model_type`"));
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
