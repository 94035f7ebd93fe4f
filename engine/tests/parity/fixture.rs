//! Fixtures as tensors.

use std::path::Path;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
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

/// The values of a tensor.
pub fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
