//! Where a network's tensors come from: a checkpoint, or a seed.

use burn::tensor::backend::Backend;
use burn::tensor::{Element, FloatDType, Tensor, TensorData};
use half::{bf16, f16};
use rayon::prelude::*;

use crate::checkpoint::{Checkpoint, CheckpointError, Number};
use crate::nn::ops::{Operations, mix};
use crate::nn::{LayerNorm, Linear, in_format};

/// How a tensor without a stored value starts, as transformers initialises it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between minus and plus this bound.
    Uniform(f64),
    /// The same value everywhere.
    Constant(f32),
}

/// Hands out a network's tensors by their checkpoint names.
#[derive(Debug)]
pub struct Weights<'a, B: Backend> {
    /// The stored tensors; without them, all are newly initialised.
    pub checkpoint: Option<&'a Checkpoint>,
    /// Seed of what is newly initialised below the head.
    pub seed: u64,
    /// Seed of a fresh head.
    pub head_seed: u64,
    /// Standard deviation of fresh weights: `initializer_range`.
    pub deviation: f64,
    /// Number format of what stays frozen, and so of the activations. Norms and heads are f32
    /// always.
    pub format: FloatDType,
    /// Where the tensors go.
    pub device: &'a B::Device,
}

impl<B: Operations> Weights<'_, B> {
    /// A tensor of the given name and shape.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        initial: Initial,
    ) -> Result<Tensor<B, D>, CheckpointError> {
        let tensor = self.seeded(self.seed, name, shape, initial)?;
        Ok(in_format(tensor, self.format))
    }

    /// A tensor of the given name and shape, which goes from the file to the device without a copy
    /// in another format where it is stored in the one that is wanted.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn stored<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        initial: Initial,
    ) -> Result<Tensor<B, D>, CheckpointError> {
        let stored = match self.format {
            FloatDType::BF16 => self.read_in::<bf16, D>(name, shape)?,
            FloatDType::F16 => self.read_in::<f16, D>(name, shape)?,
            _ => self.read_in::<f32, D>(name, shape)?,
        };
        match stored {
            Some(data) => {
                let options = (self.device, self.format.into());
                Ok(Tensor::from_data(data, options))
            }
            None => self.tensor(name, shape, initial),
        }
    }

    fn read_in<T: Number + Element, const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Option<TensorData>, CheckpointError> {
        let values = match self.checkpoint {
            Some(checkpoint) => checkpoint.read_in::<T>(name)?,
            None => None,
        };
        Ok(values.map(|values| TensorData::new(values, shape)))
    }

    /// A vector in f32, drawn as ones.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn vector(&self, name: &str, width: usize) -> Result<Tensor<B, 1>, CheckpointError> {
        self.wide_vector(name, width, Initial::Constant(1.0))
    }

    /// A vector in f32.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn wide_vector(
        &self,
        name: &str,
        width: usize,
        initial: Initial,
    ) -> Result<Tensor<B, 1>, CheckpointError> {
        self.seeded(self.seed, name, [width], initial)
    }

    fn seeded<const D: usize>(
        &self,
        seed: u64,
        name: &str,
        shape: [usize; D],
        initial: Initial,
    ) -> Result<Tensor<B, D>, CheckpointError> {
        let values = self.host(seed, name, shape.iter().product(), initial)?;
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            self.device,
        ))
    }

    fn host(
        &self,
        seed: u64,
        name: &str,
        count: usize,
        initial: Initial,
    ) -> Result<Vec<f32>, CheckpointError> {
        let stored = match self.checkpoint {
            Some(checkpoint) => checkpoint.read(name)?,
            None => None,
        };
        Ok(stored.unwrap_or_else(|| draw(seed, name, count, initial)))
    }

    /// A tensor's values, left on the host.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn values(
        &self,
        name: &str,
        count: usize,
        initial: Initial,
    ) -> Result<Vec<f32>, CheckpointError> {
        self.host(self.seed, name, count, initial)
    }

    /// An embedding table `[rows, width]`.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn embedding(
        &self,
        name: &str,
        shape: [usize; 2],
    ) -> Result<Tensor<B, 2>, CheckpointError> {
        self.tensor(
            &format!("{name}.weight"),
            shape,
            Initial::Normal(self.deviation),
        )
    }

    /// A frozen linear layer.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn linear(
        &self,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear<B>, CheckpointError> {
        self.seeded_linear(self.seed, self.format, name, inputs, outputs)
    }

    /// A linear layer of the head.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn head(
        &self,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear<B>, CheckpointError> {
        self.seeded_linear(self.head_seed, FloatDType::F32, name, inputs, outputs)
    }

    fn seeded_linear(
        &self,
        seed: u64,
        format: FloatDType,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear<B>, CheckpointError> {
        let normal = Initial::Normal(self.deviation);
        let zero = Initial::Constant(0.0);
        let weight = self.seeded(seed, &format!("{name}.weight"), [outputs, inputs], normal)?;
        let bias = self.seeded(seed, &format!("{name}.bias"), [outputs], zero)?;
        Ok(Linear::new(
            in_format(weight, format),
            Some(in_format(bias, format)),
        ))
    }

    /// A frozen layer norm.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn norm(
        &self,
        name: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<LayerNorm<B>, CheckpointError> {
        let vector = |part: &str, initial| {
            self.seeded(self.seed, &format!("{name}.{part}"), [width], initial)
        };
        Ok(LayerNorm::new(
            vector("weight", Initial::Constant(1.0))?,
            vector("bias", Initial::Constant(0.0))?,
            epsilon,
        ))
    }
}

