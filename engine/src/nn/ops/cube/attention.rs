//! From attention scores to probabilities and back: scale, padding, softmax and dropout in one kernel, a cube for each query.

use burn::tensor::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::dropout::{self, Draws, DrawsLaunch, Wide, factor, token_draws};
use super::launch::{addresses, as_rows, empty, together};
use super::reduce::{maximum, sum};
use super::watch::watched;
use crate::nn::ops::{AttentionOptions, PROBABILITY_FEATURE_BITS};

/// The query that a cube works for.
#[derive(CubeType, Clone, Copy)]
struct Query {
    /// Its token among those of all texts.
    token: usize,
    /// Tokens of its text.
    length: usize,
    /// Whether it is a token at all, or padding.
    real: bool,
    /// What its features begin with.
    head: u32,
}

#[cube]
fn query<I: Int>(starts: &Tensor<I>, heads: usize, longest: usize) -> Query {
    let (row, position) = (CUBE_POS / (heads * longest), CUBE_POS % longest);
    let start = usize::cast_from(starts[row]);
    let length = usize::cast_from(starts[row + 1]) - start;
    let head = ((CUBE_POS / longest) % heads) as u32;
    Query {
        token: start + position,
        length,
        real: position < length,
        head: head << PROBABILITY_FEATURE_BITS,
    }
}

/// The factor of dropout for a key.
#[cube]
fn kept(draws: &Draws, token: Wide, head: u32, key: usize, #[comptime] dropped: bool) -> f32 {
    if dropped {
        factor(draws, token, head | key as u32)
    } else {
        1.0f32.runtime()
    }
}

/// The draws of the query's token; a placeholder where nothing is dropped.
#[cube]
fn drawn(draws: &Draws, keys: &Tensor<u32>, token: usize, #[comptime] dropped: bool) -> Wide {
    if dropped {
        token_draws(draws, keys, token)
    } else {
        token_draws(draws, keys, 0)
    }
}

#[cube(launch, address_type = "dynamic")]
fn attention_probabilities_kernel<T: Float, I: Int>(
    scores: &Tensor<T>,
    starts: &Tensor<I>,
    keys: &Tensor<u32>,
    output: &mut Tensor<T>,
    draws: &Draws,
    scale: f32,
    queries: usize,
    #[comptime] units: usize,
    #[comptime] dropped: bool,
    #[define(T, I)] _dtypes: [StorageType; 2],
) {
    if CUBE_POS >= queries {
        terminate!();
    }
    let longest = output.shape(3);
    let query = query::<I>(starts, output.shape(1), longest);
    let mut shared = SharedMemory::<f32>::new(units);
    let from = CUBE_POS * scores.stride(2);
    let to = CUBE_POS * output.stride(2);
    let unit = UNIT_POS as usize;

    let mut largest = f32::min_value();
    let mut key = unit;
    while key < query.length {
        largest = max(largest, f32::cast_from(scores[from + key]) * scale);
        key += units;
    }
    let largest = maximum(largest, &mut shared, units);

    let mut total = 0.0f32;
    let mut key = unit;
    while key < query.length {
        total += (f32::cast_from(scores[from + key]) * scale - largest).exp();
        key += units;
    }
    let total = sum(total, &mut shared, units);

    let token = drawn(draws, keys, query.token, dropped);
    let mut key = unit;
    while key < longest {
        let mut value = 0.0f32;
        if query.real && key < query.length {
            value = (f32::cast_from(scores[from + key]) * scale - largest).exp() / total
                * kept(draws, token, query.head, key, dropped);
        }
        output[to + key] = T::cast_from(value);
        key += units;
    }
}

