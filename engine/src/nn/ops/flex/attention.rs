//! Attention over texts of unequal length: each text is a product of its own size, so nothing is spent on padding.

use burn::backend::Flex;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use super::tensor;
use super::vector::{softmax, sum};
use crate::nn::ops::{
    AttentionGradients, AttentionOptions, Dropout, Segments, probability_feature,
};

/// One text's `[heads, length, size]` within `[tokens, heads * size]`, without a copy.
fn heads_of(packed: &FlexTensor, start: usize, length: usize, heads: usize) -> FlexTensor {
    let layout = packed.layout();
    let size = layout.shape()[1] / heads;
    let (row, column) = (layout.strides()[0], layout.strides()[1]);
    let offset = layout
        .start_offset()
        .wrapping_add_signed(start.cast_signed() * row);
    let strides = vec![size.cast_signed() * column, row, column];
    let layout = Layout::new(Shape::new([heads, length, size]), strides, offset);
    FlexTensor::from_arc(packed.data_arc(), layout, DType::F32)
}

/// One head's `[length, size]` of [`heads_of`].
fn head_of(
    packed: &FlexTensor,
    start: usize,
    length: usize,
    head: usize,
    heads: usize,
) -> FlexTensor {
    let layout = packed.layout();
    let size = layout.shape()[1] / heads;
    let (row, column) = (layout.strides()[0], layout.strides()[1]);
    let first = start.cast_signed() * row + (head * size).cast_signed() * column;
    let offset = layout.start_offset().wrapping_add_signed(first);
    let layout = Layout::new(Shape::new([length, size]), vec![row, column], offset);
    FlexTensor::from_arc(packed.data_arc(), layout, DType::F32)
}

/// `a b`, or that of each head.
fn product(a: &FlexTensor, b: &FlexTensor) -> FlexTensor {
    Flex::float_matmul(a.clone(), b.clone())
}

/// A text's probabilities `[heads, length, length]`, before and after dropout.
fn probabilities(
    query: &FlexTensor,
    key: &FlexTensor,
    start: usize,
    options: &AttentionOptions,
) -> (FlexTensor, Option<FlexTensor>) {
    let mut scores = product(query, &key.transpose(1, 2));
    let length = scores.shape()[2];
    softmax(scores.storage_mut(), length, options.scale);
    let dropped = options.dropout.as_ref().map(|dropout| {
        let mut dropped = scores.storage::<f32>().to_vec();
        drop_probabilities(&mut dropped, length, start, 0, dropout);
        tensor(dropped, scores.shape())
    });
    (scores, dropped)
}

/// Dropout on the probabilities `[heads, length, length]` of a text that begins at the token `start`, from the head `first_head` on.
pub(super) fn drop_probabilities(
    probabilities: &mut [f32],
    length: usize,
    start: usize,
    first_head: usize,
    dropout: &Dropout,
) {
    let scale = dropout.scale();
    for (index, row) in probabilities.chunks_exact_mut(length).enumerate() {
        let (head, position) = (first_head + index / length, index % length);
        let draws = dropout.row(start + position);
        for (key, value) in row.iter_mut().enumerate() {
            *value *= draws.factor(probability_feature(head, key), scale);
        }
    }
}

/// From the gradient of the probabilities after dropout to that of the scores before scaling, row by row.
///
/// With P the probabilities, D those after dropout and G the gradient for D: `scale (D G - P sum(D G))`.
pub(super) fn score_gradient(
    gradient: &mut [f32],
    kept: &[f32],
    used: &[f32],
    length: usize,
    scale: f32,
) {
    let rows = gradient.chunks_exact_mut(length);
    for ((out, kept), used) in rows.zip(kept.chunks(length)).zip(used.chunks(length)) {
        let total = sum(length, |key| out[key] * used[key]);
        for ((out, kept), used) in out.iter_mut().zip(kept).zip(used) {
            *out = (*out * used - kept * total) * scale;
        }
    }
}

