//! Attention over texts of unequal length: each text is a product of its own size, so nothing is
//! spent on padding.

use burn::backend::Flex;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use super::tensor;
use super::vector::{softmax, sum};
use crate::nn::ops::{
    AttentionGradients, AttentionOptions, Dropout, Mask, Segments, probability_feature,
};

/// One text among those of a batch.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// The first token of its queries.
    start: usize,
    /// Number of its queries.
    queries: usize,
    /// The first token of its keys.
    key_start: usize,
    /// Number of its keys.
    pub(super) keys: usize,
}

impl Text {
    /// The texts of a batch, in order.
    fn all([queries, keys]: [&Segments; 2]) -> impl Iterator<Item = Self> {
        let both = queries.iter().zip(keys.iter());
        both.map(|((start, queries), (key_start, keys))| Self {
            start,
            queries,
            key_start,
            keys,
        })
    }

    fn is_empty(&self) -> bool {
        self.queries == 0 || self.keys == 0
    }

    /// Scores `[heads, queries, keys]` to the softmax over the keys that each query sees; 0 for the
    /// others.
    fn softmax(&self, scores: &mut [f32], scale: f32, mask: Mask) {
        if mask == Mask::Full {
            return softmax(scores, self.keys, scale);
        }
        for (index, row) in scores.chunks_exact_mut(self.keys).enumerate() {
            let seen = mask.visible(index % self.queries, self.queries, self.keys);
            row[..seen.start].fill(0.0);
            row[seen.end..].fill(0.0);
            let length = seen.len();
            softmax(&mut row[seen], length.max(1), scale);
        }
    }
}

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

/// A text's probabilities `[heads, queries, keys]`, before and after dropout.
fn probabilities(
    query: &FlexTensor,
    key: &FlexTensor,
    text: Text,
    options: &AttentionOptions,
) -> (FlexTensor, Option<FlexTensor>) {
    let mut scores = product(query, &key.transpose(1, 2));
    text.softmax(scores.storage_mut(), options.scale, options.mask);
    let dropped = options.dropout.as_ref().map(|dropout| {
        let mut dropped = scores.storage::<f32>().to_vec();
        drop_probabilities(
            &mut dropped,
            [text.queries, text.keys],
            text.start,
            0,
            dropout,
        );
        tensor(dropped, scores.shape())
    });
    (scores, dropped)
}

/// Dropout on the probabilities `[heads, queries, keys]` of a text whose queries begin at the token
/// `start`, from the head `first_head` on.
pub(super) fn drop_probabilities(
    probabilities: &mut [f32],
    [queries, keys]: [usize; 2],
    start: usize,
    first_head: usize,
    dropout: &Dropout,
) {
    let scale = dropout.scale();
    for (index, row) in probabilities.chunks_exact_mut(keys).enumerate() {
        let (head, position) = (first_head + index / queries, index % queries);
        let draws = dropout.row(start + position);
        for (key, value) in row.iter_mut().enumerate() {
            *value *= draws.factor(probability_feature(head, key), scale);
        }
    }
}

/// From the gradient of the probabilities after dropout to that of the scores before scaling, row
/// by row.
///
/// With P the probabilities, D those after dropout and G the gradient for D:
/// `scale (D G - P sum(D G))`.
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

/// Attention of each text's queries to its keys, head by head, so that one head's scores stay in
/// the processor's caches.
///
/// `weigh` gets the products of queries and keys `[queries, keys]`, the text and the head, and
/// leaves what the values are weighed by.
pub(super) fn attend(
    [query, key, value]: [&FlexTensor; 3],
    segments: [&Segments; 2],
    heads: usize,
    weigh: impl Fn(&mut [f32], Text, usize) + Sync,
) -> FlexTensor {
    let width = query.shape()[1];
    let mut output = vec![0.0_f32; segments[0].tokens() * width];
    texts(&mut output, segments[0], width)
        .into_par_iter()
        .zip(Text::all(segments).collect::<Vec<_>>())
        .filter(|(_, text)| !text.is_empty())
        .for_each(|(rows, text)| {
            let contexts = (0..heads).into_par_iter().map(|head| {
                let query = head_of(query, text.start, text.queries, head, heads);
                let of_keys = |packed| head_of(packed, text.key_start, text.keys, head, heads);
                let mut scores = product(&query, &of_keys(key).transpose(0, 1));
                weigh(scores.storage_mut(), text, head);
                product(&scores, &of_keys(value))
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
    segments: [&Segments; 2],
    options: &AttentionOptions,
) -> FlexTensor {
    attend(operands, segments, options.heads, |scores, text, head| {
        text.softmax(scores, options.scale, options.mask);
        if let Some(dropout) = &options.dropout {
            let sizes = [text.queries, text.keys];
            drop_probabilities(scores, sizes, text.start, head, dropout);
        }
    })
}

pub(super) fn backward(
    [query, key, value, gradient]: [&FlexTensor; 4],
    segments: [&Segments; 2],
    options: &AttentionOptions,
) -> AttentionGradients<Flex> {
    let width = query.shape()[1];
    let [of_queries, of_keys] = segments;
    let zeros = |segments: &Segments| vec![0.0_f32; segments.tokens() * width];
    let mut outputs = [zeros(of_queries), zeros(of_keys), zeros(of_keys)];
    let [queries, keys, values] = &mut outputs;
    texts(queries, of_queries, width)
        .into_par_iter()
        .zip(texts(keys, of_keys, width))
        .zip(texts(values, of_keys, width))
        .zip(Text::all(segments).collect::<Vec<_>>())
        .filter(|(_, text)| !text.is_empty())
        .for_each(|(((query_rows, key_rows), value_rows), text)| {
            let asked = |packed| heads_of(packed, text.start, text.queries, options.heads);
            let held = |packed| heads_of(packed, text.key_start, text.keys, options.heads);
            let (query, gradient) = (asked(query), asked(gradient));
            let (key, value) = (held(key), held(value));
            let (kept, dropped) = probabilities(&query, &key, text, options);
            let used = dropped.as_ref().unwrap_or(&kept);
            join(&product(&used.transpose(1, 2), &gradient), value_rows);

            let mut scores = product(&gradient, &value.transpose(1, 2));
            score_gradient(
                scores.storage_mut(),
                kept.storage(),
                used.storage(),
                text.keys,
                options.scale,
            );
            join(&product(&scores, &key), query_rows);
            join(&product(&scores.transpose(1, 2), &query), key_rows);
        });
    let shapes = [query, key, value].map(TensorMetadata::shape);
    let [queries, keys, values] = outputs;
    let [query, key, value] = shapes;
    [
        tensor(queries, query),
        tensor(keys, key),
        tensor(values, value),
    ]
}
