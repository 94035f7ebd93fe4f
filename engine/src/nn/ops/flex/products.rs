//! Inner products of a few rows with many, which are read once.
//!
//! A general matrix product rearranges both operands for reuse. Here the few rows are rearranged
//! once, and of the many a handful at a time, which then lie in the processor's first cache for as
//! long as they are needed.

use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};
use rayon::prelude::*;

use super::vector;

/// Of the few rows, how many are multiplied side by side.
const FEW: usize = 3;

/// Of the many rows, how many one thread takes at a time: whole groups of 4 and of 6.
const STRIP: usize = 96;

/// Inner products `[few rows, many rows]` of rows of `width` values. Sums in 32 bits in an order
/// that depends on the processor; incomplete rows do not count.
#[must_use]
pub fn products(few: &[f32], many: &[f32], width: usize) -> Vec<f32> {
    let [rows, count] = [few, many].map(|values| values.len().checked_div(width).unwrap_or(0));
    if rows == 0 || count == 0 {
        return Vec::new();
    }
    Arch::new().dispatch(Products {
        few: &few[..rows * width],
        many: &many[..count * width],
        width,
    })
}

/// The square of each row's length, in 32 bits.
#[must_use]
pub fn squared_lengths(rows: &[f32], width: usize) -> Vec<f32> {
    let mut squares = vec![0.0; rows.len().checked_div(width).unwrap_or(0)];
    squares
        .par_chunks_mut(STRIP)
        .zip(rows.par_chunks(STRIP * width.max(1)))
        .for_each(|(squares, rows)| vector::squared_lengths(squares, rows, width));
    squares
}

struct Products<'a> {
    few: &'a [f32],
    many: &'a [f32],
    width: usize,
}

impl WithSimd for Products<'_> {
    type Output = Vec<f32>;

    #[allow(
        clippy::inline_always,
        reason = "only what is inlined is compiled for wider vectors"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { few, many, width } = self;
        let (rows, count) = (few.len() / width, many.len() / width);
        let few = grouped::<S, FEW>(simd, few, width);
        let strips: Vec<Vec<f32>> = many
            .par_chunks(STRIP * width)
            .map(|many| {
                let mut output = vec![0.0; rows * (many.len() / width)];
                simd.vectorize(Strip {
                    simd,
                    few: &few,
                    many,
                    width,
                    output: &mut output,
                });
                output
            })
            .collect();
        let mut joined = vec![0.0; rows * count];
        joined
            .par_chunks_exact_mut(count)
            .enumerate()
            .for_each(|(row, joined)| {
                for (joined, strip) in joined.chunks_mut(STRIP).zip(&strips) {
                    let length = joined.len();
                    joined.copy_from_slice(&strip[row * length..][..length]);
                }
            });
        joined
    }
}

/// Rows as vectors, those of a group of `N` side by side: `[groups, vectors of a row, N]`, filled
/// up with zeros.
#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
#[inline(always)]
fn grouped<S: Simd, const N: usize>(simd: S, rows: &[f32], width: usize) -> Vec<[S::f32s; N]> {
    let places = width.div_ceil(S::F32_LANES);
    let groups = (rows.len() / width).div_ceil(N);
    let mut vectors = vec![[simd.splat_f32s(0.0); N]; groups * places];
    for (row, values) in rows.chunks_exact(width).enumerate() {
        let group = &mut vectors[row / N * places..][..places];
        let (whole, rest) = S::as_simd_f32s(values);
        for (vectors, value) in group.iter_mut().zip(whole) {
            vectors[row % N] = *value;
        }
        if !rest.is_empty() {
            group[places - 1][row % N] = simd.partial_load_f32s(rest);
        }
    }
    vectors
}

/// The products of all of the few rows with some of the many.
struct Strip<'a, S: Simd> {
    simd: S,
    /// Of [`grouped`].
    few: &'a [[S::f32s; FEW]],
    many: &'a [f32],
    width: usize,
    /// `[few rows, many rows]`.
    output: &'a mut [f32],
}

impl<S: Simd> NullaryFnOnce for Strip<'_, S> {
    type Output = ();

    #[allow(
        clippy::inline_always,
        reason = "only what is inlined is compiled for wider vectors"
    )]
    #[inline(always)]
    fn call(self) {
        // As many sums as there are registers for beside the operands.
        if S::F32_LANES >= 16 {
            self.multiply::<6>();
        } else {
            self.multiply::<4>();
        }
    }
}

impl<S: Simd> Strip<'_, S> {
    #[allow(
        clippy::inline_always,
        reason = "only what is inlined is compiled for wider vectors"
    )]
    #[inline(always)]
    fn multiply<const MANY: usize>(self) {
        let Self {
            simd,
            few,
            many,
            width,
            output,
        } = self;
        let count = many.len() / width;
        let places = width.div_ceil(S::F32_LANES);
        for (index, rows) in many.chunks(MANY * width).enumerate() {
            let many = grouped::<S, MANY>(simd, rows, width);
            let mut lines = output.chunks_exact_mut(count);
            for few in few.chunks_exact(places) {
                let mut sums = [[simd.splat_f32s(0.0); MANY]; FEW];
                for (few, many) in few.iter().zip(&many) {
                    for (sums, &one) in sums.iter_mut().zip(few) {
                        for (sum, &other) in sums.iter_mut().zip(many) {
                            *sum = simd.mul_add_e_f32s(one, other, *sum);
                        }
                    }
                }
                // Behind the last row and the last column there are none but zeros.
                for (sums, line) in sums.into_iter().zip(&mut lines) {
                    for (product, sum) in line[index * MANY..].iter_mut().zip(sums) {
                        *product = simd.reduce_sum_f32s(sum);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn products_are_those_of_every_row_with_every_row(
            rows in 0_usize..9, count in 0_usize..140, width in 0_usize..70, odd in 0_usize..2,
        ) {
            #[allow(clippy::cast_precision_loss)]
            let value = |index: usize| (index * 37 % 23) as f32 - 11.0;
            let few: Vec<f32> = (0..rows * width + odd.min(width.saturating_sub(1))).map(value).collect();
            let many: Vec<f32> = (0..count * width).map(|index| value(index + 5)).collect();
            let found = products(&few, &many, width);
            let expected: Vec<f32> = few
                .chunks_exact(width.max(1))
                .flat_map(|one| {
                    many.chunks_exact(width.max(1))
                        .map(move |other| one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>())
                })
                .collect();
            let squares: Vec<f32> = many.chunks_exact(width.max(1)).map(|row| row.iter().map(|a| a * a).sum()).collect();
            prop_assert_eq!(squared_lengths(&many, width), squares);
            // Sums of small whole numbers are exact in any order.
            prop_assert_eq!(found, expected);
        }
    }
}
