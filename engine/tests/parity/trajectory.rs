//! Twenty steps of training against PyTorch: losses, gradient norms, learning rates and the final
//! parameters.

use burn::backend::Flex;
use engine::models::{adapter, trained, unfreeze};
use engine::training::{AdamWOptions, Decay, Example, Options, Schedule, Unobserved, fine_tune};
use serde::Deserialize;

use crate::fixture::{Fixture, assert_relative, path, values};
use crate::roberta::load;

#[derive(Deserialize)]
struct Log {
    settings: Settings,
    losses: Vec<f64>,
    gradient_norms: Vec<f64>,
    learning_rates: Vec<f64>,
}

#[derive(Deserialize)]
struct Settings {
    gradient_accumulation: usize,
    learning_rate: f64,
    weight_decay: f64,
    max_gradient_norm: f64,
}

fn options(log: &Log) -> Options {
    Options {
        epochs: 1,
        batch_size: 8,
        micro_batch_size: 8,
        gradient_checkpointing: false,
        loss_scale: None,
        gradient_accumulation: log.settings.gradient_accumulation,
        schedule: Schedule {
            peak: log.settings.learning_rate,
            warmup_steps: 0,
            total_steps: log.losses.len(),
            decay: Decay::Linear,
        },
        adamw: AdamWOptions {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: log.settings.weight_decay,
        },
        max_gradient_norm: log.settings.max_gradient_norm,
        logging_steps: 1,
        shuffle: false,
        keep_best: false,
        early_stopping: None,
        seed: 1,
    }
}

#[test]
fn training_follows_pytorchs_trajectory() {
    for (folder, case, classes) in [
        ("bert", "trajectory", 2),
        ("bert", "trajectory-accumulated", 2),
        ("bert", "trajectory-saved", 2),
        ("roberta", "trajectory", 2),
        ("xlm-roberta", "trajectory", 3),
        ("deberta/buckets", "trajectory", 2),
    ] {
        let case = format!("{folder}/{case}");
        let log: Log = serde_json::from_str(
            &std::fs::read_to_string(path(&format!("{case}/trajectory.json"))).unwrap(),
        )
        .unwrap();
        let (_, mut model, _) = load(&format!("{folder}/checkpoint"), classes);
        adapter::read(&mut model, &path(&format!("{case}/initial"))).unwrap();
        unfreeze(&mut model);

        let fixture = Fixture::read(&format!("{case}/batches.safetensors"));
        let mut examples = Vec::new();
        for batch in 0..20 {
            let labels = fixture.integers(&format!("batch.{batch}.labels"));
            for (tokens, label) in fixture
                .texts(&format!("batch.{batch}."))
                .into_iter()
                .zip(labels)
            {
                examples.push(Example {
                    tokens,
                    label,
                    row: examples.len(),
                });
            }
        }
        let options = options(&log);
        let device = Default::default();
        let history = fine_tune::<Flex, _>(
            &mut model,
            &examples,
            &examples[..8],
            &options,
            &device,
            None,
            &mut Unobserved,
        )
        .unwrap();
        assert_eq!(history.log.len(), log.losses.len());
        for (index, row) in history.log.iter().enumerate() {
            let near = |what: &str, actual: f64, expected: f64, tolerance: f64| {
                let difference = (actual - expected).abs();
                assert!(
                    difference <= tolerance * expected.abs().max(1e-9),
                    "{case} step {index} {what}: {actual} {expected}"
                );
            };
            near("loss", row.loss, log.losses[index], 1e-4);
            near(
                "gradient norm",
                row.gradient_norm,
                log.gradient_norms[index],
                1e-3,
            );
            near(
                "learning rate",
                row.learning_rate,
                log.learning_rates[index],
                1e-12,
            );
        }
        let expected = Fixture::read(&format!("{case}/final/adapter_model.safetensors"));
        for (name, parameter) in trained(&mut model) {
            let expected = expected.floats(&format!("base_model.model.{name}"));
            assert_relative(
                &format!("{case} {name}"),
                &values(parameter.flat()),
                &expected,
                1e-4,
            );
        }
    }
}
