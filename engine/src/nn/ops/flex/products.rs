//! Inner products of a few rows with many, which are read once, in the format that they are stored
//! in.
//!
//! A general matrix product rearranges both operands for reuse. Here the few rows are rearranged
//! once, and of the many a handful at a time, which then lie in the processor's first cache for as
//! long as they are needed; where the few are so few that each of the many is needed only once, it
//! goes straight from memory into the sums.

use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};
use rayon::prelude::*;

use super::stored::Stored;
use super::vector;

/// Of the few rows, how many are multiplied side by side.
const FEW: usize = 3;

/// Of the many rows, how many one thread takes at a time at least: whole groups of 4 and of 6. Long
/// strips are read from memory faster.
const STRIP: usize = 96;

/// The longest strip.
const LONGEST_STRIP: usize = 12 * STRIP;

/// Values of a row whose products are added up before they go to memory.
const DEPTH: usize = 1024;

/// Inner products `[few rows, many rows]` of rows of `width` values. Sums in 32 bits in an order
/// that depends on the processor, but not on the other rows; incomplete rows do not count.
#[must_use]
pub fn products<T: Stored>(few: &[f32], many: &[T], width: usize) -> Vec<f32> {
    let rows = few.len().checked_div(width).unwrap_or(0);
    let count = many.len().checked_div(width).unwrap_or(0);
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

struct Products<'a, T> {
    few: &'a [f32],
    many: &'a [T],
    width: usize,
}

impl<T: Stored> WithSimd for Products<'_, T> {
    type Output = Vec<f32>;

    #[allow(
        clippy::inline_always,
        reason = "only what is inlined is compiled for wider vectors"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        if self.few.len() == self.width {
            self.joined::<S, 1>(simd)
        } else {
            self.joined::<S, FEW>(simd)
        }
    }
}

impl<T: Stored> Products<'_, T> {
    #[allow(
        clippy::inline_always,
        reason = "only what is inlined is compiled for wider vectors"
    )]
    #[inline(always)]
    fn joined<S: Simd, const FEW: usize>(self, simd: S) -> Vec<f32> {
        let Self { few, many, width } = self;
        let (rows, count) = (few.len() / width, many.len() / width);
        let shares = count / (4 * rayon::current_num_threads());
        let strip = (shares / STRIP * STRIP).clamp(STRIP, LONGEST_STRIP);
        let few = grouped::<S, T, FEW>(simd, few, width);
        let strips: Vec<Vec<f32>> = many
            .par_chunks(strip * width)
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
        if rows == 1 {
            return strips.concat();
        }
        let mut joined = vec![0.0; rows * count];
        joined
            .par_chunks_exact_mut(count)
            .enumerate()
            .for_each(|(row, joined)| {
                for (joined, strip) in joined.chunks_mut(strip).zip(&strips) {
                    let length = joined.len();
                    joined.copy_from_slice(&strip[row * length..][..length]);
                }
            });
        joined
    }
}

/// Two vectors of each of `N` rows that are multiplied side by side.
type Pairs<S, const N: usize> = [[<S as Simd>::f32s; 2]; N];

/// Pairs of vectors in a row.
fn places<S: Simd>(width: usize) -> usize {
    width.div_ceil(2 * S::F32_LANES)
}

/// Rows as pairs of vectors, those of a group of `N` side by side: `[groups, places of a row]`,
/// filled up with zeros. Values stand where [`Stored::widened`] puts those that they meet.
#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
#[inline(always)]
fn grouped<S: Simd, T: Stored, const N: usize>(
    simd: S,
    rows: &[f32],
    width: usize,
) -> Vec<Pairs<S, N>> {
    let (places, lanes) = (places::<S>(width), S::F32_LANES);
    let groups = (rows.len() / width).div_ceil(N);
    let mut vectors = vec![[[simd.splat_f32s(0.0); 2]; N]; groups * places];
    for (row, values) in rows.chunks_exact(width).enumerate() {
        let group = &mut vectors[row / N * places..][..places];
        for (pairs, chunk) in group.iter_mut().zip(values.chunks(2 * lanes)) {
            for (vector, pair) in pairs[row % N].iter_mut().enumerate() {
                let mut ordered = [0.0; LANES];
                for (lane, value) in ordered[..lanes].iter_mut().enumerate() {
                    let place = T::place(lanes, vector, lane);
                    *value = chunk.get(place).copied().unwrap_or(0.0);
                }
                *pair = simd.partial_load_f32s(&ordered[..lanes]);
            }
        }
    }
    vectors
}

/// Values of the widest vectors there are.
const LANES: usize = 16;

/// The products of all of the few rows with some of the many.
struct Strip<'a, S: Simd, T, const FEW: usize> {
    simd: S,
    /// Of [`grouped`].
    few: &'a [Pairs<S, FEW>],
    many: &'a [T],
    width: usize,
    /// `[few rows, many rows]`, zeros.
    output: &'a mut [f32],
}

impl<S: Simd, T: Stored, const FEW: usize> NullaryFnOnce for Strip<'_, S, T, FEW> {
    type Output = ();

    #[allow(
        clippy::inline_always,
        reason = "only what is inlined is compiled for wider vectors"
    )]
    #[inline(always)]
    fn call(self) {
        // As many sums as there are registers for beside the operands.
        if S::F32_LANES >= LANES {
            self.multiply::<6>();
        } else {
            self.multiply::<4>();
        }
    }
}

