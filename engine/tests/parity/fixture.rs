//! Fixtures as tensors.

use std::path::Path;

use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor, TensorData};
use engine::checkpoint::{Base, Card, Checkpoint};
use engine::models::Weights;
use engine::shapes::bert::BertConfig;

#[path = "../../../tests/parity/fixture.rs"]
mod plain;

pub use plain::{Fixture, assert_close, assert_close_to_scale, assert_relative, path};

impl Fixture {
    pub fn tensor<B: Backend, const D: usize>(
        &self,
        name: &str,
        device: &B::Device,
    ) -> Tensor<B, D> {
        let values = TensorData::new(self.floats(name), self.shape(name));
        Tensor::from_data(values, device)
    }
}

/// The configuration of a checkpoint fixture.
pub fn config(folder: &Path) -> BertConfig {
    BertConfig::read(&std::fs::read_to_string(folder.join("config.json")).unwrap()).unwrap()
}

/// All weights of a checkpoint, and what it lacks drawn from a seed.
pub fn weights<'a, B: Backend>(
    checkpoint: &'a Checkpoint,
    seed: u64,
    format: FloatDType,
    device: &'a B::Device,
) -> Weights<'a, B> {
    Weights {
        checkpoint: Some(checkpoint),
        seed,
        head_seed: seed,
        deviation: 0.2,
        format,
        device,
    }
}

/// What is written beside an adapter, of a base model that does not matter.
pub fn card() -> Card {
    Card {
        base: Base::Folder("tiny".to_owned()),
        description: String::new(),
        classes: Vec::new(),
        config_json: String::new(),
        max_length: 64,
    }
}

/// The values of a tensor.
pub fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
