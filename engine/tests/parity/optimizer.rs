//! Schedules, AdamW and clipping against transformers and PyTorch.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use engine::training::{AdamW, AdamWOptions, Decay, Schedule, clip, global_norm};
use serde::Deserialize;

use crate::fixture::{assert_close, path, values};

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn tensor(values: &[f32]) -> Tensor<Flex, 1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        &Default::default(),
    )
}

#[test]
fn schedules_equal_transformers() {
    #[derive(Deserialize)]
    struct Case {
        schedule: String,
        learning_rate: f64,
        steps: usize,
        warmup_steps: usize,
        rates: Vec<f64>,
    }
    #[derive(Deserialize)]
    struct Cases {
        cases: Vec<Case>,
    }
    let cases: Cases = read("schedule/schedule.json");
    assert!(cases.cases.len() > 30);
    for case in cases.cases {
        let decay = match case.schedule.as_str() {
            "linear" => Decay::Linear,
            "cosine" => Decay::Cosine,
            "constant" => Decay::Constant,
            other => panic!("{other}"),
        };
        let schedule = Schedule {
            peak: case.learning_rate,
            warmup_steps: case.warmup_steps,
            total_steps: case.steps,
            decay,
        };
        for (step, expected) in case.rates.iter().enumerate() {
            let rate = schedule.at(step);
            let name = format!(
                "{} {}/{} step {step}",
                case.schedule, case.warmup_steps, case.steps
            );
            assert!(
                (rate - expected).abs() <= 1e-15 * case.learning_rate.max(1.0),
                "{name}: {rate} {expected}"
            );
        }
    }
}

#[derive(Deserialize)]
struct Optimizer {
    adamw: Vec<Trajectory>,
    clipping: Vec<Clipping>,
}

#[derive(Deserialize)]
struct Trajectory {
    learning_rates: Vec<f64>,
    weight_decay: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    start: Vec<f32>,
    gradients: Vec<Vec<f32>>,
    tensors: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Clipping {
    max_gradient_norm: f64,
    norm: f64,
    before: Vec<Vec<f32>>,
    after: Vec<Vec<f32>>,
}

#[test]
fn adamw_equals_pytorchs() {
    let fixture: Optimizer = read("optimizer/optimizer.json");
    for (number, case) in fixture.adamw.iter().enumerate() {
        let options = AdamWOptions {
            beta1: case.beta1,
            beta2: case.beta2,
            epsilon: case.epsilon,
            weight_decay: case.weight_decay,
        };
        let mut optimiser = AdamW::new(options, [true]);
        let mut parameter = tensor(&case.start);
        for (step, (rate, gradient)) in case.learning_rates.iter().zip(&case.gradients).enumerate()
        {
            parameter = optimiser
                .step(*rate, vec![parameter], vec![tensor(gradient)])
                .remove(0);
            assert_close(
                &format!("case {number} step {step}"),
                &values(parameter.clone()),
                &case.tensors[step],
                1e-6,
            );
        }
    }
}

#[test]
fn clipping_by_the_global_norm_equals_pytorchs() {
    let fixture: Optimizer = read("optimizer/optimizer.json");
    for case in fixture.clipping {
        let gradients: Vec<_> = case.before.iter().map(|values| tensor(values)).collect();
        let norm = global_norm(&gradients);
        assert!(
            (norm - case.norm).abs() <= 1e-6 * case.norm,
            "{norm} {}",
            case.norm
        );
        for (actual, expected) in clip(gradients, norm, case.max_gradient_norm)
            .into_iter()
            .zip(&case.after)
        {
            assert_close("clipped", &values(actual), expected, 1e-6);
        }
    }
}
