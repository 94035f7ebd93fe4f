//! The operations on the CPU: one pass over the data each, in parallel over rows, without padding.
//!
//! Only 32-bit floats have versions here. 16-bit ones are computed in them and rounded, 64-bit ones
//! take the defaults. Results do not depend on the number of threads: each row is one thread's
//! work.

mod attention;
mod biased;
mod decoding;
mod disentangled;
mod norm;
mod products;
mod stored;
mod vector;

pub use products::{products, squared_lengths};

use burn::backend::Flex;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Bytes, DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use super::biased as composed;
use super::{
    AttentionGradients, AttentionOptions, Disentangled, DisentangledOptions, Dropout,
    LayerNormGradients, Operations, Portions, Ragged, RelativeBias, Segments, Wanted, defaults,
};

/// Values that one thread works on at a time.
const BLOCK: usize = 16_384;

impl Operations for Flex {
    /// burn's elementwise operations run on one thread, and a batch's activations should stay in
    /// the processor's caches.
    fn portions() -> Portions {
        Portions {
            side_by_side: rayon::current_num_threads(),
            tokens: 1024,
        }
    }

    fn exact_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        if input.dtype() != DType::F32 {
            return defaults::gelu::<Self>(input);
        }
        let mut output = owned(input);
        output
            .storage_mut::<f32>()
            .par_chunks_mut(BLOCK)
            .for_each(vector::gelu);
        output
    }

    fn exact_gelu_backward(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        if input.dtype() != DType::F32 {
            return defaults::gelu_backward::<Self>(input, gradient);
        }
        let (input, mut output) = (input.to_contiguous(), owned(gradient));
        output
            .storage_mut::<f32>()
            .par_chunks_mut(BLOCK)
            .zip(input.storage::<f32>().par_chunks(BLOCK))
            .for_each(|(output, values)| vector::gelu_backward(output, values));
        output
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
        norm::forward(input, &weight, &bias, epsilon)
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
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        let dtype = query.dtype();
        if defaults::is_half(dtype) {
            let [query, key, value] = [query, key, value].map(defaults::wide::<Self>);
            let output = Self::ragged_attention(query, key, value, texts, options);
            return defaults::narrow::<Self>(output, dtype);
        }
        if dtype != DType::F32 {
            return defaults::attention::<Self>(query, key, value, texts, options);
        }
        attention::forward([&query, &key, &value], segments(texts), options)
    }

    fn biased_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        ragged: &Ragged<Self>,
        bias: &RelativeBias,
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        let dtype = query.dtype();
        if defaults::is_half(dtype) {
            let [query, key, value] = [query, key, value].map(defaults::wide::<Self>);
            let output = Self::biased_attention(query, key, value, ragged, bias, options);
            return defaults::narrow::<Self>(output, dtype);
        }
        if dtype != DType::F32 {
            return composed::attention::<Self>(query, key, value, ragged, bias, options);
        }
        biased::forward([&query, &key, &value], &ragged.segments, bias, options)
    }

    fn ragged_attention_backward(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> AttentionGradients<Self> {
        let dtype = query.dtype();
        if defaults::is_half(dtype) {
            let [query, key, value, gradient] =
                [query, key, value, gradient].map(defaults::wide::<Self>);
            let gradients =
                Self::ragged_attention_backward(query, key, value, gradient, texts, options);
            return gradients.map(|gradient| defaults::narrow::<Self>(gradient, dtype));
        }
        if dtype != DType::F32 {
            return defaults::attention_backward::<Self>(
                query, key, value, gradient, texts, options,
            );
        }
        let operands = [&query, &key, &value, &gradient];
        attention::backward(operands, segments(texts), options)
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

fn segments(texts: [&Ragged<Flex>; 2]) -> [&Segments; 2] {
    texts.map(|ragged| &*ragged.segments)
}

/// A tensor whose values lie in order from the start of its buffer. Writing to it copies them only
/// where another tensor shares them.
fn owned(tensor: FlexTensor) -> FlexTensor {
    let contiguous = tensor.to_contiguous();
    drop(tensor);
    contiguous
}

/// A tensor of 32-bit floats.
fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}
