//! Attention that sees content and relative position apart (arXiv 2006.03654): its operands, and
//! the version made of burn's operations.
//!
//! With `S(q, k)` the row that stands for the distance from `k` to `q`, the score of a query and a
//! key is
//! `scale * (query[q] · key[k] + query[q] · position_key[S(q, k)] + key[k] · position_query[S(q, k)])`.

use std::sync::Arc;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData, TensorMetadata};

use super::defaults::{join_heads, scaled_already, split_heads};
use super::{AttentionOptions, Operations, Ragged, unwrap, wrap};

/// What disentangled attention reads, or a gradient for each part of it.
#[derive(Debug, Clone)]
pub struct Disentangled<T> {
    /// `[tokens, heads * size]`.
    pub query: T,
    /// `[tokens, heads * size]`.
    pub key: T,
    /// `[tokens, heads * size]`.
    pub value: T,
    /// `[rows, heads * size]`: relative positions as keys, where queries look at them.
    pub position_key: Option<T>,
    /// `[rows, heads * size]`: relative positions as queries, where they look at keys.
    pub position_query: Option<T>,
}

impl<T> Disentangled<T> {
    /// The same with each part changed.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Disentangled<U> {
        Disentangled {
            query: change(self.query),
            key: change(self.key),
            value: change(self.value),
            position_key: self.position_key.map(&mut change),
            position_query: self.position_query.map(&mut change),
        }
    }

    /// Each part by reference.
    pub fn as_ref(&self) -> Disentangled<&T> {
        Disentangled {
            query: &self.query,
            key: &self.key,
            value: &self.value,
            position_key: self.position_key.as_ref(),
            position_query: self.position_query.as_ref(),
        }
    }
}

/// The row of a table of relative positions for each distance from `-reach` to `reach`; rows never
/// fall as distances grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distances(Arc<Vec<usize>>);

impl Distances {
    /// From the rows of `-reach`, `1 - reach` and so on: `2 * reach + 1` of them.
    #[must_use]
    pub fn new(rows: Vec<usize>) -> Self {
        debug_assert!(rows.len() % 2 == 1 && rows.is_sorted());
        Self(Arc::new(rows))
    }

    /// The largest distance that has a row.
    #[must_use]
    pub fn reach(&self) -> usize {
        self.0.len() / 2
    }

    /// The row of a distance within reach.
    #[must_use]
    pub fn row(&self, distance: isize) -> usize {
        self.0[self.reach().wrapping_add_signed(distance)]
    }

    /// The rows of the distances from `-reach` to `reach`, which may be less than there is.
    #[must_use]
    pub fn rows(&self, reach: usize) -> &[usize] {
        let centre = self.reach();
        &self.0[centre - reach..=centre + reach]
    }
}

/// How disentangled attention reads its operands.
#[derive(Debug, Clone)]
pub struct DisentangledOptions {
    /// As in attention of other kinds, but that every query sees all keys.
    pub attention: AttentionOptions,
    /// The rows of the position tables.
    pub distances: Distances,
}

/// The gradients that are wanted in addition to those of queries, keys and values.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// For [`Disentangled::position_key`].
    pub position_key: bool,
    /// For [`Disentangled::position_query`].
    pub position_query: bool,
}

/// Which way distances grow along the columns of a position table that has been laid out by
/// distance.
#[derive(Clone, Copy)]
enum Order {
    /// From the largest to the smallest: keys from left to right, as a query sees them.
    Falling,
    /// From the smallest to the largest: queries from left to right, as a key sees them.
    Rising,
}

/// A position table with a row for each distance that the longest text has, and one more that
/// nothing reads.
struct ByDistance<B: Operations> {
    /// `[1, heads, 2 * longest, size]`.
    table: Tensor<B, 4>,
    /// `[2 * longest]`: where its rows come from.
    rows: Tensor<B, 1, Int>,
}

