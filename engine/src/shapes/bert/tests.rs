//! Counts and names against published figures, and configurations that are impossible.

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