/// With P the probabilities, D those after dropout and G the gradient for D: scale (D G - P sum(D G)).
#[cube(launch, address_type = "dynamic")]
fn attention_scores_gradient_kernel<T: Float, I: Int>(
    probabilities: &Tensor<T>,
    gradient: &Tensor<T>,
    starts: &Tensor<I>,
    keys: &Tensor<u32>,
    output: &mut Tensor<T>,
    draws: &Draws,
    scale: f32,
    queries: usize,
    #[comptime] units: usize,
    #[comptime] dropped: bool,
    #[define(T, I)] _dtypes: [StorageType; 2],
) {
    if CUBE_POS >= queries {
        terminate!();
    }
    let longest = output.shape(3);
    let query = query::<I>(starts, output.shape(1), longest);
    let mut shared = SharedMemory::<f32>::new(units);
    let from = CUBE_POS * probabilities.stride(2);
    let gradients = CUBE_POS * gradient.stride(2);
    let to = CUBE_POS * output.stride(2);
    let unit = UNIT_POS as usize;
    let token = drawn(draws, keys, query.token, dropped);

    let mut total = 0.0f32;
    let mut key = unit;
    while key < query.length {
        total += f32::cast_from(probabilities[from + key])
            * f32::cast_from(gradient[gradients + key])
            * kept(draws, token, query.head, key, dropped);
        key += units;
    }
    let total = sum(total, &mut shared, units);

    let mut key = unit;
    while key < longest {
        let mut value = 0.0f32;
        if query.real && key < query.length {
            let probability = f32::cast_from(probabilities[from + key]);
            let above = f32::cast_from(gradient[gradients + key])
                * kept(draws, token, query.head, key, dropped);
            value = scale * probability * (above - total);
        }
        output[to + key] = T::cast_from(value);
        key += units;
    }
}

/// The launch arguments of dropout and whether there is any.
fn draws<R: CubeRuntime>(
    options: &AttentionOptions,
    like: &CubeTensor<R>,
) -> (DrawsLaunch<R>, CubeTensor<R>, bool) {
    match &options.dropout {
        Some(dropout) => (DrawsLaunch::of(dropout), dropout::keys(dropout, like), true),
        None => (DrawsLaunch::none(), dropout::no_keys(like), false),
    }
}

/// `scores` and the result are `[texts, heads, longest, longest]`, `starts` `[texts + 1]`.
pub(super) fn probabilities<R: CubeRuntime>(
    scores: CubeTensor<R>,
    starts: CubeTensor<R>,
    options: &AttentionOptions,
) -> CubeTensor<R> {
    let (scores, starts) = (as_rows(scores), into_contiguous(starts));
    let shape = scores.shape();
    let output = empty(&scores, shape.clone(), scores.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtypes) = (scores.client.clone(), [scores.dtype, starts.dtype]);
    let (draws, keys, dropped) = draws(options, &scores);
    let queries = shape[0] * shape[1] * shape[2];
    let (count, dim, units) = together(&client, queries, shape[3]);
    watched(&client, "attention_probabilities_kernel", || {
        attention_probabilities_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&scores, &output]),
            scores.into_tensor_arg(),
            starts.into_tensor_arg(),
            keys.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            draws,
            options.scale,
            queries,
            units,
            dropped,
            dtypes.map(Into::into),
        );
    });
    output
}

/// `probabilities` (before dropout), `gradient` (for those after it) and the result are `[texts, heads, longest, longest]`.
pub(super) fn scores_gradient<R: CubeRuntime>(
    probabilities: CubeTensor<R>,
    gradient: CubeTensor<R>,
    starts: CubeTensor<R>,
    options: &AttentionOptions,
) -> CubeTensor<R> {
    let (probabilities, gradient) = (as_rows(probabilities), as_rows(gradient));
    let starts = into_contiguous(starts);
    let shape = probabilities.shape();
    let output = empty(&probabilities, shape.clone(), probabilities.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let client = probabilities.client.clone();
    let dtypes = [probabilities.dtype, starts.dtype];
    let (draws, keys, dropped) = draws(options, &probabilities);
    let queries = shape[0] * shape[1] * shape[2];
    let (count, dim, units) = together(&client, queries, shape[3]);
    watched(&client, "attention_scores_gradient_kernel", || {
        attention_scores_gradient_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&probabilities, &gradient, &output]),
            probabilities.into_tensor_arg(),
            gradient.into_tensor_arg(),
            starts.into_tensor_arg(),
            keys.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            draws,
            options.scale,
            queries,
            units,
            dropped,
            dtypes.map(Into::into),
        );
    });
    output
}
