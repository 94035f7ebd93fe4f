//! Disentangled attention over texts of unequal length: each head is one thread's work, text after
//! text.
//!
//! A text of `n` tokens reads the rows of the position tables for distances below `n` and no
//! others.

use std::ops::Range;

use burn::backend::Flex;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use super::attention::{drop_probabilities, score_gradient};
use super::tensor;
use super::vector::softmax;
use crate::nn::ops::{Disentangled, DisentangledOptions, Segments, Wanted};

/// Side of the squares in which scores are visited where one of two matrices is read across its
/// rows.
const TILE: usize = 32;

/// Rows and one head's columns of `[rows, heads * size]`, without a copy.
fn part(packed: &FlexTensor, rows: Range<usize>, head: usize, heads: usize) -> FlexTensor {
    let layout = packed.layout();
    let size = layout.shape()[1] / heads;
    let (row, column) = (layout.strides()[0], layout.strides()[1]);
    let offset = rows.start.cast_signed() * row + (head * size).cast_signed() * column;
    let layout = Layout::new(
        Shape::new([rows.len(), size]),
        vec![row, column],
        layout.start_offset().wrapping_add_signed(offset),
    );
    FlexTensor::from_arc(packed.data_arc(), layout, DType::F32)
}

fn product(a: &FlexTensor, b: &FlexTensor) -> FlexTensor {
    Flex::float_matmul(a.clone(), b.clone())
}

/// The distances of a text: where its rows of the tables begin and end, and which of them each
/// distance has.
struct Reach {
    rows: Range<usize>,
    /// For the distances from `length - 1` down to `1 - length`, as keys go from left to right.
    falling: Vec<u32>,
    length: usize,
}

impl Reach {
    #[allow(clippy::cast_possible_truncation)]
    fn new(length: usize, options: &DisentangledOptions) -> Self {
        let known = options.distances.rows(length - 1);
        let first = known[0];
        Self {
            rows: first..known[known.len() - 1] + 1,
            // Tables have far fewer than 2^32 rows.
            falling: known.iter().rev().map(|row| (row - first) as u32).collect(),
            length,
        }
    }

    /// The table's row for a query and each of the keys.
    fn of_query(&self, query: usize) -> &[u32] {
        let first = self.length - 1 - query;
        &self.falling[first..first + self.length]
    }

    /// Calls `visit` for each query, a few keys at a time, so that what lies in either order stays
    /// at hand.
    fn tiles(&self, mut visit: impl FnMut(usize, Range<usize>, &[u32])) {
        for first in (0..self.length).step_by(TILE) {
            let keys = first..(first + TILE).min(self.length);
            for query in 0..self.length {
                visit(query, keys.clone(), &self.of_query(query)[keys.clone()]);
            }
        }
    }
}

/// One head of one text.
struct Head {
    query: FlexTensor,
    key: FlexTensor,
    value: FlexTensor,
    position_key: Option<FlexTensor>,
    position_query: Option<FlexTensor>,
    start: usize,
    number: usize,
    reach: Reach,
}

impl Head {
    fn new(
        operands: &Disentangled<FlexTensor>,
        (start, length): (usize, usize),
        number: usize,
        options: &DisentangledOptions,
    ) -> Self {
        let heads = options.attention.heads;
        let reach = Reach::new(length, options);
        let tokens = |packed| part(packed, start..start + length, number, heads);
        let table = |packed| part(packed, reach.rows.clone(), number, heads);
        Self {
            query: tokens(&operands.query),
            key: tokens(&operands.key),
            value: tokens(&operands.value),
            position_key: operands.position_key.as_ref().map(table),
            position_query: operands.position_query.as_ref().map(table),
            start,
            number,
            reach,
        }
    }

