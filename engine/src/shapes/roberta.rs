//! RoBERTa (arXiv 1907.11692) and XLM-R (arXiv 1911.02116) as transformers'
//! `RobertaForSequenceClassification` lays them out. The model itself reads the same
//! [`RobertaConfig`].

use serde_json::{Map, Value};

use super::architecture::{Network, Role};
use super::bert::BertConfig;
use super::checks::impossible;
use super::{Shapes, ShapesError, Spelling};

/// The spellings of RoBERTa's checkpoints. Those of the bare model and of the first masked-LMs have
/// a pooler, which this head does without.
static CLASSIFIER_SPELLING: Spelling = Spelling {
    prefix: "roberta.",
    fresh: &["classifier."],
    ignored: &[
        "lm_head.",
        "roberta.pooler.",
        "roberta.embeddings.position_ids",
    ],
};

/// The spellings of RoBERTa's checkpoints where no head is wanted: poolers and heads of any task
/// are left aside.
static BARE_SPELLING: Spelling = Spelling {
    prefix: "roberta.",
    fresh: &[],
    ignored: &[
        "lm_head.",
        "classifier.",
        "qa_outputs.",
        "roberta.pooler.",
        "roberta.embeddings.position_ids",
    ],
};

/// RoBERTa's or XLM-R's `config.json`: BERT's keys with defaults of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct RobertaConfig {
    model_type: &'static str,
    encoder: BertConfig,
    padding: u32,
}

impl RobertaConfig {
    /// Reads and checks the text of a RoBERTa's `config.json`; its `model_type` is the caller's
    /// business.
    ///
    /// # Errors
    /// When the text is not JSON, a key has the wrong type, or the values contradict each other.
    pub fn read(config_json: &str) -> Result<Self, ShapesError> {
        Self::read_as("roberta", 50_265, config_json)
    }

    /// The same for an XLM-R's.
    ///
    /// # Errors
    /// As [`RobertaConfig::read`].
    pub fn read_xlm(config_json: &str) -> Result<Self, ShapesError> {
        Self::read_as("xlm-roberta", 30_522, config_json)
    }

    /// `vocab_size` is the default of the architecture; the other defaults are BERT's but for the
    /// padding's id, which is 1.
    fn read_as(
        model_type: &'static str,
        vocab_size: u32,
        config_json: &str,
    ) -> Result<Self, ShapesError> {
        let mut keys: Map<String, Value> = serde_json::from_str(config_json)?;
        keys.entry("vocab_size").or_insert(vocab_size.into());
        keys.entry("pad_token_id").or_insert(1.into());
        let encoder: BertConfig = serde_json::from_value(Value::Object(keys))?;
        encoder.check()?;
        let Some(padding) = encoder.pad_token_id else {
            return Err(impossible(
                "pad_token_id",
                "is null, but positions are counted from it",
            ));
        };
        let config = Self {
            model_type,
            encoder,
            padding,
        };
        if config.encoder.max_position_embeddings <= config.unused_positions() {
            return Err(impossible(
                "max_position_embeddings",
                format!(
                    "is {}, which is too few for a padding id of {padding}",
                    config.encoder.max_position_embeddings
                ),
            ));
        }
        Ok(config)
    }

    /// The keys shared with BERT.
    #[must_use]
    pub fn encoder(&self) -> &BertConfig {
        &self.encoder
    }

    /// Token id of padding; positions begin after it.
    #[must_use]
    pub fn padding(&self) -> u32 {
        self.padding
    }

    /// Rows of the position embedding that no token uses.
    fn unused_positions(&self) -> usize {
        self.padding as usize + 1
    }
}

