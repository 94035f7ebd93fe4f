//! The operations that burn lacks, or does slowly or wrongly, as one trait over its backends.
//!
//! The trait's defaults are made of burn's own operations and serve any backend;
//! [`Flex`](burn::backend::Flex) and the backends of `CubeCL`, such as
//! [`Cuda`](burn::backend::Cuda), have versions of their own, and `Autodiff` gives each its
//! backward pass. Models use the functions at the end of this module, which take [`Tensor`]s.

mod autodiff;
mod bias;
mod biased;
mod cube;
mod decoding;
mod defaults;
mod disentangled;
mod flex;
mod mask;
mod math;
mod noise;
mod ragged;
#[cfg(test)]
mod tests;

pub use autodiff::alone_with_gradients;
pub use bias::RelativeBias;
pub use cube::{ALL_WELL, LAUNCHED, NAME_KERNELS, names_kernels, trial, watch_kernels};
pub use decoding::{
    BLOCK, CachedOptions, Contexts, Decoding, Rows, cached_attention, gated_silu, keep, rms_norm,
    turn, widened_product,
};
pub use disentangled::{Disentangled, DisentangledOptions, Distances, Wanted};
pub use flex::{products, squared_lengths};
pub use mask::Mask;
pub use noise::{Dropout, Noise, Site, mix, token_key};
pub use ragged::{Ragged, Segments, Selection};

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

/// How an attention operation reads its operands.
#[derive(Debug, Clone)]
pub struct AttentionOptions {
    /// Number of heads; the operands' width is a multiple of it.
    pub heads: usize,
    /// What the products of queries and keys are multiplied by.
    pub scale: f32,
    /// Which keys a query sees.
    pub mask: Mask,
    /// Dropout on the probabilities: a token's features are `(head << 20) | key position`.
    pub dropout: Option<Dropout>,
}

impl AttentionOptions {
    /// Every query sees all keys, and products are divided by the root of a head's width, of
    /// `heads` that share `width` evenly.
    #[must_use]
    pub fn full(heads: usize, width: usize, dropout: Option<Dropout>) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let head_size = (width / heads) as f32;
        Self {
            heads,
            scale: head_size.sqrt().recip(),
            mask: Mask::Full,
            dropout,
        }
    }
}

/// Bits for the key's position in the feature number of an attention probability; the head stands
/// above them.
const PROBABILITY_FEATURE_BITS: u32 = 20;

/// The feature number that dropout on attention probabilities draws for a head and a key.
#[inline]
fn probability_feature(head: usize, key: usize) -> usize {
    (head << PROBABILITY_FEATURE_BITS) | key
}

/// Gradients of [`Operations::ragged_attention`] for queries, keys and values.
pub type AttentionGradients<B> = [FloatTensor<B>; 3];

/// Gradients of [`Operations::token_norm`].
#[derive(Debug)]
pub struct LayerNormGradients<B: Backend> {
    /// For the input.
    pub input: FloatTensor<B>,
    /// For weight and bias, where they are asked for.
    pub affine: Option<[FloatTensor<B>; 2]>,
}

/// Memory of a device that has its own, as its allocator sees it from the calling thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Bytes that tensors hold.
    pub in_use_bytes: u64,
    /// Bytes taken from the device, for tensors and for those to come. They are hardly ever given
    /// back, so this is also the most there was.
    pub reserved_bytes: u64,
}

/// How work that falls into independent batches is best cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portions {
    /// Batches that run side by side: more than one where an operation cannot keep the whole device
    /// busy.
    pub side_by_side: usize,
    /// Tokens of a batch.
    pub tokens: usize,
}

/// The operations, each with the backward pass that `Autodiff` runs.
///
/// Floats of one call have one type, but that weight and bias of a norm are f32 beside 16-bit
/// tokens; a `[tokens, features]` operand holds the concatenated tokens of a batch.
pub trait Operations: Decoding {
    /// How much work without gradients is best done at once.
    #[must_use]
    fn portions() -> Portions {
        Portions {
            side_by_side: 1,
            tokens: 8192,
        }
    }

