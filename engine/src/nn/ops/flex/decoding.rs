//! What decoders need, on the CPU.
//!
//! A text's results are the same bits whatever else is computed with it, and however its tokens were
//! read: products of a few rows go to a kernel whose rows do not know each other, those of many to a
//! general product that is never given so few that it would take another way, and sums over keys
//! have fixed limits.

use burn::backend::Flex;
use burn::tensor::ops::{FloatTensor, FloatTensorOps};
use burn::tensor::{DType, TensorMetadata};
use burn_flex::FlexTensor;
use half::{bf16, f16};
use rayon::prelude::*;

use super::stored::Stored;
use super::{BLOCK as VALUES, owned, products, tensor, vector};
use crate::nn::ops::decoding::{BLOCK, CachedOptions, Contexts, Decoding, Rows};
use crate::nn::ops::{Mask, Operations};

/// Values of a result up to which a general product may take a way of its own.
const SMALL: usize = 256;

/// Rows that a general product of so many columns gets at least, so that it always goes the same
/// way.
fn least_rows(columns: usize) -> usize {
    (SMALL / columns.max(1) + 1).max(16)
}

/// Outputs whose weights are widened together.
const TILE: usize = 512;

/// Keys whose values are added up at a time.
const STRETCH: usize = 256;

impl Decoding for Flex {
    #[allow(clippy::cast_possible_truncation, reason = "f32 as the values are")]
    fn rms_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let weight = weight.to_contiguous();
        let weight: &[f32] = weight.storage();
        let mut output = owned(input);
        output
            .storage_mut::<f32>()
            .par_chunks_mut(weight.len() * (VALUES / weight.len()).max(1))
            .for_each(|rows| vector::rms_norm(rows, weight, epsilon as f32));
        output
    }

    fn turn(
        input: FloatTensor<Self>,
        cosines: FloatTensor<Self>,
        sines: FloatTensor<Self>,
        size: usize,
    ) -> FloatTensor<Self> {
        let width = input.shape()[1];
        let angles = cosines.shape()[1];
        let (cosines, sines) = (cosines.to_contiguous(), sines.to_contiguous());
        let mut output = owned(input);
        output
            .storage_mut::<f32>()
            .par_chunks_mut(width)
            .zip(cosines.storage::<f32>().par_chunks(angles))
            .zip(sines.storage::<f32>().par_chunks(angles))
            .with_min_len(8)
            .for_each(|((row, cosines), sines)| vector::turn(row, cosines, sines, size));
        output
    }

    fn gated_silu(gate: FloatTensor<Self>, input: FloatTensor<Self>) -> FloatTensor<Self> {
        let gate = gate.to_contiguous();
        let mut output = owned(input);
        output
            .storage_mut::<f32>()
            .par_chunks_mut(VALUES)
            .zip(gate.storage::<f32>().par_chunks(VALUES))
            .for_each(|(output, gates)| vector::gated_silu(output, gates));
        output
    }

    fn widened_product(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        rows: Rows,
    ) -> FloatTensor<Self> {
        let (input, weight) = (input.to_contiguous(), weight.to_contiguous());
        match weight.dtype() {
            DType::BF16 => product::<bf16>(&input, &weight, rows),
            DType::F16 => product::<f16>(&input, &weight, rows),
            _ => product::<f32>(&input, &weight, rows),
        }
    }

    fn keep(
        store: FloatTensor<Self>,
        values: FloatTensor<Self>,
        contexts: &Contexts<Self>,
    ) -> FloatTensor<Self> {
        let values = super::defaults::narrow::<Self>(values, store.dtype()).to_contiguous();
        let mut store = owned(store);
        match store.dtype() {
            DType::BF16 => put::<bf16>(&mut store, &values, contexts),
            DType::F16 => put::<f16>(&mut store, &values, contexts),
            _ => put::<f32>(&mut store, &values, contexts),
        }
        store
    }

    fn cached_attention(
        query: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        contexts: &Contexts<Self>,
        options: &CachedOptions,
    ) -> FloatTensor<Self>
    where
        Self: Operations,
    {
        let stores = [&keys, &values];
        match keys.dtype() {
            DType::BF16 => attention::<bf16>(&query, stores, contexts, options),
            DType::F16 => attention::<f16>(&query, stores, contexts, options),
            _ => attention::<f32>(&query, stores, contexts, options),
        }
    }
}