    /// Probabilities `[length, length]`, before and after dropout.
    fn probabilities(&self, options: &DisentangledOptions) -> (FlexTensor, Option<FlexTensor>) {
        let length = self.reach.length;
        let mut scores = product(&self.query, &self.key.transpose(0, 1));
        let width = self.reach.rows.len();
        let values = scores.storage_mut::<f32>();
        if let Some(table) = &self.position_key {
            let seen = product(&self.query, &table.transpose(0, 1));
            let seen = seen.storage::<f32>().chunks_exact(width);
            let rows = values.chunks_exact_mut(length);
            for (query, (scores, seen)) in rows.zip(seen).enumerate() {
                for (score, &row) in scores.iter_mut().zip(self.reach.of_query(query)) {
                    *score += seen[row as usize];
                }
            }
        }
        if let Some(table) = &self.position_query {
            let seen = product(&self.key, &table.transpose(0, 1));
            let seen: &[f32] = seen.storage();
            self.reach.tiles(|query, keys, rows| {
                let scores = &mut values[query * length..][keys.clone()];
                for ((score, key), &row) in scores.iter_mut().zip(keys).zip(rows) {
                    *score += seen[key * width + row as usize];
                }
            });
        }
        softmax(values, length, options.attention.scale);
        let dropped = options.attention.dropout.as_ref().map(|dropout| {
            let mut dropped = scores.storage::<f32>().to_vec();
            drop_probabilities(&mut dropped, [length; 2], self.start, self.number, dropout);
            tensor(dropped, scores.shape())
        });
        (scores, dropped)
    }

    fn forward(&self, options: &DisentangledOptions) -> FlexTensor {
        let (kept, dropped) = self.probabilities(options);
        product(&dropped.unwrap_or(kept), &self.value)
    }

    /// Adds the gradients of this text.
    fn backward(&self, gradient: &FlexTensor, options: &DisentangledOptions, sums: &mut Gradients) {
        let (length, width) = (self.reach.length, self.reach.rows.len());
        let (kept, dropped) = self.probabilities(options);
        let used = dropped.as_ref().unwrap_or(&kept);
        let value = product(&used.transpose(0, 1), gradient);
        let mut scores = product(gradient, &self.value.transpose(0, 1));
        score_gradient(
            scores.storage_mut(),
            kept.storage(),
            used.storage(),
            length,
            options.attention.scale,
        );
        let mut query = product(&scores, &self.key);
        let mut key = product(&scores.transpose(0, 1), &self.query);
        let values: &[f32] = scores.storage();
        if let Some(table) = &self.position_key {
            let mut seen = vec![0.0_f32; length * width];
            let rows = values.chunks_exact(length);
            for (index, (scores, seen)) in rows.zip(seen.chunks_exact_mut(width)).enumerate() {
                for (score, &row) in scores.iter().zip(self.reach.of_query(index)) {
                    seen[row as usize] += score;
                }
            }
            let seen = tensor(seen, Shape::new([length, width]));
            add(query.storage_mut(), &product(&seen, table));
            if let Some(sum) = &mut sums.position_key {
                let size = table.shape()[1];
                let rows = &mut sum[self.reach.rows.start * size..self.reach.rows.end * size];
                add(rows, &product(&seen.transpose(0, 1), &self.query));
            }
        }
        if let Some(table) = &self.position_query {
            let mut seen = vec![0.0_f32; length * width];
            self.reach.tiles(|query, keys, rows| {
                let scores = &values[query * length..][keys.clone()];
                for ((score, key), &row) in scores.iter().zip(keys).zip(rows) {
                    seen[key * width + row as usize] += score;
                }
            });
            let seen = tensor(seen, Shape::new([length, width]));
            add(key.storage_mut(), &product(&seen, table));
            if let Some(sum) = &mut sums.position_query {
                let size = table.shape()[1];
                let rows = &mut sum[self.reach.rows.start * size..self.reach.rows.end * size];
                add(rows, &product(&seen.transpose(0, 1), &self.key));
            }
        }
        sums.query.extend_from_slice(query.storage());
        sums.key.extend_from_slice(key.storage());
        sums.value.extend_from_slice(value.storage());
    }
}

