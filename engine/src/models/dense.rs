//! The linear layer that some embedders have after their pooling: sentence-transformers' `Dense`.

use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor};

use super::weights::{Initial, Weights};
use crate::checkpoint::{Checkpoint, CheckpointError, DenseFiles};
use crate::nn::Linear;
use crate::nn::ops::Operations;
use crate::shapes::{Spelling, TensorShape};

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

impl<B: Operations> Dense<B> {
    /// Loads the weights, or draws them where a seed is given.
    ///
    /// # Errors
    /// When the folder's weights are missing, broken or not those of the layer.
    pub fn load(
        files: &DenseFiles,
        drawn: Option<u64>,
        device: &B::Device,
    ) -> Result<Self, CheckpointError> {
        let tensor = |name: &str, shape: &[usize]| TensorShape {
            name: name.to_owned(),
            shape: shape.to_vec(),
            head: false,
        };
        let mut tensors = vec![tensor("linear.weight", &[files.outputs, files.inputs])];
        if files.bias {
            tensors.push(tensor("linear.bias", &[files.outputs]));
        }
        let checkpoint = match drawn {
            None => Some(Checkpoint::open(&files.folder, &tensors, &SPELLING)?),
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
        let initial = Initial::Uniform((files.inputs as f64).sqrt().recip());
        let weight = weights.tensor("linear.weight", [files.outputs, files.inputs], initial)?;
        let bias = files
            .bias
            .then(|| weights.tensor("linear.bias", [files.outputs], initial))
            .transpose()?;
        Ok(Self {
            linear: Linear::new(weight, bias),
            tanh: files.tanh,
        })
    }

    /// `[texts, inputs]` to `[texts, outputs]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let output = self.linear.forward(input, None);
        if self.tanh { output.tanh() } else { output }
    }
}
