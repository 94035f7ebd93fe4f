//! DeBERTa-v2 and its adapters against transformers and PEFT.

use burn::backend::Flex;
use burn::tensor::FloatDType;
use engine::checkpoint::Checkpoint;
use engine::models::{Classifier, EncoderClassifier, Weights, adapter, trained, unfreeze};
use engine::nn::ops::Noise;
use engine::nn::{RelativePositions, Tokens, token_keys};
use engine::shapes::{Architecture, Role};
use engine::training::{AdamWOptions, Decay, Example, Options, Schedule, Unobserved, fine_tune};
use serde::Deserialize;

use crate::bert::B;
use crate::fixture::{Fixture, assert_close, card, path, values, weights};
use crate::roberta::{check_adapter, check_counts, check_forward, load};

/// Buckets and none, projections shared and not, both orders of the terms and each alone.
const CASES: [&str; 4] = ["buckets", "distances", "c2p", "p2c"];

#[test]
fn logits_equal_transformers_for_ragged_batches_and_single_rows() {
    for case in CASES {
        let (_, model, fresh) = load(&format!("deberta/{case}/checkpoint"), 2);
        assert!(fresh.is_empty(), "{case}: {fresh:?}");
        let fixture = Fixture::read(&format!("deberta/{case}/forward.safetensors"));
        for batch in 0..4 {
            check_forward(&model, &fixture, &format!("batch.{batch}."));
        }
    }
}

#[test]
fn adapters_of_peft_give_its_logits_and_gradients() {
    for (case, adapter) in [
        ("buckets", "query-key-value"),
        ("buckets", "all-linears"),
        ("buckets", "pooler"),
        ("distances", "all-linears"),
        ("p2c", "query-value"),
    ] {
        check_adapter(&format!("deberta/{case}"), 2, adapter);
    }
}

#[test]
fn the_built_model_has_the_parameters_that_shapes_lists() {
    for case in CASES {
        check_counts(&format!("deberta/{case}"), 2);
    }
}

#[test]
fn distances_have_the_rows_of_transformers() {
    #[derive(Deserialize)]
    struct Case {
        buckets: usize,
        furthest: usize,
        rows: Vec<usize>,
    }
    let text = std::fs::read_to_string(path("deberta/rows.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    for case in cases {
        let positions = RelativePositions {
            buckets: Some(case.buckets),
            furthest: case.furthest,
        };
        let reach = isize::try_from(case.rows.len() / 2).unwrap();
        let rows: Vec<usize> = (-reach..=reach)
            .map(|distance| positions.row(distance))
            .collect();
        assert_eq!(rows, case.rows, "{} {}", case.buckets, case.furthest);
    }
}

/// The checkpoint that has what `microsoft/deberta-v3-base` has, with another seed for what it
/// lacks.
fn pretraining<T: engine::nn::ops::Operations>(seed: u64) -> (EncoderClassifier<T>, Vec<String>) {
    let folder = path("deberta/pretraining");
    let text = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let mut config = Architecture::read(&text, Role::Classifier { classes: 2 }).unwrap();
    config.override_dropout(0.0);
    let shapes = config.shapes();
    let checkpoint = Checkpoint::open(&folder, &shapes.tensors, shapes.spelling).unwrap();
    let device = Default::default();
    let weights = weights(&checkpoint, seed, FloatDType::F32, &device);
    let model = EncoderClassifier::new(&config, &weights).unwrap();
    (model, checkpoint.fresh().to_vec())
}

#[test]
fn a_checkpoint_of_pre_training_is_read_and_its_pooler_starts_afresh() {
    let (model, fresh) = pretraining::<B>(0);
    let expected = [
        "pooler.dense.weight",
        "pooler.dense.bias",
        "classifier.weight",
        "classifier.bias",
    ];
    assert_eq!(fresh, expected);
    let fixture = Fixture::read("deberta/pretraining/expected.safetensors");
    let tokens = Tokens::new(&fixture.texts(""), &Default::default());
    let hidden = values(model.hidden_states(&tokens, None));
    assert_close(
        "pretraining",
        &hidden,
        &fixture.floats("last_hidden_state"),
        1e-5,
    );
}

#[test]
fn a_fresh_pooler_travels_with_the_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, fresh) = pretraining::<B>(1);
    let settings = adapter::AdapterSettings {
        rank: 2,
        alpha: 4.0,
        modules: model
            .linears()
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| name.ends_with("query_proj"))
            .collect(),
        ..adapter::AdapterSettings::default()
    };
    adapter::attach(&mut model, &settings, 5);
    adapter::write(&mut model, folder.path(), &settings, &fresh, &card()).unwrap();
    let written = folder.path().join("adapter_model.safetensors");
    let written = Fixture::read(written.to_str().unwrap());
    assert!(written.has("base_model.model.pooler.dense.weight"));

    let (mut again, _) = pretraining::<B>(99);
    let tokens = Tokens::new(&[[2_u32, 7, 9, 3]], &Default::default());
    let logits = |model: &EncoderClassifier<B>| values(model.logits(&tokens, None));
    assert_ne!(logits(&again), logits(&model));
    let read = adapter::read(&mut again, folder.path()).unwrap();
    assert!(read.saved.contains("pooler.dense"));
    assert_eq!(logits(&again), logits(&model));
}