impl<B: Operations> ByDistance<B> {
    fn new(
        table: FloatTensor<B>,
        order: Order,
        longest: usize,
        options: &DisentangledOptions,
    ) -> Self {
        let heads = options.attention.heads;
        let known = options.distances.rows(longest - 1);
        let rising = known.iter().chain(known.last());
        let rows: Vec<i64> = match order {
            Order::Rising => rising.map(|&row| index(row)).collect(),
            Order::Falling => known
                .iter()
                .rev()
                .chain(known.first())
                .map(|&row| index(row))
                .collect(),
        };
        let device = B::float_device(&table);
        let rows = Tensor::from_data(TensorData::new(rows, [2 * longest]), &device);
        let table = wrap::<B, 2>(table).select(0, rows.clone());
        let size = table.dims()[1] / heads;
        let table = table.reshape([1, 2 * longest, heads, size]).swap_dims(1, 2);
        Self { table, rows }
    }

    /// The gradient of the table `[count, heads * size]` from that of the table by distance, of
    /// which there is one for each text.
    fn gradient(&self, by_text: Tensor<B, 4>, count: usize) -> FloatTensor<B> {
        let dtype = by_text.dtype();
        // Sums over texts and distances, which 16 bits would round again and again.
        let by_distance = by_text.cast(DType::F32).sum_dim(0);
        let [_, heads, columns, size] = by_distance.dims();
        let by_distance: Tensor<B, 2> =
            by_distance.swap_dims(1, 2).reshape([columns, heads * size]);
        let zeros = Tensor::<B, 2>::zeros([count, heads * size], &by_distance.device());
        let sum = zeros.select_assign(0, self.rows.clone(), by_distance, IndexingUpdateOp::Add);
        unwrap(sum.cast(dtype))
    }
}

#[allow(clippy::cast_possible_wrap)]
fn index(row: usize) -> i64 {
    row as i64
}

/// `[.., length, 2 * length]` by distance to `[.., length, length]` by token: row `i` begins at
/// column `length - 1 - i`.
fn skew<B: Operations>(by_distance: Tensor<B, 4>) -> Tensor<B, 4> {
    let [rows, heads, length, _] = by_distance.dims();
    by_distance
        .reshape([rows, heads, 2 * length * length])
        .narrow(2, length - 1, length * (2 * length - 1))
        .reshape([rows, heads, length, 2 * length - 1])
        .narrow(3, 0, length)
}

/// The backward pass of [`skew`].
fn unskew<B: Operations>(by_token: Tensor<B, 4>) -> Tensor<B, 4> {
    let [rows, heads, length, _] = by_token.dims();
    let (device, dtype) = (by_token.device(), by_token.dtype());
    let zeros = |count| Tensor::<B, 3>::zeros([rows, heads, count], &device).cast(dtype);
    let wide = Tensor::cat(
        vec![
            by_token,
            zeros(length * (length - 1)).reshape([rows, heads, length, length - 1]),
        ],
        3,
    );
    let flat = wide.reshape([rows, heads, length * (2 * length - 1)]);
    Tensor::cat(vec![zeros(length - 1), flat, zeros(1)], 2).reshape([
        rows,
        heads,
        length,
        2 * length,
    ])
}

/// The operands in the padded shape, split into heads.
struct Padded<B: Operations> {
    query: Tensor<B, 4>,
    key: Tensor<B, 4>,
    value: Tensor<B, 4>,
    position_key: Option<ByDistance<B>>,
    position_query: Option<ByDistance<B>>,
}

impl<B: Operations> Padded<B> {
    fn new(
        operands: Disentangled<FloatTensor<B>>,
        ragged: &Ragged<B>,
        options: &DisentangledOptions,
    ) -> Self {
        let heads = options.attention.heads;
        let longest = ragged.segments.longest();
        let by_distance = |table, order| ByDistance::<B>::new(table, order, longest, options);
        let split = |packed| split_heads::<B>(packed, ragged, heads);
        Self {
            query: split(operands.query),
            key: split(operands.key),
            value: split(operands.value),
            position_key: operands
                .position_key
                .map(|table| by_distance(table, Order::Falling)),
            position_query: operands
                .position_query
                .map(|table| by_distance(table, Order::Rising)),
        }
    }

