//! A whole small encoder with adapters: against transformers and PEFT without dropout, against the
//! processor with it.

use burn::backend::{Autodiff, Flex};
use burn::tensor::FloatDType;
use burn::tensor::backend::AutodiffBackend;
use engine::checkpoint::Checkpoint;
use engine::models::bert::BertClassifier;
use engine::models::{Classifier, adapter, trained, unfreeze};
use engine::nn::ops::{Noise, Operations, alone_with_gradients};
use engine::nn::{Tokens, token_keys};
use engine::shapes::{Network, Role};
use engine::training::summed_cross_entropy;

use crate::fixture::{Fixture, assert_close, assert_relative, config, path, values, weights};
use crate::{B, ready};

const ADAPTER: &str = "bert/lora/query-value";

/// Logits of a batch and the gradients of its mean loss, by parameter.
fn run<T: AutodiffBackend + Operations>(dropout: f64) -> (Vec<f32>, Vec<(String, Vec<f32>)>) {
    let _turn = alone_with_gradients();
    let device = Default::default();
    let folder = path("bert/checkpoint");
    let mut config = config(&folder);
    config.override_dropout(dropout);
    let shapes = config.shapes(Role::Classifier { classes: 2 }).unwrap();
    let checkpoint = Checkpoint::open(&folder, &shapes.tensors, shapes.spelling).unwrap();
    let weights = weights(&checkpoint, 0, FloatDType::F32, &device);
    let mut model: BertClassifier<T> = BertClassifier::new(&config, 2, &weights).unwrap();
    adapter::read(&mut model, &path(&format!("{ADAPTER}/adapter"))).unwrap();
    unfreeze(&mut model);

    let fixture = Fixture::read(&format!("{ADAPTER}/expected.safetensors"));
    let (texts, labels) = (fixture.texts(""), fixture.integers("labels"));
    let rows: Vec<usize> = (0..texts.len()).collect();
    let noise = Noise::new(5, 7, token_keys(&texts, &rows));
    let noise = (dropout > 0.0).then_some(&noise);
    let logits = model.logits(&Tokens::new(&texts, &device), noise);
    #[allow(clippy::cast_precision_loss)]
    let loss = summed_cross_entropy(logits.clone(), &labels) / labels.len() as f32;
    let mut gradients = loss.backward();
    let gradients = trained(&mut model)
        .into_iter()
        .map(|(name, parameter)| {
            (
                name,
                values(parameter.take_gradient(&mut gradients).unwrap()),
            )
        })
        .collect();
    (values(logits), gradients)
}

#[test]
fn logits_and_gradients_equal_pefts() {
    if !ready() {
        return;
    }
    let fixture = Fixture::read(&format!("{ADAPTER}/expected.safetensors"));
    let (logits, gradients) = run::<B>(0.0);
    assert_close("logits", &logits, &fixture.floats("logits"), 1e-5);
    assert!(gradients.len() > 8);
    for (name, gradient) in gradients {
        let expected = fixture.floats(&format!("gradient.base_model.model.{name}"));
        assert_relative(&name, &gradient, &expected, 1e-4);
    }
}

#[test]
fn dropout_gives_the_processors_logits_and_gradients() {
    if !ready() {
        return;
    }
    let (expected_logits, expected) = run::<Autodiff<Flex>>(0.2);
    let (logits, gradients) = run::<B>(0.2);
    assert_ne!(expected_logits, run::<Autodiff<Flex>>(0.0).0);
    assert_close("logits", &logits, &expected_logits, 1e-5);
    for ((name, gradient), (_, expected)) in gradients.iter().zip(&expected) {
        assert_relative(name, gradient, expected, 1e-4);
    }
}
