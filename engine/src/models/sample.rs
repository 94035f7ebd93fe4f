//! Small random encoders with dropout everywhere, for the tests of other rooms.

use std::collections::BTreeSet;

use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{FloatDType, Tensor, TensorData};

use super::adapter::{self, AdapterSettings};
use super::{Classifier, EncoderClassifier, Initial, Weights, draw, trained, unfreeze};
use crate::shapes::{Architecture, Role};

pub(crate) type Model = EncoderClassifier<Autodiff<Flex>>;

pub(crate) const BERT: &str = r#"{
    "model_type": "bert", "vocab_size": 50, "type_vocab_size": 2, "max_position_embeddings": 40, "pad_token_id": 0,
    "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5, "initializer_range": 0.1,
    "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1
}"#;

pub(crate) fn roberta() -> String {
    BERT.replace("bert", "roberta")
        .replace("\"pad_token_id\": 0", "\"pad_token_id\": 1")
}

/// Relative positions in buckets, which the adapters on queries and keys see too.
pub(crate) const DEBERTA: &str = r#"{
    "model_type": "deberta-v2", "vocab_size": 50, "type_vocab_size": 0, "max_position_embeddings": 40, "pad_token_id": 0,
    "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5, "initializer_range": 0.1,
    "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
    "relative_attention": true, "max_relative_positions": -1, "position_buckets": 8, "position_biased_input": false,
    "norm_rel_ebd": "layer_norm", "pos_att_type": ["p2c", "c2p"], "share_att_key": true,
    "pooler_dropout": 0.1, "pooler_hidden_act": "gelu", "pooler_hidden_size": 32
}"#;

/// A classifier with adapters that already do something on the modules whose names contain one of
/// `targets`.
pub(crate) fn model(config: &str, targets: &[&str], format: FloatDType) -> Model {
    let architecture = Architecture::read(config, Role::Classifier { classes: 2 }).unwrap();
    let weights = Weights {
        checkpoint: None,
        seed: 1,
        head_seed: 2,
        deviation: architecture.initializer_range(),
        format,
        device: &FlexDevice,
    };
    let mut model = Model::new(&architecture, &weights).unwrap();
    let modules: BTreeSet<String> = model
        .linears()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| targets.iter().any(|target| name.contains(target)))
        .collect();
    assert!(!modules.is_empty());
    let settings = AdapterSettings {
        rank: 4,
        alpha: 8.0,
        dropout: 0.1,
        modules,
        ..AdapterSettings::default()
    };
    adapter::attach(&mut model, &settings, 3);
    for (name, mut parameter) in trained(&mut model) {
        let shape = parameter.shape();
        if shape.len() == 2 {
            let count = shape.iter().product();
            let values = draw(4, &name, count, Initial::Normal(0.1));
            let values = TensorData::new(values, [count]);
            parameter.set(Tensor::from_data(values, &FlexDevice));
        }
    }
    unfreeze(&mut model);
    model
}