/// One head's gradients: of the texts so far, `[tokens, size]`; of the tables, `[rows, size]`.
type Gradients = Disentangled<Vec<f32>>;

fn add(sums: &mut [f32], terms: &FlexTensor) {
    for (sum, term) in sums.iter_mut().zip(terms.storage::<f32>()) {
        *sum += term;
    }
}

/// `[rows, size]` of each head to `[rows, heads * size]`.
fn join(heads: &[Vec<f32>], rows: usize) -> FlexTensor {
    let size = heads[0].len() / rows.max(1);
    let width = heads.len() * size;
    let mut joined = vec![0.0_f32; rows * width];
    joined
        .par_chunks_mut(width.max(1))
        .enumerate()
        .for_each(|(row, joined)| {
            for (joined, head) in joined.chunks_exact_mut(size).zip(heads) {
                joined.copy_from_slice(&head[row * size..(row + 1) * size]);
            }
        });
    tensor(joined, Shape::new([rows, width]))
}

pub(super) fn forward(
    operands: &Disentangled<FlexTensor>,
    segments: &Segments,
    options: &DisentangledOptions,
) -> FlexTensor {
    let heads: Vec<Vec<f32>> = (0..options.attention.heads)
        .into_par_iter()
        .map(|number| {
            let mut output = Vec::new();
            for text in segments.iter().filter(|&(_, length)| length > 0) {
                let head = Head::new(operands, text, number, options);
                output.extend_from_slice(head.forward(options).storage());
            }
            output
        })
        .collect();
    join(&heads, segments.tokens())
}

pub(super) fn backward(
    operands: &Disentangled<FlexTensor>,
    gradient: &FlexTensor,
    wanted: Wanted,
    segments: &Segments,
    options: &DisentangledOptions,
) -> Disentangled<FlexTensor> {
    let heads = options.attention.heads;
    let size = operands.query.shape()[1] / heads;
    let table = |table: &Option<FlexTensor>, wanted: bool| {
        table
            .as_ref()
            .filter(|_| wanted)
            .map(|table| table.shape()[0])
    };
    let key_rows = table(&operands.position_key, wanted.position_key);
    let query_rows = table(&operands.position_query, wanted.position_query);
    let parts: Vec<Gradients> = (0..heads)
        .into_par_iter()
        .map(|number| {
            let zeros = |rows: usize| vec![0.0_f32; rows * size];
            let mut sums = Disentangled {
                query: Vec::new(),
                key: Vec::new(),
                value: Vec::new(),
                position_key: key_rows.map(zeros),
                position_query: query_rows.map(zeros),
            };
            for text in segments.iter().filter(|&(_, length)| length > 0) {
                let head = Head::new(operands, text, number, options);
                let gradient = part(gradient, text.0..text.0 + text.1, number, heads);
                head.backward(&gradient, options, &mut sums);
            }
            sums
        })
        .collect();
    let tokens = segments.tokens();
    let mut columns = Disentangled {
        query: Vec::new(),
        key: Vec::new(),
        value: Vec::new(),
        position_key: key_rows.map(|_| Vec::new()),
        position_query: query_rows.map(|_| Vec::new()),
    };
    for part in parts {
        columns.query.push(part.query);
        columns.key.push(part.key);
        columns.value.push(part.value);
        for (all, part) in [
            (&mut columns.position_key, part.position_key),
            (&mut columns.position_query, part.position_query),
        ] {
            if let (Some(all), Some(part)) = (all, part) {
                all.push(part);
            }
        }
    }
    Disentangled {
        query: join(&columns.query, tokens),
        key: join(&columns.key, tokens),
        value: join(&columns.value, tokens),
        position_key: columns
            .position_key
            .zip(key_rows)
            .map(|(heads, rows)| join(&heads, rows)),
        position_query: columns
            .position_query
            .zip(query_rows)
            .map(|(heads, rows)| join(&heads, rows)),
    }
}
