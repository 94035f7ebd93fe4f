//! Attention over texts of unequal length with a bias that depends on relative positions: forward only.

use burn::tensor::TensorMetadata;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::attention::{heads_of, join, product, texts};
use super::tensor;
use super::vector::softmax;
use crate::nn::ops::{AttentionOptions, RelativeBias, Segments};

pub(super) fn forward(
    query: &FlexTensor,
    key: &FlexTensor,
    value: &FlexTensor,
    segments: &Segments,
    bias: &RelativeBias,
    options: &AttentionOptions,
) -> FlexTensor {
    let width = query.shape()[1];
    let mut output = vec![0.0_f32; segments.tokens() * width];
    texts(&mut output, segments, width)
        .into_par_iter()
        .enumerate()
        .for_each(|(row, output)| {
            let (start, length) = (segments.start(row), segments.length(row));
            if length == 0 {
                return;
            }
            let of = |packed| heads_of(packed, start, length, options.heads);
            let mut scores = product(&of(query), &of(key).transpose(1, 2));
            let rows = scores.storage_mut::<f32>().chunks_exact_mut(length);
            for (index, row) in rows.enumerate() {
                let (head, position) = (index / length, index % length);
                for (score, bias) in row.iter_mut().zip(bias.row(head, position, length)) {
                    *score = *score * options.scale + bias;
                }
            }
            softmax(scores.storage_mut(), length, 1.0);
            join(&product(&scores, &of(value)), output);
        });
    tensor(output, query.shape())
}
