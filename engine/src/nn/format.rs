//! Number formats: the frozen part of a network may be in 16 bits, everything trained is in f32.
//! Nothing is promoted silently.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, FloatDType, Tensor};

/// A tensor in a number format; itself where it has it.
#[must_use]
pub fn in_format<B: Backend, const D: usize>(
    tensor: Tensor<B, D>,
    format: FloatDType,
) -> Tensor<B, D> {
    if tensor.dtype() == DType::from(format) {
        tensor
    } else {
        tensor.cast(format)
    }
}

/// A tensor in the number format of another.
#[must_use]
pub fn in_format_of<B: Backend, const D: usize, const E: usize>(
    tensor: Tensor<B, D>,
    other: &Tensor<B, E>,
) -> Tensor<B, D> {
    in_format(tensor, FloatDType::from(other.dtype()))
}