/// Logits of a model whose dropout is on, for some texts of the data set.
fn noisy(config: &Architecture, rows: &[usize], step: u64) -> Vec<f32> {
    let device = Default::default();
    let weights = Weights {
        checkpoint: None,
        seed: 3,
        head_seed: 3,
        deviation: 0.3,
        format: FloatDType::F32,
        device: &device,
    };
    let mut model = EncoderClassifier::<B>::new(config, &weights).unwrap();
    let settings = adapter::AdapterSettings {
        rank: 2,
        alpha: 4.0,
        dropout: 0.4,
        modules: model.linears().into_iter().map(|(name, _)| name).collect(),
        ..adapter::AdapterSettings::default()
    };
    adapter::attach(&mut model, &settings, 5);
    for (name, mut parameter) in trained(&mut model) {
        if name.ends_with("lora_B.weight") {
            parameter.set(parameter.flat().ones_like() * 0.1);
        }
    }
    let texts: Vec<Vec<u32>> = rows
        .iter()
        .map(|&row| (0..[9, 60, 4][row]).map(|id| (id * 7 + 5) % 120).collect())
        .collect();
    let noise = Noise::new(1, step, token_keys(&texts, rows));
    values(model.logits(&Tokens::new(&texts, &device), Some(&noise)))
}

#[test]
fn dropout_repeats_itself_whatever_a_text_is_batched_with() {
    for case in CASES {
        let folder = path(&format!("deberta/{case}/checkpoint"));
        let text = std::fs::read_to_string(folder.join("config.json")).unwrap();
        let config = Architecture::read(&text, Role::Classifier { classes: 2 }).unwrap();
        let together = noisy(&config, &[0, 1, 2], 4);
        assert_eq!(together, noisy(&config, &[0, 1, 2], 4));
        assert_ne!(together, noisy(&config, &[0, 1, 2], 5));
        for row in 0..3 {
            let alone = noisy(&config, &[row], 4);
            assert_close(case, &alone, &together[row * 2..row * 2 + 2], 1e-5);
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_names_the_layer() {
    let (_, mut model, _) = load("deberta/buckets/checkpoint", 2);
    adapter::read(&mut model, &path("deberta/buckets/trajectory/initial")).unwrap();
    unfreeze(&mut model);
    for (name, mut parameter) in trained(&mut model) {
        if name.contains("layer.1.attention.self.value_proj.lora_B") {
            parameter.set(parameter.flat().ones_like() * f32::INFINITY);
        }
    }
    let examples = [Example {
        tokens: vec![2, 7, 9, 3],
        label: 0,
        row: 0,
    }];
    let options = Options {
        epochs: 1,
        batch_size: 1,
        micro_batch_size: 1,
        gradient_checkpointing: false,
        loss_scale: None,
        gradient_accumulation: 1,
        schedule: Schedule {
            peak: 1e-3,
            warmup_steps: 0,
            total_steps: 1,
            decay: Decay::Constant,
        },
        adamw: AdamWOptions {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        },
        max_gradient_norm: 1.0,
        logging_steps: 1,
        shuffle: false,
        keep_best: false,
        early_stopping: None,
        seed: 1,
    };
    let error = fine_tune::<Flex, _>(
        &mut model,
        &examples,
        &examples,
        &options,
        &Default::default(),
        None,
        &mut Unobserved,
    )
    .unwrap_err();
    assert!(
        error.to_string().starts_with(
            "the loss is NaN at step 1, first not finite in layer 1, counted from 0: "
        ),
        "{error}"
    );
}
