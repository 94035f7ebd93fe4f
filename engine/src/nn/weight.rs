//! A linear layer's matrix, in one of the forms it may be held in. All that differs between the
//! forms is here.

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::module::linear;
use burn::tensor::{FloatDType, Tensor};

use super::format::{in_format, in_format_of};
use super::ops::Operations;

/// A matrix `[outputs, inputs]`.
#[derive(Module, Debug)]
pub enum Weight<B: Backend> {
    /// As checkpoints store it.
    Dense(Param<Tensor<B, 2>>),
}

impl<B: Operations> Weight<B> {
    /// A matrix as checkpoints store it, frozen.
    #[must_use]
    pub fn dense(matrix: Tensor<B, 2>) -> Self {
        Self::Dense(Param::from_tensor(matrix).set_require_grad(false))
    }

    /// `[outputs, inputs]`.
    #[must_use]
    pub fn sizes(&self) -> [usize; 2] {
        match self {
            Self::Dense(matrix) => matrix.dims(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn device(&self) -> B::Device {
        match self {
            Self::Dense(matrix) => matrix.device(),
        }
    }

    /// Its values, in f32.
    #[must_use]
    pub fn values(&self) -> Tensor<B, 2> {
        match self {
            Self::Dense(matrix) => in_format(matrix.val(), FloatDType::F32),
        }
    }

    /// The parameter, for a layer that is trained in full.
    pub fn parameter_mut(&mut self) -> &mut Param<Tensor<B, 2>> {
        match self {
            Self::Dense(matrix) => matrix,
        }
    }

    /// `input` `[tokens, inputs]` in the number format that it is computed with.
    pub(super) fn prepare(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Dense(matrix) => in_format_of(input, &matrix.val()),
        }
    }

    /// `x Wᵀ + b` for an input that is [prepared](Weight::prepare).
    pub(super) fn apply(&self, input: Tensor<B, 2>, bias: Option<Tensor<B, 1>>) -> Tensor<B, 2> {
        match self {
            Self::Dense(matrix) => linear(input, matrix.val().transpose(), bias),
        }
    }
}