    /// `[texts, heads, longest, longest]`, scaled before the products: half precision cannot hold a
    /// sum of large ones.
    fn scores(&self, scale: f32) -> Tensor<B, 4> {
        let (query, key) = (self.query.clone() * scale, self.key.clone() * scale);
        let mut scores = query.clone().matmul(self.key.clone().swap_dims(2, 3));
        if let Some(positions) = &self.position_key {
            scores = scores + skew(query.matmul(positions.table.clone().swap_dims(2, 3)));
        }
        if let Some(positions) = &self.position_query {
            let seen = key.matmul(positions.table.clone().swap_dims(2, 3));
            scores = scores + skew(seen).swap_dims(2, 3);
        }
        scores
    }
}

/// [`Operations::disentangled_attention`] in the padded shape.
pub(super) fn attention<B: Operations>(
    operands: Disentangled<FloatTensor<B>>,
    ragged: &Ragged<B>,
    options: &DisentangledOptions,
) -> FloatTensor<B> {
    let padded = Padded::<B>::new(operands, ragged, options);
    let options = &options.attention;
    let scores = unwrap(padded.scores(options.scale));
    let probabilities = B::attention_probabilities(scores, [ragged; 2], &scaled_already(options));
    join_heads(wrap::<B, 4>(probabilities).matmul(padded.value), ragged)
}

/// [`Operations::disentangled_attention_backward`] in the padded shape.
pub(super) fn backward<B: Operations>(
    operands: Disentangled<FloatTensor<B>>,
    gradient: FloatTensor<B>,
    wanted: Wanted,
    ragged: &Ragged<B>,
    options: &DisentangledOptions,
) -> Disentangled<FloatTensor<B>> {
    let counts = operands.as_ref().map(|operand| operand.shape()[0]);
    let gradient = split_heads::<B>(gradient, ragged, options.attention.heads);
    let padded = Padded::<B>::new(operands, ragged, options);
    let options = &options.attention;
    let with_dropout = scaled_already(options);
    let without = AttentionOptions {
        dropout: None,
        ..with_dropout.clone()
    };
    let scores = unwrap(padded.scores(options.scale));
    let kept = B::attention_probabilities(scores.clone(), [ragged; 2], &without);
    let used = match options.dropout {
        Some(_) => B::attention_probabilities(scores, [ragged; 2], &with_dropout),
        None => kept.clone(),
    };
    let value = wrap::<B, 4>(used).swap_dims(2, 3).matmul(gradient.clone());
    let above = unwrap(gradient.matmul(padded.value.clone().swap_dims(2, 3)));
    let scores: Tensor<B, 4> = wrap(B::attention_scores_gradient(
        kept,
        above,
        [ragged; 2],
        options,
    ));
    let mut query = scores.clone().matmul(padded.key.clone());
    let mut key = scores.clone().swap_dims(2, 3).matmul(padded.query.clone());
    let mut position_key = None;
    if let Some(positions) = &padded.position_key {
        let by_distance = unskew(scores.clone());
        query = query + by_distance.clone().matmul(positions.table.clone());
        position_key = wanted.position_key.then(|| {
            let by_text = by_distance.swap_dims(2, 3).matmul(padded.query.clone());
            positions.gradient(by_text, counts.position_key.unwrap_or(0))
        });
    }
    let mut position_query = None;
    if let Some(positions) = &padded.position_query {
        let by_distance = unskew(scores.swap_dims(2, 3));
        key = key + by_distance.clone().matmul(positions.table.clone());
        position_query = wanted.position_query.then(|| {
            let by_text = by_distance.swap_dims(2, 3).matmul(padded.key.clone());
            positions.gradient(by_text, counts.position_query.unwrap_or(0))
        });
    }
    let [query, key, value] = [query, key, value].map(|padded| join_heads(padded, ragged));
    Disentangled {
        query,
        key,
        value,
        position_key,
        position_query,
    }
}
