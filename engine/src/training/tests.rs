//! The ways to the gradients of a step against each other, on small random encoders with dropout
//! everywhere.

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use burn::tensor::{FloatDType, Tensor};

use super::checkpointed::Checkpointed;
use super::step::Step;
use super::*;
use crate::models::adapter::snapshot;
use crate::models::sample::{BERT, DEBERTA, Model, model, roberta};
use crate::models::trained;

/// Texts of unequal length.
fn examples(count: usize) -> Vec<Example> {
    let example = |row: usize| Example {
        tokens: (0..3 + row * 7 % 29)
            .map(|position| u32::try_from(2 + (row * 31 + position * 17) % 48).unwrap())
            .collect(),
        label: row % 2,
        row,
    };
    (0..count).map(example).collect()
}

/// Loss and gradients of a step over two batches of five and three texts.
fn gradients(
    model: &mut Model,
    micro_batch_size: usize,
    checkpointed: Option<&mut Checkpointed>,
    loss_scale: f64,
) -> (f64, Vec<Vec<f32>>) {
    let examples = examples(8);
    let batches: Vec<Vec<&Example>> = [&examples[..5], &examples[5..]]
        .map(|batch| batch.iter().collect())
        .to_vec();
    let mut step = Step::<Flex> {
        device: &FlexDevice,
        micro_batch_size,
        checkpointed,
        loss_scale,
        seed: 7,
        number: 3,
    };
    let (loss, gradients) = step.gradients(model, batches.into_iter());
    let values = |gradient: Option<Tensor<Flex, 1>>| {
        let data = gradient.unwrap().into_data();
        data.iter::<f32>().collect()
    };
    (loss, gradients.into_iter().map(values).collect())
}

