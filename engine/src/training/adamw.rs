//! `AdamW` (arXiv 1711.05101) and clipping by the global norm, with PyTorch's arithmetic.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::history::{from_values, to_values};

/// `AdamW`'s constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWOptions {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Share of a decayed parameter that each step takes away, times the learning rate.
    pub weight_decay: f64,
}

/// PyTorch's defaults.
impl Default for AdamWOptions {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }
}

/// `AdamW` over a fixed list of parameters, each one flat row.
#[derive(Debug)]
pub struct AdamW<B: Backend> {
    options: AdamWOptions,
    steps: i32,
    slots: Vec<Slot<B>>,
}

#[derive(Debug)]
struct Slot<B: Backend> {
    decayed: bool,
    moments: Option<[Tensor<B, 1>; 2]>,
}

impl<B: Backend> AdamW<B> {
    /// An optimiser for parameters of which `decayed` says whether weight decay applies.
    #[must_use]
    pub fn new(options: AdamWOptions, decayed: impl IntoIterator<Item = bool>) -> Self {
        let slots = decayed
            .into_iter()
            .map(|decayed| Slot {
                decayed,
                moments: None,
            })
            .collect();
        Self {
            options,
            steps: 0,
            slots,
        }
    }

    /// The two moments of each parameter, to be resumed from; none before the first step.
    pub(super) fn moments(&self) -> Vec<[Vec<f32>; 2]> {
        let moments = self.slots.iter().filter_map(|slot| slot.moments.clone());
        moments.map(|pair| pair.map(to_values)).collect()
    }

    /// Goes on after `steps` steps that left these moments.
    pub(super) fn resume(&mut self, steps: usize, moments: Vec<[Vec<f32>; 2]>, device: &B::Device) {
        // More steps than this would take centuries.
        self.steps = i32::try_from(steps).unwrap_or(i32::MAX);
        for (slot, pair) in self.slots.iter_mut().zip(moments) {
            slot.moments = Some(pair.map(|values| from_values(values, device)));
        }
    }

    /// One step: new values from values and gradients, in the order of the constructor.
    #[must_use]
    pub fn step(
        &mut self,
        learning_rate: f64,
        parameters: Vec<Tensor<B, 1>>,
        gradients: Vec<Tensor<B, 1>>,
    ) -> Vec<Tensor<B, 1>> {
        let AdamWOptions {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = self.options;
        self.steps += 1;
        let first_correction = 1.0 - beta1.powi(self.steps);
        let second_correction = (1.0 - beta2.powi(self.steps)).sqrt();
        let step_size = learning_rate / first_correction;
        let pairs = parameters.into_iter().zip(gradients);
        self.slots
            .iter_mut()
            .zip(pairs)
            .map(|(slot, (parameter, gradient))| {
                let square = gradient.clone() * gradient.clone() * (1.0 - beta2);
                let scaled = gradient * (1.0 - beta1);
                let [first, second] = match slot.moments.take() {
                    Some([first, second]) => [first * beta1 + scaled, second * beta2 + square],
                    None => [scaled, square],
                };
                slot.moments = Some([first.clone(), second.clone()]);
                let kept = if slot.decayed && weight_decay > 0.0 {
                    parameter * (1.0 - learning_rate * weight_decay)
                } else {
                    parameter
                };
                kept - first / (second.sqrt() / second_correction + epsilon) * step_size
            })
            .collect()
    }
}

/// The norm of all gradients together.
#[must_use]
pub fn global_norm<B: Backend>(gradients: &[Tensor<B, 1>]) -> f64 {
    let squares = gradients
        .iter()
        .map(|gradient| (gradient.clone() * gradient.clone()).sum());
    squares
        .reduce(|total, square| total + square)
        .map_or(0.0, scalar)
        .sqrt()
}

/// Scales gradients of the given global norm down to `limit`, as PyTorch's `clip_grad_norm_`; 0
/// switches it off.
#[must_use]
pub fn clip<B: Backend>(gradients: Vec<Tensor<B, 1>>, norm: f64, limit: f64) -> Vec<Tensor<B, 1>> {
    let factor = limit / (norm + 1e-6);
    if limit == 0.0 || factor >= 1.0 {
        return gradients;
    }
    gradients
        .into_iter()
        .map(|gradient| gradient * factor)
        .collect()
}

/// The one value of a tensor, waiting for the device.
pub(super) fn scalar<B: Backend>(tensor: Tensor<B, 1>) -> f64 {
    tensor.into_data().iter::<f64>().next().unwrap_or(f64::NAN)
}
