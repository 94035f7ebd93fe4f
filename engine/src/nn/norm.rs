//! Layer normalisation.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::ops::{Operations, layer_norm};

/// Layer normalisation (arXiv 1607.06450) over the features of each token.
#[derive(Module, Debug)]
pub struct LayerNorm<B: Backend> {
    /// `[features]`.
    pub weight: Param<Tensor<B, 1>>,
    /// `[features]`.
    pub bias: Param<Tensor<B, 1>>,
    /// Added to the variance.
    pub epsilon: f64,
}

impl<B: Operations> LayerNorm<B> {
    /// A norm of given weights, frozen.
    #[must_use]
    pub fn new(weight: Tensor<B, 1>, bias: Tensor<B, 1>, epsilon: f64) -> Self {
        Self {
            weight: Param::from_tensor(weight).set_require_grad(false),
            bias: Param::from_tensor(bias).set_require_grad(false),
            epsilon,
        }
    }

    /// `[tokens, features]` to the same shape.
    #[must_use]
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        layer_norm(input, self.weight.val(), self.bias.val(), self.epsilon)
    }
}
