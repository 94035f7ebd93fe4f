//! Attention over texts of unequal length with a bias that depends on relative positions: forward
//! only.

use burn_flex::FlexTensor;

use super::attention::attend;
use super::vector::softmax;
use crate::nn::ops::{AttentionOptions, RelativeBias, Segments};

pub(super) fn forward(
    operands: [&FlexTensor; 3],
    segments: &Segments,
    bias: &RelativeBias,
    options: &AttentionOptions,
) -> FlexTensor {
    attend(
        operands,
        [segments; 2],
        options.heads,
        |scores, text, head| {
            let length = text.keys;
            for (position, row) in scores.chunks_exact_mut(length).enumerate() {
                for (score, bias) in row.iter_mut().zip(bias.row(head, position, length)) {
                    *score = *score * options.scale + bias;
                }
            }
            softmax(scores, length, 1.0);
        },
    )
}
