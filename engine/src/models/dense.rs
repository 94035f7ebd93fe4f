//! The linear layer that some embedders have behind their pooling: sentence-transformers' `Dense`.

use std::path::PathBuf;

use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor};

use super::weights::{Initial, Weights};
use crate::checkpoint::{Checkpoint, CheckpointError, Spelling};
use crate::nn::Linear;
use crate::nn::ops::Operations;
use crate::shapes::TensorShape;

/// A linear layer in a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseFiles {
    /// The folder of its weights.
    pub folder: PathBuf,
    /// Width of its input.
    pub inputs: usize,
    /// Width of its output.
    pub outputs: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// Whether tanh comes behind it; the identity otherwise.
    pub tanh: bool,
}

/// A linear layer and its activation.
#[derive(Debug)]
pub struct Dense<B: Backend> {
    linear: Linear<B>,
    tanh: bool,
}

const SPELLING: Spelling = Spelling {
    prefix: "linear.",
    fresh: &[],
    ignored: &[],
};

impl DenseFiles {
    /// Loads the weights, or draws them where a seed is given.
    ///
    /// # Errors
    /// When the folder's weights are missing, broken or not those of the layer.
    pub fn load<B: Operations>(
        &self,
        drawn: Option<u64>,
        device: &B::Device,
    ) -> Result<Dense<B>, CheckpointError> {
        let tensor = |name: &str, shape: &[usize]| TensorShape {
            name: name.to_owned(),
            shape: shape.to_vec(),
            head: false,
        };
        let mut tensors = vec![tensor("linear.weight", &[self.outputs, self.inputs])];
        if self.bias {
            tensors.push(tensor("linear.bias", &[self.outputs]));
        }
        let checkpoint = match drawn {
            None => Some(Checkpoint::open(&self.folder, &tensors, &SPELLING)?),
            Some(_) => None,
        };
        let seed = drawn.unwrap_or_default();
        let weights = Weights::<B> {
            checkpoint: checkpoint.as_ref(),
            seed,
            head_seed: seed,
            deviation: 0.0,
            format: FloatDType::F32,
            device,
        };
        // As PyTorch's `Linear` starts.
        #[allow(clippy::cast_precision_loss)]
        let initial = Initial::Uniform((self.inputs as f64).sqrt().recip());
        let weight = weights.tensor("linear.weight", [self.outputs, self.inputs], initial)?;
        let bias = if self.bias {
            weights.tensor("linear.bias", [self.outputs], initial)?
        } else {
            Tensor::zeros([self.outputs], device)
        };
        Ok(Dense {
            linear: Linear::new(weight, bias),
            tanh: self.tanh,
        })
    }
}

impl<B: Operations> Dense<B> {
    /// `[texts, inputs]` to `[texts, outputs]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let output = self.linear.forward(input, None);
        if self.tanh { output.tanh() } else { output }
    }
}
