//! A frozen linear layer with an optional low-rank adapter.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::linear;

use super::ops::{Dropout, Operations, dropout};

/// `x Wᵀ + b`, and with an adapter `+ scaling · dropout(x) Aᵀ Bᵀ`.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `[outputs, inputs]`, as checkpoints store it.
    pub weight: Param<Tensor<B, 2>>,
    /// `[outputs]`.
    pub bias: Param<Tensor<B, 1>>,
    /// The adapter.
    pub lora: Option<Lora<B>>,
}

/// A low-rank adapter (arXiv 2106.09685), applied to activations: composing `W + BA` would make the backward pass form the full gradient of `W`.
#[derive(Module, Debug)]
pub struct Lora<B: Backend> {
    /// `[rank, inputs]`: PEFT's `lora_A.weight`.
    pub a: Param<Tensor<B, 2>>,
    /// `[outputs, rank]`: PEFT's `lora_B.weight`.
    pub b: Param<Tensor<B, 2>>,
    /// `alpha / rank`.
    pub scaling: f64,
    /// Dropout on the adapter's input.
    pub dropout: f64,
}

impl<B: Operations> Linear<B> {
    /// A layer of given weights, frozen.
    #[must_use]
    pub fn new(weight: Tensor<B, 2>, bias: Tensor<B, 1>) -> Self {
        Self {
            weight: Param::from_tensor(weight).set_require_grad(false),
            bias: Param::from_tensor(bias).set_require_grad(false),
            lora: None,
        }
    }

    /// `[inputs, outputs]` sizes.
    #[must_use]
    pub fn sizes(&self) -> [usize; 2] {
        let [outputs, inputs] = self.weight.dims();
        [inputs, outputs]
    }

    /// `[outputs, inputs]`: the weight with the adapter's update added.
    #[must_use]
    pub fn merged(&self) -> Tensor<B, 2> {
        match &self.lora {
            Some(lora) => self.weight.val() + lora.b.val().matmul(lora.a.val()) * lora.scaling,
            None => self.weight.val(),
        }
    }

    /// `[tokens, inputs]` to `[tokens, outputs]`; `noise` is the dropout of the adapter's input.
    #[must_use]
    pub fn forward(&self, input: Tensor<B, 2>, noise: Option<&Dropout>) -> Tensor<B, 2> {
        let output = linear(
            input.clone(),
            self.weight.val().transpose(),
            Some(self.bias.val()),
        );
        match &self.lora {
            Some(lora) => output + lora.forward(dropout(input, noise)),
            None => output,
        }
    }
}

impl<B: Operations> Lora<B> {
    /// The update for an input `[tokens, inputs]` that has been through dropout.
    fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let inner = linear(input, self.a.val().transpose(), None);
        linear(inner, self.b.val().transpose(), None) * self.scaling
    }
}