    /// `x Φ(x)` with the exact normal distribution (arXiv 1606.08415), of any shape.
    fn exact_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        defaults::gelu::<Self>(input)
    }

    /// Gradient of [`Operations::exact_gelu`] for its input.
    fn exact_gelu_backward(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        defaults::gelu_backward::<Self>(input, gradient)
    }

    /// Layer normalisation (arXiv 1607.06450) of each row of `input` `[tokens, features]`, with
    /// `weight` and `bias` `[features]`.
    fn token_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        defaults::layer_norm::<Self>(input, weight, bias, epsilon)
    }

    /// Gradients of [`Operations::token_norm`]; those of weight and bias only if `affine`.
    fn token_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
        gradient: FloatTensor<Self>,
        affine: bool,
    ) -> LayerNormGradients<Self> {
        defaults::layer_norm_backward::<Self>(input, weight, epsilon, gradient, affine)
    }

    /// Dropout of `input` `[tokens, features]`; its own backward pass.
    fn token_dropout(input: FloatTensor<Self>, dropout: &Dropout) -> FloatTensor<Self> {
        defaults::dropout::<Self>(input, dropout)
    }

    /// The selected rows of `input` `[rows, features]`: `[picked, features]`. Its backward pass is
    /// [`Operations::unpack`].
    fn pack(input: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        defaults::pack::<Self>(input, selection)
    }

    /// The picked rows put back to their places in `[rows, features]`, zero elsewhere. Its backward
    /// pass is [`Operations::pack`].
    fn unpack(packed: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        defaults::unpack::<Self>(packed, selection)
    }

    /// Softmax attention (arXiv 1706.03762) of each text's queries to its keys.
    ///
    /// `query` and the result are `[tokens, heads * size]` of the first of `texts`, `key` and
    /// `value` of the second.
    fn ragged_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        defaults::attention::<Self>(query, key, value, texts, options)
    }

    /// The part of attention between its two products, in the padded shape: softmax over the keys
    /// that are seen, of `scores` times the scale, and dropout.
    ///
    /// `scores` and the result are `[texts, heads, queries, keys]`, as many as the longest of
    /// `texts` have; what padding gets is without meaning.
    fn attention_probabilities(
        scores: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        defaults::attention_probabilities::<Self>(scores, texts, options)
    }

    /// Gradient of [`Operations::attention_probabilities`] for the scores, from the probabilities
    /// before dropout and the `gradient` for those after it. Where `gradient` is 0, as it is for
    /// padding, the result is 0.
    fn attention_scores_gradient(
        probabilities: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        defaults::attention_scores_gradient::<Self>(probabilities, gradient, texts, options)
    }

    /// [`Operations::ragged_attention`] with `bias` added to the scaled scores, of each text's
    /// tokens among themselves: without mask and dropout. For texts no longer than the bias serves.
    fn biased_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        ragged: &Ragged<Self>,
        bias: &RelativeBias,
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        biased::attention::<Self>(query, key, value, ragged, bias, options)
    }

    /// Gradients of [`Operations::ragged_attention`]. The probabilities are computed again rather
    /// than kept.
    fn ragged_attention_backward(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> AttentionGradients<Self> {
        defaults::attention_backward::<Self>(query, key, value, gradient, texts, options)
    }

    /// Attention with relative positions (arXiv 2006.03654) of each text's tokens among themselves:
    /// `[tokens, heads * size]`.
    fn disentangled_attention(
        operands: Disentangled<FloatTensor<Self>>,
        ragged: &Ragged<Self>,
        options: &DisentangledOptions,
    ) -> FloatTensor<Self> {
        disentangled::attention::<Self>(operands, ragged, options)
    }

    /// Gradients of [`Operations::disentangled_attention`], those of the position tables where they
    /// are wanted. The probabilities are computed again rather than kept.
    fn disentangled_attention_backward(
        operands: Disentangled<FloatTensor<Self>>,
        gradient: FloatTensor<Self>,
        wanted: Wanted,
        ragged: &Ragged<Self>,
        options: &DisentangledOptions,
    ) -> Disentangled<FloatTensor<Self>> {
        disentangled::backward::<Self>(operands, gradient, wanted, ragged, options)
    }

    /// The device's memory after all work so far; `None` if it has none of its own.
    #[must_use]
    fn device_memory(_device: &Self::Device) -> Option<DeviceMemory> {
        None
    }

    /// Whether products of 32-bit floats may be computed in TF32, with 10 bits after the point;
    /// `None` where the device has no TF32.
    #[must_use]
    fn may_use_tf32(_device: &Self::Device) -> Option<bool> {
        None
    }
}