fn product<T: Stored + burn::tensor::Element>(
    input: &FlexTensor,
    weight: &FlexTensor,
    rows: Rows,
) -> FlexTensor {
    let (count, width) = (input.shape()[0], input.shape()[1]);
    let outputs = weight.shape()[0];
    if rows == Rows::OfSeveralTexts {
        let few: &[f32] = input.storage();
        let product = products(few, weight.storage::<T>(), width);
        return tensor(product, [count, outputs].into());
    }
    let narrowest = match (weight.dtype(), outputs % TILE) {
        (DType::F32, _) | (_, 0) => outputs,
        (_, rest) => rest,
    };
    let filled = count.max(least_rows(narrowest));
    let input = if filled == count {
        input.clone()
    } else {
        let mut values = input.storage::<f32>().to_vec();
        values.resize(filled * width, 0.0);
        tensor(values, [filled, width].into())
    };
    let whole = if weight.dtype() == DType::F32 {
        Flex::float_matmul(input, weight.transpose(0, 1))
    } else {
        let mut whole = vec![0.0_f32; filled * outputs];
        let weights: &[T] = weight.storage();
        for (tile, weights) in weights.chunks(TILE * width).enumerate() {
            let height = weights.len() / width;
            let mut wide = vec![0.0_f32; weights.len()];
            wide.par_chunks_mut(VALUES)
                .zip(weights.par_chunks(VALUES))
                .for_each(|(wide, weights)| widen(wide, weights));
            let wide = tensor(wide, [height, width].into());
            let part = Flex::float_matmul(input.clone(), wide.transpose(0, 1)).to_contiguous();
            whole
                .par_chunks_exact_mut(outputs)
                .zip(part.storage::<f32>().par_chunks_exact(height))
                .for_each(|(row, part)| row[tile * TILE..][..height].copy_from_slice(part));
        }
        tensor(whole, [filled, outputs].into())
    };
    if filled == count {
        whole
    } else {
        whole.narrow(0, 0, count)
    }
}

fn widen<T: Stored>(wide: &mut [f32], stored: &[T]) {
    struct Widen<'a, T>(&'a mut [f32], &'a [T]);
    impl<T: Stored> pulp::WithSimd for Widen<'_, T> {
        type Output = ();

        #[allow(
            clippy::inline_always,
            reason = "only what is inlined is compiled for wider vectors"
        )]
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) {
            for (wide, stored) in self.0.iter_mut().zip(self.1) {
                *wide = stored.wide();
            }
        }
    }
    pulp::Arch::new().dispatch(Widen(wide, stored));
}

/// Puts the rows of the queries' tokens to their places.
fn put<T: Stored + burn::tensor::Element>(
    store: &mut FlexTensor,
    values: &FlexTensor,
    contexts: &Contexts<Flex>,
) {
    let width = values.shape()[1];
    let values: &[T] = values.storage();
    let store: &mut [T] = store.storage_mut();
    for (row, start, length) in contexts.stretches() {
        store[row * width..][..length * width]
            .copy_from_slice(&values[start * width..][..length * width]);
    }
}

fn attention<T: Stored + burn::tensor::Element>(
    query: &FlexTensor,
    [keys, values]: [&FlexTensor; 2],
    contexts: &Contexts<Flex>,
    options: &CachedOptions,
) -> FlexTensor {
    let query = query.to_contiguous();
    let queries: &[f32] = query.storage();
    let (keys, values): (&[T], &[T]) = (keys.storage(), values.storage());
    let width = query.shape()[1];
    let mut output = vec![0.0_f32; queries.len()];
    let mut rest = output.as_mut_slice();
    let mut texts = Vec::new();
    for (text, (start, count)) in contexts.queries.iter().enumerate() {
        let rows = rest.split_off_mut(..count * width).unwrap_or_default();
        texts.push((text, start, rows));
    }
    texts.into_par_iter().for_each(|(text, start, rows)| {
        let count = rows.len() / width;
        let attended = Text {
            queries: &queries[start * width..][..count * width],
            keys,
            values,
            blocks: &contexts.blocks[text],
            length: contexts.lengths[text],
            size: width / options.heads,
            options,
        };
        let heads = (0..options.key_heads).into_par_iter();
        let contexts: Vec<Vec<f32>> = heads
            .map(|head| match options.rows {
                Rows::OfSeveralTexts => attended.few(head),
                Rows::OfOneText => attended.many(head),
            })
            .collect();
        // Each is `[heads of queries that share its keys, queries, size]`.
        let size = attended.size;
        let group = options.heads / options.key_heads;
        for (head, context) in contexts.iter().enumerate() {
            for (index, part) in context.chunks_exact(size).enumerate() {
                let (member, token) = (index / count, index % count);
                let place = token * width + (head * group + member) * size;
                rows[place..place + size].copy_from_slice(part);
            }
        }
    });
    tensor(output, query.shape())
}

/// A text's queries and what they attend to.
struct Text<'a, T> {
    /// `[queries, heads * size]`.
    queries: &'a [f32],
    keys: &'a [T],
    values: &'a [T],
    blocks: &'a [usize],
    length: usize,
    size: usize,
    options: &'a CachedOptions,
}

