//! Loops over 32-bit floats with the widest vectors that the processor has.
//!
//! The binary is made for any x86-64, whose vectors hold four values; what a processor offers
//! beyond is found when it runs. Results do not depend on it: no operation is fused with another,
//! and sums have a fixed order.

/// Defines a function whose body is compiled once for every width of vectors. What it calls must be
/// inlined without fail to take part.
macro_rules! vectorised {
    ($(#[$attribute:meta])* fn $name:ident<$life:lifetime>($($argument:ident: $kind:ty),* $(,)?) $body:block) => {
        $(#[$attribute])*
        pub(super) fn $name<$life>($($argument: $kind),*) {
            struct Work<$life> {
                $($argument: $kind),*
            }
            impl<$life> pulp::WithSimd for Work<$life> {
                type Output = ();

                #[allow(clippy::inline_always, reason = "only what is inlined is compiled for wider vectors")]
                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, _: S) {
                    let Self { $($argument),* } = self;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Work { $($argument),* });
        }
    };
}

use super::stored::Stored;
use crate::nn::ops::math;

vectorised! {
    /// [`math::gelu`] of each value, in place.
    fn gelu<'a>(values: &'a mut [f32]) {
        for value in values {
            *value = math::gelu(*value);
        }
    }
}

vectorised! {
    /// Multiplies each gradient by the derivative of [`math::gelu`].
    fn gelu_backward<'a>(gradients: &'a mut [f32], values: &'a [f32]) {
        for (gradient, &value) in gradients.iter_mut().zip(values) {
            *gradient *= math::gelu_derivative(value);
        }
    }
}

vectorised! {
    /// Rows of `length` scores to their softmax; `scale` comes first.
    fn softmax<'a>(scores: &'a mut [f32], length: usize, scale: f32) {
        for row in scores.chunks_exact_mut(length) {
            let highest = maximum(row);
            for score in row.iter_mut() {
                *score = math::exp((*score - highest) * scale);
            }
            let inverse = 1.0 / total(row, |value| value);
            for score in row.iter_mut() {
                *score *= inverse;
            }
        }
    }
}

vectorised! {
    /// Layer normalisation of each row, in place.
    fn norm<'a>(rows: &'a mut [f32], weight: &'a [f32], bias: &'a [f32], epsilon: f32) {
        for row in rows.chunks_exact_mut(weight.len()) {
            let (mean, inverse) = moments(row, epsilon);
            for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                *value = (*value - mean) * inverse * weight + bias;
            }
        }
    }
}

vectorised! {
    /// Root-mean-square normalisation of each row, in place.
    fn rms_norm<'a>(rows: &'a mut [f32], weight: &'a [f32], epsilon: f32) {
        for row in rows.chunks_exact_mut(weight.len()) {
            #[allow(clippy::cast_precision_loss, reason = "a row's length")]
            let square = total(row, |value| value * value) / row.len() as f32;
            let inverse = 1.0 / (square + epsilon).sqrt();
            for (value, weight) in row.iter_mut().zip(weight) {
                *value = *value * inverse * weight;
            }
        }
    }
}

vectorised! {
    /// Turns pairs of features of each head of `size` features by the angles of a token.
    fn turn<'a>(row: &'a mut [f32], cosines: &'a [f32], sines: &'a [f32], size: usize) {
        let angles = cosines.len();
        for head in row.chunks_exact_mut(size) {
            let (first, second) = head.split_at_mut(angles);
            for index in 0..angles {
                let (one, other) = (first[index], second[index]);
                first[index] = one * cosines[index] - other * sines[index];
                second[index] = other * cosines[index] + one * sines[index];
            }
        }
    }
}

vectorised! {
    /// Multiplies each value by `silu` of its gate.
    fn gated_silu<'a>(values: &'a mut [f32], gates: &'a [f32]) {
        for (value, &gate) in values.iter_mut().zip(gates) {
            let small = math::exp(-gate.abs());
            let share = if gate < 0.0 { small } else { 1.0 } / (1.0 + small);
            *value *= gate * share;
        }
    }
}

vectorised! {
    /// The sum of each row's squares.
    fn squared_lengths<'a>(squares: &'a mut [f32], rows: &'a [f32], width: usize) {
        for (square, row) in squares.iter_mut().zip(rows.chunks_exact(width)) {
            *square = total(row, |value| value * value);
        }
    }
}

/// The inner products of a query with keys that lie `stride` apart, one for each of the scores that
/// there is a key for.
pub(super) fn scores<T: Stored>(scores: &mut [f32], query: &[f32], keys: &[T], stride: usize) {
    struct Work<'a, T>(&'a mut [f32], &'a [f32], &'a [T], usize);

    impl<T: Stored> pulp::WithSimd for Work<'_, T> {
        type Output = ();

        #[allow(clippy::inline_always, reason = "see `vectorised`")]
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) {
            let Self(scores, query, keys, stride) = self;
            for (score, key) in scores.iter_mut().zip(keys.chunks(stride)) {
                let mut lanes = [0.0_f32; LANES];
                let (queries, rest) = query.as_chunks::<LANES>();
                let (keys, key_rest) = key[..query.len()].as_chunks::<LANES>();
                for (query, key) in queries.iter().zip(keys) {
                    for lane in 0..LANES {
                        lanes[lane] += query[lane] * key[lane].wide();
                    }
                }
                for (lane, (query, key)) in lanes.iter_mut().zip(rest.iter().zip(key_rest)) {
                    *lane += query * key.wide();
                }
                *score = folded(lanes);
            }
        }
    }

    pulp::Arch::new().dispatch(Work(scores, query, keys, stride));
}

/// Adds rows of values that lie `stride` apart, each times its weight.
pub(super) fn add_weighed<T: Stored>(
    sum: &mut [f32],
    weights: &[f32],
    values: &[T],
    stride: usize,
) {
    struct Work<'a, T>(&'a mut [f32], &'a [f32], &'a [T], usize);

    impl<T: Stored> pulp::WithSimd for Work<'_, T> {
        type Output = ();

        #[allow(clippy::inline_always, reason = "see `vectorised`")]
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) {
            let Self(sum, weights, values, stride) = self;
            for (weight, values) in weights.iter().zip(values.chunks(stride)) {
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum += weight * value.wide();
                }
            }
        }
    }

    pulp::Arch::new().dispatch(Work(sum, weights, values, stride));
}

/// Mean and reciprocal standard deviation of a row.
#[allow(clippy::inline_always, reason = "see `vectorised`")]
#[inline(always)]
#[allow(clippy::cast_precision_loss)]
pub(super) fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = total(row, |value| value) / count;
    let variance = total(row, |value| (value - mean) * (value - mean)) / count;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// Independent partial sums, so that the compiler may use vector instructions in an order that is
/// the same everywhere.
const LANES: usize = 16;

/// The sum of `term` over the values, in a fixed order.
#[allow(clippy::inline_always, reason = "see `vectorised`")]
#[inline(always)]
fn total(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += term(value);
    }
    folded(lanes)
}

/// The sum of `term(i)` over `0..count`, in a fixed order.
#[inline]
pub(super) fn sum(count: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let whole = count / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += term(first + lane);
        }
    }
    for index in whole..count {
        lanes[index - whole] += term(index);
    }
    folded(lanes)
}

/// The partial sums, added up pair by pair.
#[allow(clippy::inline_always, reason = "see `vectorised`")]
#[inline(always)]
fn folded(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest value of a row; negative infinity of an empty one.
#[allow(clippy::inline_always, reason = "see `vectorised`")]
#[inline(always)]
fn maximum(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = if value > *lane { value } else { *lane };
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
}