#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
impl<S: Simd, T: Stored, const FEW: usize> Strip<'_, S, T, FEW> {
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
        let (places, both) = (places::<S>(width), 2 * S::F32_LANES);
        let groups = few.len() / places;
        let depth = DEPTH / both;
        let mut packed = vec![[[simd.splat_f32s(0.0); 2]; MANY]; depth.min(places)];
        for first in (0..places).step_by(depth) {
            let now = depth.min(places - first);
            let (start, end) = (first * both, width.min((first + now) * both));
            for (index, rows) in many.chunks(MANY * width).enumerate() {
                let is_whole = rows.len() == MANY * width && end - start == now * both;
                if groups == 1 && is_whole {
                    let mut sums = [[simd.splat_f32s(0.0); MANY]; FEW];
                    let mut pairs = [[simd.splat_f32s(0.0); 2]; MANY];
                    for (place, few) in few[first..][..now].iter().enumerate() {
                        for (row, pair) in pairs.iter_mut().enumerate() {
                            let values = &rows[row * width + start + place * both..][..both];
                            *pair = T::widened(simd, values);
                        }
                        add_products(simd, few, &pairs, &mut sums);
                    }
                    add_sums(simd, &sums, output.chunks_exact_mut(count), index * MANY);
                    continue;
                }
                for (row, values) in rows.chunks_exact(width).enumerate() {
                    for (pairs, values) in packed.iter_mut().zip(values[start..end].chunks(both)) {
                        pairs[row] = if values.len() == both {
                            T::widened(simd, values)
                        } else {
                            let mut filled = [T::default(); 2 * LANES];
                            filled[..values.len()].copy_from_slice(values);
                            T::widened(simd, &filled[..both])
                        };
                    }
                }
                for group in 0..groups {
                    let mut sums = [[simd.splat_f32s(0.0); MANY]; FEW];
                    for (few, many) in few[group * places + first..][..now].iter().zip(&packed) {
                        add_products(simd, few, many, &mut sums);
                    }
                    let lines = output.chunks_exact_mut(count).skip(group * FEW);
                    add_sums(simd, &sums, lines, index * MANY);
                }
            }
        }
    }
}

#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
#[inline(always)]
fn add_products<S: Simd, const FEW: usize, const MANY: usize>(
    simd: S,
    few: &Pairs<S, FEW>,
    many: &Pairs<S, MANY>,
    sums: &mut [[S::f32s; MANY]; FEW],
) {
    for vector in 0..2 {
        for (sums, one) in sums.iter_mut().zip(few) {
            for (sum, other) in sums.iter_mut().zip(many) {
                *sum = simd.mul_add_e_f32s(one[vector], other[vector], *sum);
            }
        }
    }
}

/// Adds sums to lines of the output from a column on. Behind the last row and the last column there
/// are none but zeros.
#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
#[inline(always)]
fn add_sums<'a, S: Simd, const FEW: usize, const MANY: usize>(
    simd: S,
    sums: &[[S::f32s; MANY]; FEW],
    lines: impl Iterator<Item = &'a mut [f32]>,
    column: usize,
) {
    for (sums, line) in sums.iter().zip(lines) {
        for (product, sum) in line[column..].iter_mut().zip(sums) {
            *product += simd.reduce_sum_f32s(*sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};
    use proptest::prelude::*;

    use super::*;

    fn by_hand<T: Stored>(few: &[f32], many: &[T], width: usize) -> Vec<f32> {
        few.chunks_exact(width.max(1))
            .flat_map(|one| {
                many.chunks_exact(width.max(1)).map(move |other| {
                    let terms = one.iter().zip(other).map(|(a, b)| a * b.wide());
                    terms.sum::<f32>()
                })
            })
            .collect()
    }

    proptest! {
        #[test]
        fn products_are_those_of_every_row_with_every_row(
            rows in 0_usize..9, count in 0_usize..140, width in 0_usize..70, odd in 0_usize..2,
        ) {
            #[allow(clippy::cast_precision_loss)]
            let value = |index: usize| (index * 37 % 23) as f32 - 11.0;
            let few: Vec<f32> = (0..rows * width + odd.min(width.saturating_sub(1))).map(value).collect();
            let many: Vec<f32> = (0..count * width).map(|index| value(index + 5)).collect();
            let squares: Vec<f32> = many.chunks_exact(width.max(1)).map(|row| row.iter().map(|a| a * a).sum()).collect();
            prop_assert_eq!(squared_lengths(&many, width), squares);
            // Sums of small whole numbers are exact in any order.
            prop_assert_eq!(products(&few, &many, width), by_hand(&few, &many, width));
            let brain: Vec<bf16> = many.iter().map(|&value| bf16::from_f32(value)).collect();
            prop_assert_eq!(products(&few, &brain, width), by_hand(&few, &brain, width));
            let half: Vec<f16> = many.iter().map(|&value| f16::from_f32(value)).collect();
            prop_assert_eq!(products(&few, &half, width), by_hand(&few, &half, width));
        }

        #[test]
        fn a_rows_products_are_the_same_bits_whatever_the_other_rows(
            rows in 1_usize..20, count in 1_usize..30, width in 1_usize..2200, seed in 0_u64..1000,
        ) {
            #[allow(clippy::cast_precision_loss)]
            let value = |index: usize| (crate::nn::ops::mix(seed + index as u64) % 2001) as f32 / 1000.0 - 1.0;
            let few: Vec<f32> = (0..rows * width).map(value).collect();
            let many: Vec<bf16> = (0..count * width).map(|index| bf16::from_f32(value(index + 7_000_000))).collect();
            let together = products(&few, &many, width);
            for (one, expected) in few.chunks_exact(width).zip(together.chunks_exact(count)) {
                prop_assert_eq!(&products(one, &many, width)[..], expected);
            }
        }
    }
}