/// Values that depend on nothing but seed, name and count, so that no other tensor's presence
/// changes them.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn draw(seed: u64, name: &str, count: usize, initial: Initial) -> Vec<f32> {
    let key = name
        .bytes()
        .fold(mix(seed), |key, byte| mix(key ^ u64::from(byte)));
    let uniform = |index: usize| {
        // 53 random bits, shifted by half a unit so that 0 never comes.
        ((mix(key.wrapping_add(index as u64)) >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    };
    match initial {
        Initial::Constant(value) => vec![value; count],
        Initial::Uniform(bound) => (0..count)
            .into_par_iter()
            .map(|index| ((2.0 * uniform(index) - 1.0) * bound) as f32)
            .collect(),
        Initial::Normal(deviation) => (0..count)
            .into_par_iter()
            .map(|index| {
                // Box and Muller, 1958; each value has two uniform numbers of its own.
                let radius = (-2.0 * uniform(2 * index).ln()).sqrt();
                let angle = std::f64::consts::TAU * uniform(2 * index + 1);
                (deviation * radius * angle.cos()) as f32
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f32]) -> (f64, f64) {
        #[allow(clippy::cast_precision_loss)]
        let count = values.len() as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = values
            .iter()
            .map(|&value| (f64::from(value) - mean).powi(2))
            .sum::<f64>()
            / count;
        (mean, variance.sqrt())
    }

    #[test]
    fn normal_draws_have_the_asked_deviation() {
        let (mean, deviation) = moments(&draw(3, "a", 100_000, Initial::Normal(0.02)));
        assert!(mean.abs() < 3e-4, "{mean}");
        assert!((deviation - 0.02).abs() < 3e-4, "{deviation}");
    }

    #[test]
    fn uniform_draws_fill_their_interval() {
        let values = draw(3, "a", 100_000, Initial::Uniform(0.5));
        assert!(values.iter().all(|value| value.abs() < 0.5));
        let (mean, deviation) = moments(&values);
        assert!(mean.abs() < 5e-3 && (deviation - 1.0 / 12f64.sqrt()).abs() < 3e-3);
    }

    #[test]
    fn seed_and_name_each_change_the_draws() {
        let reference = draw(1, "a", 10, Initial::Normal(1.0));
        assert_ne!(reference, draw(2, "a", 10, Initial::Normal(1.0)));
        assert_ne!(reference, draw(1, "b", 10, Initial::Normal(1.0)));
        assert_eq!(reference[..5], draw(1, "a", 5, Initial::Normal(1.0)));
    }
}
