//! Counts and names against published figures, and variants that are not implemented.

use super::*;

/// The configuration of `microsoft/deberta-v3-base`.
const BASE: &str = r#"{
    "model_type": "deberta-v2", "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072, "max_position_embeddings": 512,
    "relative_attention": true, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": true,
    "pos_att_type": "p2c|c2p", "layer_norm_eps": 1e-07, "max_relative_positions": -1, "position_biased_input": false,
    "num_attention_heads": 12, "num_hidden_layers": 12, "type_vocab_size": 0, "vocab_size": 128100
}"#;

fn shapes(changes: &str) -> Shapes {
    let role = Role::Classifier { classes: 2 };
    with(changes).unwrap().shapes(role).unwrap()
}

fn with(changes: &str) -> Result<DebertaV2Config, ShapesError> {
    let mut keys: serde_json::Map<String, serde_json::Value> = serde_json::from_str(BASE).unwrap();
    let changes: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(changes).unwrap();
    keys.extend(changes);
    DebertaV2Config::read(&serde_json::Value::Object(keys).to_string())
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn lora_on_deberta_v3_base_trains_what_the_study_printed() {
    let shapes = Shapes::read(BASE, 2).unwrap();
    assert_eq!(shapes.total_parameters(), 184_423_682);
    let studied = [
        (8, vec!["query", "value"], 296_450, 0.160_744),
        (8, vec!["query", "key", "value"], 443_906, 0.240_699_02),
        (4, vec!["query", "key", "value"], 222_722, 0.120_766_49),
        (4, vec!["query", "key", "value"], 222_722, 0.120_766_49),
        (4, vec!["query", "value"], 148_994, 0.080_788_97),
    ];
    for (rank, targets, expected, percent) in studied {
        let targets: Vec<String> = targets.into_iter().map(str::to_owned).collect();
        let trained = shapes.trainable_parameters(rank, &targets).unwrap();
        assert_eq!(trained, expected, "{rank} {targets:?}");
        let share = 100.0 * trained as f64 / shapes.total_parameters() as f64;
        assert!((share - percent).abs() < 5e-7, "{share} {percent}");
    }
}

#[test]
fn the_pooler_can_carry_an_adapter_and_the_classifier_is_the_head() {
    let shapes = Shapes::read(BASE, 3).unwrap();
    assert_eq!(shapes.head_parameters(), 3 * 768 + 3);
    assert_eq!(
        shapes.logical_names(),
        [
            "query",
            "key",
            "value",
            "attention_output",
            "intermediate",
            "output",
            "pooler"
        ]
    );
    assert_eq!(shapes.resolve_target("query_proj").unwrap().len(), 12);
    assert_eq!(shapes.max_positions, 512);
}

#[test]
fn projections_of_positions_are_counted_where_they_are_not_shared() {
    let names = |changes: &str| shapes(changes).logical_names();
    let own = |changes: &str| -> Vec<String> {
        let mut names = names(changes);
        names.retain(|name| name.starts_with("position"));
        names
    };
    assert_eq!(
        own(r#"{"share_att_key": false}"#),
        ["position_key", "position_query"]
    );
    assert_eq!(
        own(r#"{"share_att_key": false, "pos_att_type": ["p2c"]}"#),
        ["position_query"]
    );
    assert!(own("{}").is_empty());
    let shapes = shapes(r#"{"share_att_key": false}"#);
    assert_eq!(
        shapes.resolve_target("query_proj").unwrap().len(),
        12,
        "`pos_query_proj` is another name"
    );
}

#[test]
fn the_table_of_positions_follows_buckets_or_distances() {
    let rows = |changes: &str| with(changes).unwrap().position_rows();
    assert_eq!(rows("{}"), 512);
    assert_eq!(rows(r#"{"position_buckets": -1}"#), 1024);
    assert_eq!(
        rows(r#"{"position_buckets": -1, "max_relative_positions": 100}"#),
        200
    );
    let config = with(r#"{"norm_rel_ebd": "none"}"#).unwrap();
    assert!(!config.norms_positions());
    assert!(with("{}").unwrap().norms_positions());
}

#[test]
fn both_spellings_of_the_terms_are_read() {
    for text in [r#""c2p|p2c""#, r#""P2C | c2p""#, r#"["p2c", "c2p"]"#] {
        let config = with(&format!(r#"{{"pos_att_type": {text}}}"#)).unwrap();
        assert!(config.content_to_position() && config.position_to_content());
    }
    let config = with(r#"{"pos_att_type": "c2p"}"#).unwrap();
    assert!(config.content_to_position() && !config.position_to_content());
}

#[test]
fn variants_without_code_are_refused_with_the_key() {
    for (changes, expected) in [
        (
            r#"{"conv_kernel_size": 3}"#,
            "`conv_kernel_size` is above 0",
        ),
        (
            r#"{"position_biased_input": true}"#,
            "`position_biased_input` is true",
        ),
        (
            r#"{"relative_attention": false}"#,
            "`relative_attention` is false",
        ),
        (
            r#"{"embedding_size": 128}"#,
            "`embedding_size` is 128; only 768",
        ),
        (
            r#"{"attention_head_size": 32}"#,
            "`attention_head_size` is 32; only 64",
        ),
        (
            r#"{"pooler_hidden_size": 32}"#,
            "`pooler_hidden_size` is 32; only 768",
        ),
        (r#"{"z_steps": 2}"#, "`z_steps` is above 1"),
        (r#"{"type_vocab_size": 2}"#, "`type_vocab_size` is above 0"),
        (
            r#"{"norm_rel_ebd": "batch_norm"}"#,
            "`norm_rel_ebd` is `batch_norm`",
        ),
        (
            r#"{"pos_att_type": "p2p"}"#,
            "`pos_att_type` has `p2p` in it",
        ),
        (r#"{"pos_att_type": null}"#, "`pos_att_type` is empty"),
        (r#"{"pos_att_type": []}"#, "`pos_att_type` is empty"),
        (r#"{"position_buckets": 1}"#, "`position_buckets` is 1"),
        (
            r#"{"position_buckets": 256, "max_relative_positions": 100}"#,
            "up to 100",
        ),
        (
            r#"{"hidden_size": 100}"#,
            "12 attention heads cannot share evenly",
        ),
        (r#"{"cls_dropout": 1.0}"#, "`cls_dropout` is 1"),
        (r#"{"layer_norm_eps": 0}"#, "`layer_norm_eps` is 0"),
        (r#"{"vocab_size": 0}"#, "`vocab_size` is 0"),
    ] {
        let error = with(changes).unwrap_err().to_string();
        assert!(error.contains(expected), "{changes}: {error}");
    }
    let harmless = r#"{"conv_kernel_size": 0, "z_steps": 0, "embedding_size": 768, "attention_head_size": 64}"#;
    with(harmless).unwrap();
}
