//! Encoders in 16 bits against their own f32 and against PyTorch's autocast, which rounds for
//! products alone.

use burn::tensor::FloatDType;
use engine::models::{Classifier, EncoderClassifier, adapter, trained, unfreeze};
use engine::nn::Tokens;
use engine::nn::ops::alone_with_gradients;
use engine::training::summed_cross_entropy;

use crate::bert::B;
use crate::fixture::{Fixture, path, values};
use crate::roberta::load_in;

/// The loss's scale in the generator, and here.
const SCALE: f32 = 1024.0;

fn load(folder: &str, case: &str, format: FloatDType) -> EncoderClassifier<B> {
    let (_, mut model, _) = load_in(&format!("{folder}/checkpoint"), 2, format);
    adapter::read(&mut model, &path(&format!("{folder}/lora/{case}/adapter"))).unwrap();
    unfreeze(&mut model);
    model
}

/// The norm of a difference by the norm of the reference.
fn distance(actual: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let square = |value: f32| f64::from(value) * f64::from(value);
    let difference: f64 = actual
        .iter()
        .zip(expected)
        .map(|(a, b)| square(a - b))
        .sum();
    let reference: f64 = expected.iter().map(|&value| square(value)).sum();
    assert!(reference > 0.0, "the reference is 0, which proves nothing");
    (difference / reference).sqrt()
}

#[test]
fn logits_and_gradients_in_16_bits_are_as_near_to_f32_as_their_format_allows() {
    let _turn = alone_with_gradients();
    for (folder, case, file) in [
        ("bert", "query-value", "bert"),
        ("roberta", "query-value", "roberta"),
        ("deberta/buckets", "query-key-value", "deberta-buckets"),
        ("deberta/p2c", "query-value", "deberta-p2c"),
    ] {
        let exact = Fixture::read(&format!("{folder}/lora/{case}/expected.safetensors"));
        let autocast = Fixture::read(&format!("half/{file}.safetensors"));
        let labels = exact.integers("labels");
        let tokens = Tokens::new(&exact.texts(""), &Default::default());
        // Two dozen units of rounding, which are 2^-8 and 2^-11.
        for (name, format, tolerance) in [
            ("bf16", FloatDType::BF16, 24.0 / 256.0),
            ("f16", FloatDType::F16, 24.0 / 2048.0),
        ] {
            let mut model = load(folder, case, format);
            let (mut ours_squared, mut theirs_squared) = (0.0, 0.0);
            let logits = model.logits(&tokens, None);
            let mut check = |what: &str, actual: &[f32], name: &str, theirs: &str| {
                let expected = exact.floats(name);
                let ours = distance(actual, &expected);
                let theirs = distance(&autocast.floats(theirs), &expected);
                ours_squared += ours * ours;
                theirs_squared += theirs * theirs;
                assert!(
                    ours <= tolerance,
                    "{folder} {what}: {ours}, autocast {theirs}"
                );
            };
            check(
                &format!("{name} logits"),
                &values(logits.clone()),
                "logits",
                &format!("{name}.logits"),
            );
            #[allow(clippy::cast_precision_loss)]
            let loss = summed_cross_entropy(logits, &labels) / labels.len() as f32;
            let mut gradients = (loss * SCALE).backward();
            for (parameter, trained) in trained(&mut model) {
                let gradient = values(trained.take_gradient(&mut gradients).unwrap());
                let gradient: Vec<f32> = gradient.iter().map(|value| value / SCALE).collect();
                let key = format!("gradient.base_model.model.{parameter}");
                check(
                    &format!("{name} {parameter}"),
                    &gradient,
                    &key,
                    &format!("{name}.{key}"),
                );
            }
            // Autocast holds the weights and the sums between layers in f32, which is twice the
            // memory; that costs little.
            let ratio = f64::sqrt(ours_squared / theirs_squared);
            assert!(ratio <= 2.0, "{folder} {name}: {ratio}");
        }
    }
}
