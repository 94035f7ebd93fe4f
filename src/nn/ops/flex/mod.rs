//! The operations on the CPU: one pass over the data each, in parallel over rows, without padding.
//!
//! Only 32-bit floats have versions here. 16-bit ones are computed in them and rounded, 64-bit ones take the defaults. Results do not depend on the number of threads: each row is one thread's work.

mod attention;
mod disentangled;
mod norm;

use burn::backend::Flex;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Bytes, DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use super::{
    AttentionGradients, AttentionOptions, Disentangled, DisentangledOptions, Dropout,
    LayerNormGradients, Operations, Ragged, Wanted, defaults, math,
};

/// Values that one thread works on at a time.
const BLOCK: usize = 16_384;

impl Operations for Flex {
    fn exact_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        if input.dtype() != DType::F32 {
            return defaults::gelu::<Self>(input);
        }
        let input = input.to_contiguous();
        let mut output = vec![0.0_f32; input.layout().num_elements()];
        let values: &[f32] = input.storage();
        output
            .par_chunks_mut(BLOCK)
            .zip(values.par_chunks(BLOCK))
            .for_each(|(output, values)| {
                for (output, &value) in output.iter_mut().zip(values) {
                    *output = math::gelu(value);
                }
            });
        tensor(output, input.shape())
    }

    fn exact_gelu_backward(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        if input.dtype() != DType::F32 {
            return defaults::gelu_backward::<Self>(input, gradient);
        }
        let (input, gradient) = (input.to_contiguous(), gradient.to_contiguous());
        let mut output = gradient.storage::<f32>().to_vec();
        let values: &[f32] = input.storage();
        output
            .par_chunks_mut(BLOCK)
            .zip(values.par_chunks(BLOCK))
            .for_each(|(output, values)| {
                for (output, &value) in output.iter_mut().zip(values) {
                    *output *= math::gelu_derivative(value);
                }
            });
        tensor(output, input.shape())
    }

    fn token_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        if input.dtype() != DType::F32 {
            return defaults::layer_norm::<Self>(input, weight, bias, epsilon);
        }
        norm::forward(&input, &weight, &bias, epsilon)
    }

    fn token_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
        gradient: FloatTensor<Self>,
        affine: bool,
    ) -> LayerNormGradients<Self> {
        if input.dtype() != DType::F32 {
            return defaults::layer_norm_backward::<Self>(input, weight, epsilon, gradient, affine);
        }
        norm::backward(&input, &weight, epsilon, &gradient, affine)
    }

    fn token_dropout(input: FloatTensor<Self>, dropout: &Dropout) -> FloatTensor<Self> {
        if input.dtype() != DType::F32 {
            return defaults::dropout::<Self>(input, dropout);
        }
        let input = input.to_contiguous();
        let features = input.shape()[1];
        let mut output = input.storage::<f32>().to_vec();
        let scale = dropout.scale();
        output
            .par_chunks_mut(features.max(1))
            .enumerate()
            .for_each(|(token, output)| {
                let draws = dropout.row(token);
                for (feature, value) in output.iter_mut().enumerate() {
                    *value *= draws.factor(feature, scale);
                }
            });
        tensor(output, input.shape())
    }

    fn ragged_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        ragged: &Ragged<Self>,
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        let dtype = query.dtype();
        if defaults::is_half(dtype) {
            let [query, key, value] = [query, key, value].map(defaults::wide::<Self>);
            let output = Self::ragged_attention(query, key, value, ragged, options);
            return defaults::narrow::<Self>(output, dtype);
        }
        if dtype != DType::F32 {
            return defaults::attention::<Self>(query, key, value, ragged, options);
        }
        attention::forward(&query, &key, &value, &ragged.segments, options)
    }

    fn ragged_attention_backward(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        ragged: &Ragged<Self>,
        options: &AttentionOptions,
    ) -> AttentionGradients<Self> {
        let dtype = query.dtype();
        if defaults::is_half(dtype) {
            let [query, key, value, gradient] =
                [query, key, value, gradient].map(defaults::wide::<Self>);
            let gradients =
                Self::ragged_attention_backward(query, key, value, gradient, ragged, options);
            return gradients.map(|gradient| defaults::narrow::<Self>(gradient, dtype));
        }
        if dtype != DType::F32 {
            return defaults::attention_backward::<Self>(
                query, key, value, gradient, ragged, options,
            );
        }
        attention::backward([&query, &key, &value, &gradient], &ragged.segments, options)
    }

    fn disentangled_attention(
        operands: Disentangled<FloatTensor<Self>>,
        ragged: &Ragged<Self>,
        options: &DisentangledOptions,
    ) -> FloatTensor<Self> {
        if operands.query.dtype() != DType::F32 {
            return super::disentangled::attention::<Self>(operands, ragged, options);
        }
        disentangled::forward(&operands, &ragged.segments, options)
    }

    fn disentangled_attention_backward(
        operands: Disentangled<FloatTensor<Self>>,
        gradient: FloatTensor<Self>,
        wanted: Wanted,
        ragged: &Ragged<Self>,
        options: &DisentangledOptions,
    ) -> Disentangled<FloatTensor<Self>> {
        if operands.query.dtype() != DType::F32 {
            return super::disentangled::backward::<Self>(
                operands, gradient, wanted, ragged, options,
            );
        }
        disentangled::backward(&operands, &gradient, wanted, &ragged.segments, options)
    }
}

/// A tensor of 32-bit floats.
fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}

/// Independent partial sums, so that the compiler may use vector instructions in an order that is the same everywhere.
const LANES: usize = 16;

/// The sum of `term(i)` over `0..count`, in a fixed order.
#[inline]
fn sum(count: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let whole = count / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += term(first + lane);
        }
    }
    for index in whole..count {
        lanes[index - whole] += term(index);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest value of a row; negative infinity of an empty one.
#[inline]
fn maximum(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes
        .into_iter()
        .chain(chunks.remainder().iter().copied())
        .fold(f32::NEG_INFINITY, f32::max)
}
