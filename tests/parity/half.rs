//! Encoders in 16 bits against their own f32 and against PyTorch's autocast, which rounds for products alone.

use burn::tensor::FloatDType;
use ensayo::models::Classifier;
use ensayo::models::{
    Checkpoint, EncoderClassifier, Weights, adapter, spelling, trained, unfreeze,
};
use ensayo::nn::Tokens;
use ensayo::shapes::EncoderConfig;
use ensayo::training::summed_cross_entropy;

use crate::bert::B;
use crate::fixture::{Fixture, path, values};

/// The loss's scale in the generator, and here.
const SCALE: f32 = 1024.0;

fn load(folder: &str, format: FloatDType) -> EncoderClassifier<B> {
    let base = path(&format!("{folder}/checkpoint"));
    let text = std::fs::read_to_string(base.join("config.json")).unwrap();
    let mut config = EncoderConfig::read(&text).unwrap();
    config.override_dropout(0.0);
    let checkpoint = Checkpoint::open(&base, &config.shapes(2).tensors, spelling(&config)).unwrap();
    let device = Default::default();
    let weights = Weights {
        checkpoint: Some(&checkpoint),
        seed: 0,
        head_seed: 0,
        deviation: 0.02,
        format,
        device: &device,
    };
    let mut model = EncoderClassifier::new(&config, 2, &weights).unwrap();
    adapter::read(
        &mut model,
        &path(&format!("{folder}/lora/query-value/adapter")),
    )
    .unwrap();
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
    for folder in ["bert", "roberta"] {
        let exact = Fixture::read(&format!("{folder}/lora/query-value/expected.safetensors"));
        let autocast = Fixture::read(&format!("half/{folder}.safetensors"));
        let labels = exact.integers("labels");
        let tokens = Tokens::new(&exact.texts(""), &Default::default());
        // The unit of rounding is 2^-8 and 2^-11.
        for (name, format, tolerance) in [
            ("bf16", FloatDType::BF16, 0.05),
            ("f16", FloatDType::F16, 0.0125),
        ] {
            let mut model = load(folder, format);
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
            // Autocast holds the weights and the sums between layers in f32, which is twice the memory; that costs little.
            let ratio = f64::sqrt(ours_squared / theirs_squared);
            assert!(ratio <= 2.0, "{folder} {name}: {ratio}");
        }
    }
}
