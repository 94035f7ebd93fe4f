//! Attention with a relative bias in terms of burn's own operations.

use burn::tensor::activation::softmax;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorMetadata};

use super::defaults::{is_half, join_heads, narrow, split_heads, wide};
use super::{AttentionOptions, Operations, Ragged, RelativeBias};

pub(super) fn attention<B: Operations>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    ragged: &Ragged<B>,
    bias: &RelativeBias,
    options: &AttentionOptions,
) -> FloatTensor<B> {
    let dtype = query.dtype();
    if is_half(dtype) {
        let [query, key, value] = [query, key, value].map(wide::<B>);
        let output = B::biased_attention(query, key, value, ragged, bias, options);
        return narrow::<B>(output, dtype);
    }
    let split = |packed| split_heads::<B>(packed, ragged, options.heads);
    let (query, key, value) = (split(query), split(key), split(value));
    let [rows, heads, longest, _] = query.dims();
    let bias = Tensor::<B, 3>::from_data(bias.matrix(heads, longest), &query.device());
    let scores = query.matmul(key.swap_dims(2, 3)) * options.scale + bias.unsqueeze::<4>();
    let padding = ragged
        .padding()
        .reshape([rows, 1, 1, longest])
        .expand([rows, heads, longest, longest]);
    let scores = scores.mask_fill(padding, f32::NEG_INFINITY);
    join_heads(softmax(scores, 3).matmul(value), ragged)
}