/// Writes `[heads, length, size]` to a text's rows of `[tokens, heads * size]`.
fn join(heads: &FlexTensor, rows: &mut [f32]) {
    let [count, length, size] = heads.shape().dims();
    let values: &[f32] = heads.storage();
    for head in 0..count {
        for position in 0..length {
            let from = (head * length + position) * size;
            let to = (position * count + head) * size;
            rows[to..to + size].copy_from_slice(&values[from..from + size]);
        }
    }
}

/// The rows of each text in a buffer of `[tokens, width]`.
fn texts<'a>(mut buffer: &'a mut [f32], segments: &Segments, width: usize) -> Vec<&'a mut [f32]> {
    segments
        .iter()
        .map(|(_, length)| buffer.split_off_mut(..length * width).unwrap_or_default())
        .collect()
}

/// Attention of each text among its own tokens, head by head, so that one head's scores stay in the processor's caches.
///
/// `weigh` gets the products of queries and keys `[length, length]`, the text's first token and the head, and leaves what the values are weighed by.
pub(super) fn attend(
    [query, key, value]: [&FlexTensor; 3],
    segments: &Segments,
    heads: usize,
    weigh: impl Fn(&mut [f32], usize, usize) + Sync,
) -> FlexTensor {
    let width = query.shape()[1];
    let mut output = vec![0.0_f32; segments.tokens() * width];
    texts(&mut output, segments, width)
        .into_par_iter()
        .zip(segments.iter().collect::<Vec<_>>())
        .filter(|(_, (_, length))| *length > 0)
        .for_each(|(rows, (start, length))| {
            let contexts = (0..heads).into_par_iter().map(|head| {
                let of = |packed| head_of(packed, start, length, head, heads);
                let mut scores = product(&of(query), &of(key).transpose(0, 1));
                weigh(scores.storage_mut(), start, head);
                product(&scores, &of(value))
            });
            let contexts: Vec<FlexTensor> = contexts.collect();
            let contexts: Vec<&[f32]> = contexts.iter().map(FlexTensor::storage).collect();
            let size = width / heads;
            for (position, row) in rows.chunks_exact_mut(width).enumerate() {
                for (out, context) in row.chunks_exact_mut(size).zip(&contexts) {
                    out.copy_from_slice(&context[position * size..][..size]);
                }
            }
        });
    tensor(output, query.shape())
}

pub(super) fn forward(
    operands: [&FlexTensor; 3],
    segments: &Segments,
    options: &AttentionOptions,
) -> FlexTensor {
    attend(operands, segments, options.heads, |scores, start, head| {
        let length = scores.len().isqrt();
        softmax(scores, length, options.scale);
        if let Some(dropout) = &options.dropout {
            drop_probabilities(scores, length, start, head, dropout);
        }
    })
}

pub(super) fn backward(
    [query, key, value, gradient]: [&FlexTensor; 4],
    segments: &Segments,
    options: &AttentionOptions,
) -> AttentionGradients<Flex> {
    let (shape, width) = (query.shape(), query.shape()[1]);
    let mut outputs = [(); 3].map(|()| vec![0.0_f32; segments.tokens() * width]);
    let [queries, keys, values] = &mut outputs;
    let rows = texts(queries, segments, width)
        .into_par_iter()
        .zip(texts(keys, segments, width))
        .zip(texts(values, segments, width));
    rows.enumerate()
        .for_each(|(row, ((query_rows, key_rows), value_rows))| {
            let (start, length) = (segments.start(row), segments.length(row));
            if length == 0 {
                return;
            }
            let of = |packed| heads_of(packed, start, length, options.heads);
            let (query, key, value, gradient) = (of(query), of(key), of(value), of(gradient));
            let (kept, dropped) = probabilities(&query, &key, start, options);
            let used = dropped.as_ref().unwrap_or(&kept);
            join(&product(&used.transpose(1, 2), &gradient), value_rows);

            let mut scores = product(&gradient, &value.transpose(1, 2));
            score_gradient(
                scores.storage_mut(),
                kept.storage(),
                used.storage(),
                length,
                options.scale,
            );
            join(&product(&scores, &key), query_rows);
            join(&product(&scores.transpose(1, 2), &query), key_rows);
        });
    outputs.map(|values| tensor(values, shape.clone()))
}
