//! From the vectors of a text's tokens to one vector of the text.

use crate::nn::Tokens;
use crate::nn::ops::{self, Operations};
use burn::tensor::{Tensor, TensorData};

use crate::checkpoint::Pooling;

/// One vector for each text: `[tokens, hidden]` to `[texts, hidden]`.
pub(super) fn pool<B: Operations>(
    hidden: Tensor<B, 2>,
    tokens: &Tokens<B>,
    pooling: Pooling,
) -> Tensor<B, 2> {
    let segments = &tokens.ragged.segments;
    let shape = [segments.rows(), segments.longest(), hidden.dims()[1]];
    let device = hidden.device();
    let padded = |hidden| ops::unpack(hidden, &tokens.ragged.tokens).reshape(shape);
    match pooling {
        Pooling::Cls => ops::pack(hidden, &tokens.firsts),
        Pooling::Mean => {
            #[allow(clippy::cast_precision_loss)]
            let lengths: Vec<f32> = segments.iter().map(|(_, length)| length as f32).collect();
            let lengths =
                Tensor::<B, 2>::from_data(TensorData::new(lengths, [shape[0], 1]), &device);
            padded(hidden).sum_dim(1).squeeze_dim::<2>(1) / lengths
        }
        Pooling::Max => {
            let padding = tokens.ragged.padding().unsqueeze_dim::<3>(2).expand(shape);
            let masked = padded(hidden).mask_fill(padding, f32::NEG_INFINITY);
            masked.max_dim(1).squeeze_dim::<2>(1)
        }
    }
}

/// Scaled to unit length; what is almost 0 stays as small, as in PyTorch's `normalize`.
pub(super) fn normalise<B: Operations>(vectors: Tensor<B, 2>) -> Tensor<B, 2> {
    let squares = vectors.clone() * vectors.clone();
    vectors / squares.sum_dim(1).sqrt().clamp_min(1e-12)
}