impl Network for RobertaConfig {
    /// Both layers of the head are trained in full.
    fn shapes(&self, role: Role) -> Option<Shapes> {
        let hidden = self.encoder.hidden_size;
        let mut parts = self.encoder.parts("roberta");
        let spelling = match role {
            Role::Classifier { classes } => {
                parts.weight_and_bias("classifier.dense", &[hidden, hidden], true);
                parts.weight_and_bias("classifier.out_proj", &[classes, hidden], true);
                &CLASSIFIER_SPELLING
            }
            Role::Embedder => &BARE_SPELLING,
            Role::Decoder => return None,
        };
        Some(Shapes {
            max_positions: self.encoder.max_position_embeddings - self.unused_positions(),
            ..self.encoder.shapes_of(self.model_type, spelling, parts)
        })
    }

    fn initializer_range(&self) -> f64 {
        self.encoder.initializer_range
    }

    fn override_dropout(&mut self, probability: f64) {
        self.encoder.override_dropout(probability);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The configuration of `FacebookAI/roberta-base`.
    const BASE: &str = r#"{
        "architectures": ["RobertaForMaskedLM"], "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02,
        "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 514, "model_type": "roberta",
        "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "type_vocab_size": 1, "vocab_size": 50265
    }"#;

    #[test]
    fn lora_on_roberta_base_trains_what_the_study_printed() {
        let shapes = Shapes::read(BASE, 2).unwrap();
        assert_eq!(shapes.total_parameters(), 124_647_170);
        let studied = [
            (8, vec!["query", "value"], 887_042),
            (8, vec!["query", "key", "value"], 1_034_498),
            (4, vec!["query", "key", "value"], 813_314),
            (4, vec!["query", "key", "value"], 813_314),
            (4, vec!["query", "value"], 739_586),
        ];
        for (rank, targets, expected) in studied {
            let targets: Vec<String> = targets.into_iter().map(str::to_owned).collect();
            assert_eq!(
                shapes.trainable_parameters(rank, &targets),
                Ok(expected),
                "{rank} {targets:?}"
            );
        }
    }

    #[test]
    fn texts_have_the_positions_behind_the_padding() {
        let shapes = Shapes::read(BASE, 2).unwrap();
        assert_eq!((shapes.model_type, shapes.max_positions), ("roberta", 512));
        let table = &shapes.tensors[1];
        assert_eq!(
            (table.name.as_str(), table.shape.as_slice()),
            (
                "roberta.embeddings.position_embeddings.weight",
                [514, 768].as_slice()
            )
        );
    }

    #[test]
    fn xlm_r_is_roberta_with_other_defaults() {
        let shapes = Shapes::read(r#"{"model_type": "xlm-roberta"}"#, 2).unwrap();
        assert_eq!(
            (shapes.model_type, shapes.vocab_size, shapes.max_positions),
            ("xlm-roberta", 30_522, 510)
        );
        assert!(
            shapes
                .tensors
                .iter()
                .all(|tensor| tensor.name.starts_with("roberta.") || tensor.head)
        );
        let shapes = Shapes::read(r#"{"model_type": "roberta"}"#, 2).unwrap();
        assert_eq!(shapes.vocab_size, 50_265);
    }

    #[test]
    fn the_head_is_refused_as_a_target() {
        let shapes = Shapes::read(BASE, 2).unwrap();
        for name in ["classifier.dense", "out_proj", "classifier"] {
            let error = shapes.resolve_target(name).unwrap_err().to_string();
            assert!(error.contains("head"), "{name}: {error}");
        }
        assert_eq!(
            shapes.resolve_target("dense").unwrap().len(),
            3 * 12,
            "those below the head"
        );
    }

    #[test]
    fn positions_need_a_padding_id_that_leaves_some() {
        let message = |config: &str| Shapes::read(config, 2).unwrap_err().to_string();
        assert_eq!(
            message(r#"{"model_type": "roberta", "pad_token_id": null}"#),
            "config.json: `pad_token_id` is null, but positions are counted from it"
        );
        assert_eq!(
            message(
                r#"{"model_type": "xlm-roberta", "pad_token_id": 9, "max_position_embeddings": 10}"#
            ),
            "config.json: `max_position_embeddings` is 10, which is too few for a padding id of 9"
        );
    }
}