/// A float tensor from its primitive.
fn wrap<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

/// A float tensor's primitive.
fn unwrap<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// [`Operations::exact_gelu`].
#[must_use]
pub fn gelu<B: Operations, const D: usize>(input: Tensor<B, D>) -> Tensor<B, D> {
    wrap(B::exact_gelu(unwrap(input)))
}

/// [`Operations::token_norm`].
#[must_use]
pub fn layer_norm<B: Operations>(
    input: Tensor<B, 2>,
    weight: Tensor<B, 1>,
    bias: Tensor<B, 1>,
    epsilon: f64,
) -> Tensor<B, 2> {
    wrap(B::token_norm(
        unwrap(input),
        unwrap(weight),
        unwrap(bias),
        epsilon,
    ))
}

/// [`Operations::token_dropout`]; the input itself without dropout.
#[must_use]
pub fn dropout<B: Operations>(input: Tensor<B, 2>, dropout: Option<&Dropout>) -> Tensor<B, 2> {
    match dropout {
        Some(dropout) => wrap(B::token_dropout(unwrap(input), dropout)),
        None => input,
    }
}

/// [`Operations::pack`].
#[must_use]
pub fn pack<B: Operations>(input: Tensor<B, 2>, selection: &Selection<B>) -> Tensor<B, 2> {
    wrap(B::pack(unwrap(input), selection))
}

/// [`Operations::unpack`].
#[must_use]
pub fn unpack<B: Operations>(packed: Tensor<B, 2>, selection: &Selection<B>) -> Tensor<B, 2> {
    wrap(B::unpack(unwrap(packed), selection))
}

/// [`Operations::ragged_attention`].
#[must_use]
pub fn attention<B: Operations>(
    query: Tensor<B, 2>,
    key: Tensor<B, 2>,
    value: Tensor<B, 2>,
    texts: [&Ragged<B>; 2],
    options: &AttentionOptions,
) -> Tensor<B, 2> {
    wrap(B::ragged_attention(
        unwrap(query),
        unwrap(key),
        unwrap(value),
        texts,
        options,
    ))
}

/// [`Operations::disentangled_attention`].
#[must_use]
pub fn disentangled_attention<B: Operations>(
    operands: Disentangled<Tensor<B, 2>>,
    ragged: &Ragged<B>,
    options: &DisentangledOptions,
) -> Tensor<B, 2> {
    wrap(B::disentangled_attention(
        operands.map(unwrap),
        ragged,
        options,
    ))
}

/// [`Operations::biased_attention`].
#[must_use]
pub fn biased_attention<B: Operations>(
    query: Tensor<B, 2>,
    key: Tensor<B, 2>,
    value: Tensor<B, 2>,
    ragged: &Ragged<B>,
    bias: &RelativeBias,
    options: &AttentionOptions,
) -> Tensor<B, 2> {
    wrap(B::biased_attention(
        unwrap(query),
        unwrap(key),
        unwrap(value),
        ragged,
        bias,
        options,
    ))
}