/// The norm of a difference by the norm of the reference.
fn distance(actual: &[f32], expected: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| -> f64 {
        values.map(|value| value * value).sum::<f64>().sqrt()
    };
    let pairs = actual.iter().zip(expected);
    let difference = norm(&mut pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let reference = norm(&mut expected.iter().map(|&value| f64::from(value)));
    assert!(reference > 0.0, "the reference is 0, which proves nothing");
    difference / reference
}

#[track_caller]
fn assert_near(model: &mut Model, actual: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f64) {
    let names: Vec<String> = trained(model).into_iter().map(|(name, _)| name).collect();
    assert_eq!((actual.len(), expected.len()), (names.len(), names.len()));
    for ((name, actual), expected) in names.iter().zip(actual).zip(expected) {
        let distance = distance(actual, expected);
        assert!(distance <= tolerance, "{name}: {distance:e}");
    }
}

#[test]
fn the_size_of_micro_batches_changes_neither_loss_nor_gradients() {
    for config in [BERT, &roberta(), DEBERTA] {
        let mut model = model(config, &["query", "value"], FloatDType::F32);
        let (loss, whole) = gradients(&mut model, 8, None, 1.0);
        for size in [1, 2, 3] {
            let (other, pieces) = gradients(&mut model, size, None, 1.0);
            assert!((loss - other).abs() < 1e-6, "{loss} {other}");
            assert_near(&mut model, &pieces, &whole, 1e-6);
        }
    }
}

#[test]
fn checkpointing_changes_no_gradient() {
    for config in [BERT, &roberta(), DEBERTA] {
        for targets in [&["query", "intermediate"][..], &["layer.2.", "layer.3."]] {
            let mut model = model(config, targets, FloatDType::F32);
            let (loss, kept) = gradients(&mut model, 8, None, 1.0);
            let mut checkpointed = Checkpointed::default();
            // The second time it knows where to stop.
            for micro_batch_size in [8, 8, 2] {
                let way = Some(&mut checkpointed);
                let (other, again) = gradients(&mut model, micro_batch_size, way, 1.0);
                assert!((loss - other).abs() < 1e-6, "{loss} {other}");
                assert_near(&mut model, &again, &kept, 1e-6);
            }
        }
    }
}

#[test]
fn trainings_in_several_threads_at_once_lose_no_gradient() {
    let [mut alone, others @ ..] =
        [(); 4].map(|()| model(DEBERTA, &["query", "intermediate"], FloatDType::F32));
    let (_, expected) = gradients(&mut alone, 8, None, 1.0);
    std::thread::scope(|scope| {
        for mut model in others {
            let expected = &expected;
            scope.spawn(move || {
                for _ in 0..20 {
                    let (_, found) = gradients(&mut model, 2, None, 1.0);
                    assert_near(&mut model, &found, expected, 1e-6);
                }
            });
        }
    });
}

#[test]
fn checkpointing_finds_the_lowest_layer_that_is_trained() {
    for (targets, lowest) in [
        (&["query"][..], 0),
        (&["layer.2.", "layer.3."], 2),
        (&["pooler"], 4),
    ] {
        let mut model = model(BERT, targets, FloatDType::F32);
        let mut checkpointed = Checkpointed::default();
        gradients(&mut model, 8, Some(&mut checkpointed), 1.0);
        assert_eq!(
            format!("{checkpointed:?}"),
            format!("Checkpointed {{ lowest: Some({lowest}) }}")
        );
    }
}

#[test]
fn half_precision_gives_the_gradients_of_f32_within_its_rounding() {
    // A rounding is up to 2^-9 of a value in bf16, 2^-12 in f16; some dozens of them follow one
    // another.
    for (format, tolerance) in [(FloatDType::BF16, 0.06), (FloatDType::F16, 0.008)] {
        for config in [BERT, &roberta(), DEBERTA] {
            let targets = &["query", "value", "intermediate"];
            let mut exact = model(config, targets, FloatDType::F32);
            let mut half = model(config, targets, format);
            let (expected_loss, expected) = gradients(&mut exact, 8, None, 1.0);
            let (loss, scaled) = gradients(&mut half, 8, None, 1024.0);
            assert!(
                (loss - expected_loss).abs() < tolerance,
                "{loss} {expected_loss}"
            );
            let actual: Vec<Vec<f32>> = scaled
                .iter()
                .map(|values| values.iter().map(|value| value / 1024.0).collect())
                .collect();
            assert_near(&mut half, &actual, &expected, tolerance);
            let mut checkpointed = Checkpointed::default();
            let (_, again) = gradients(&mut half, 8, Some(&mut checkpointed), 1024.0);
            assert_near(&mut half, &again, &scaled, tolerance);
        }
    }
}

#[test]
fn small_gradients_vanish_in_f16_unless_the_loss_is_scaled() {
    let mut model = model(BERT, &["layer.0.attention.self.query"], FloatDType::F16);
    // Attention far from the head, of a network that is almost indifferent to it.
    for (_, mut parameter) in trained(&mut model) {
        let values = parameter.flat() * 0.005;
        parameter.set(values);
    }
    let zeros = |gradients: &[Vec<f32>]| {
        let query = gradients[..2].iter().flatten();
        query.filter(|value| **value == 0.0).count()
    };
    let (_, plain) = gradients(&mut model, 8, None, 1.0);
    let (_, scaled) = gradients(&mut model, 8, None, LossScale::default().factor);
    assert!(scaled.iter().flatten().all(|value| value.is_finite()));
    assert!(zeros(&plain) > 20, "{}", zeros(&plain));
    assert_eq!(zeros(&scaled), 0);
}

/// Stops after a step and keeps the state.
struct StopAfter(usize, Option<State>);

impl Observer for StopAfter {
    fn step(&mut self, done: usize, _: usize, _: f64) -> Control {
        if done == self.0 {
            Control::Stop
        } else {
            Control::Continue
        }
    }

    fn log(&mut self, _: &LogRow) {}

    fn evaluated(&mut self, _: usize, _: usize) -> Control {
        Control::Continue
    }

    fn epoch(&mut self, _: &Epoch) {}

    fn checkpoint(&mut self, state: &mut dyn FnMut() -> State) {
        self.1 = Some(state());
    }
}

fn options(factor: f64) -> Options {
    Options {
        epochs: 2,
        batch_size: 4,
        micro_batch_size: 2,
        gradient_checkpointing: true,
        loss_scale: Some(LossScale::of(factor)),
        gradient_accumulation: 1,
        schedule: Schedule {
            peak: 1e-3,
            warmup_steps: 0,
            total_steps: 12,
            decay: Decay::Linear,
        },
        adamw: AdamWOptions::default(),
        max_gradient_norm: 1.0,
        logging_steps: 1,
        shuffle: true,
        keep_best: false,
        early_stopping: None,
        seed: 5,
    }
}

/// A factor that is too high for the first steps.
fn too_high() -> f64 {
    f64::powi(2.0, 26)
}

/// A training with that factor: its history and what it trained.
fn train(resume: Option<State>, observer: &mut dyn Observer) -> (History, Vec<Vec<f32>>) {
    let mut model = model(BERT, &["query", "value"], FloatDType::F16);
    let examples = examples(24);
    let (options, judged) = (options(too_high()), &examples[..4]);
    let history = fine_tune::<Flex, _>(
        &mut model,
        &examples,
        judged,
        &options,
        &FlexDevice,
        resume,
        observer,
    );
    let values = snapshot(&mut model).into_iter().map(history::to_values);
    (history.unwrap(), values.collect())
}

#[test]
fn a_step_that_overflows_is_skipped_and_counted_and_advances_neither_optimiser_nor_schedule() {
    let (history, _) = train(None, &mut Unobserved);
    let scale = history.loss_scale.clone().unwrap();
    let skipped = scale.skipped_steps;
    assert!((1..12).contains(&skipped), "{skipped}");
    let halved = too_high() / f64::powi(2.0, i32::try_from(skipped).unwrap());
    assert!((scale.factor - halved).abs() < 1.0, "{}", scale.factor);
    assert_eq!((history.steps, history.steps_taken()), (12, 12 - skipped));
    for (index, row) in history.log.iter().enumerate() {
        // The overflows come first, one after the other.
        assert_eq!(row.gradient_norm.is_nan(), index < skipped, "{row:?}");
        #[allow(clippy::cast_precision_loss)]
        let advanced = index.saturating_sub(skipped) as f64;
        assert!(
            (row.learning_rate - 1e-3 * (1.0 - advanced / 12.0)).abs() < 1e-12,
            "{row:?}"
        );
        assert!(row.loss.is_finite());
    }
    let mut stop = StopAfter(1, None);
    train(None, &mut stop);
    let (after, mut fresh) = (
        stop.1.unwrap(),
        model(BERT, &["query", "value"], FloatDType::F16),
    );
    let values: Vec<Vec<f32>> = snapshot(&mut fresh)
        .into_iter()
        .map(history::to_values)
        .collect();
    assert_eq!((after.parameters, after.moments), (values, Vec::new()));
}

#[test]
fn a_training_in_f16_that_is_interrupted_ends_as_if_it_had_not_been() {
    let (whole, values) = train(None, &mut Unobserved);
    for step in [1, 5, 9] {
        let mut stop = StopAfter(step, None);
        train(None, &mut stop);
        let text = serde_json::to_string(&stop.1.as_ref().unwrap().history).unwrap();
        let mut state = stop.1.unwrap();
        // As a file keeps it.
        state.history = serde_json::from_str(&text).unwrap();
        let (history, again) = train(Some(state), &mut Unobserved);
        assert_eq!(history.loss_scale, whole.loss_scale);
        assert_eq!(history.epochs, whole.epochs);
        assert_eq!(again, values, "{step}");
    }
}