impl<T: Stored> Text<'_, T> {
    fn group(&self) -> usize {
        self.options.heads / self.options.key_heads
    }

    fn count(&self) -> usize {
        self.queries.len() / (self.options.heads * self.size)
    }

    fn visible(&self, query: usize) -> std::ops::Range<usize> {
        let mask = Mask::Causal {
            window: self.options.window,
        };
        mask.visible(query, self.count(), self.length)
    }

    /// A query of one of the heads that share the keys of a head.
    fn query(&self, head: usize, member: usize, token: usize) -> &[f32] {
        let place = (token * self.options.heads + head * self.group() + member) * self.size;
        &self.queries[place..][..self.size]
    }

    /// The part of a head in the rows of a block of keys or values, as rows of `stride`.
    fn block<'s>(&self, store: &'s [T], block: usize, head: usize) -> (&'s [T], usize) {
        let stride = self.options.key_heads * self.size;
        let first = self.blocks[block] * stride + head * self.size;
        let rows = (self.length - block * BLOCK).min(BLOCK);
        (&store[first..][..(rows - 1) * stride + self.size], stride)
    }

    /// Attention of a few queries, `[group, queries, size]`.
    fn few(&self, head: usize) -> Vec<f32> {
        let (group, count) = (self.group(), self.count());
        let mut scores = vec![0.0_f32; group * count * self.length];
        for block in 0..self.length.div_ceil(BLOCK) {
            let (keys, stride) = self.block(self.keys, block, head);
            for member in 0..group {
                for token in 0..count {
                    let query = self.query(head, member, token);
                    let row = &mut scores[(member * count + token) * self.length..][..self.length];
                    let row = &mut row[block * BLOCK..];
                    vector::scores(row, query, keys, stride);
                }
            }
        }
        self.weigh(&mut scores);
        let mut output = vec![0.0_f32; group * count * self.size];
        for block in 0..self.length.div_ceil(BLOCK) {
            let (values, stride) = self.block(self.values, block, head);
            let lines = output.chunks_exact_mut(self.size);
            for (sum, row) in lines.zip(scores.chunks_exact(self.length)) {
                vector::add_weighed(sum, &row[block * BLOCK..], values, stride);
            }
        }
        output
    }

    /// Scores `[group, queries, keys]` to probabilities; 0 where a query does not see.
    fn weigh(&self, scores: &mut [f32]) {
        let count = self.count();
        for (index, row) in scores.chunks_exact_mut(self.length).enumerate() {
            let seen = self.visible(index % count);
            row[..seen.start].fill(0.0);
            row[seen.end..].fill(0.0);
            let length = seen.len();
            vector::softmax(&mut row[seen], length, self.options.scale);
        }
    }

    /// The head's rows of keys or values, in f32: `[keys, size]`.
    fn gathered(&self, store: &[T], head: usize) -> FlexTensor {
        let mut rows = vec![0.0_f32; self.length * self.size];
        for (block, rows) in rows.chunks_mut(BLOCK * self.size).enumerate() {
            let (stored, stride) = self.block(store, block, head);
            for (row, stored) in rows.chunks_exact_mut(self.size).zip(stored.chunks(stride)) {
                widen(row, &stored[..self.size]);
            }
        }
        tensor(rows, [self.length, self.size].into())
    }

    /// Attention of many queries, `[group, queries, size]`.
    fn many(&self, head: usize) -> Vec<f32> {
        let (group, count) = (self.group(), self.count());
        let keys = self.gathered(self.keys, head).transpose(0, 1);
        let values = self.gathered(self.values, head);
        let filled = count.max(least_rows(self.length));
        let mut output = Vec::with_capacity(group * count * self.size);
        for member in 0..group {
            let mut query = Vec::with_capacity(filled * self.size);
            for token in 0..count {
                query.extend_from_slice(self.query(head, member, token));
            }
            query.resize(filled * self.size, 0.0);
            let query = tensor(query, [filled, self.size].into());
            let mut scores = owned(Flex::float_matmul(query, keys.clone()));
            self.weigh(&mut scores.storage_mut::<f32>()[..count * self.length]);
            // In stretches of a fixed length, so that the sums do not depend on the number of keys.
            let mut sum: Option<FlexTensor> = None;
            for first in (0..self.length).step_by(STRETCH) {
                let length = STRETCH.min(self.length - first);
                let part = Flex::float_matmul(
                    scores.narrow(1, first, length),
                    values.narrow(0, first, length),
                );
                sum = Some(match sum {
                    Some(sum) => Flex::float_add(sum, part),
                    None => part,
                });
            }
            let sum = sum.expect("a text has keys").to_contiguous();
            output.extend_from_slice(&sum.storage::<f32>()[..count * self.size]);
        }
        output
    }
}
