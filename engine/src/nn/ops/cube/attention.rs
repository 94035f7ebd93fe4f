//! From attention scores to probabilities and back: scale, padding, softmax and dropout in one
//! kernel, a cube for each query.

use burn::tensor::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::dropout::{self, Draws, DrawsLaunch, Wide, factor, token_draws};
use super::launch::{addresses, as_rows, empty, together};
use super::reduce::{maximum, sum, threads};
use super::watch::watched;
use crate::nn::ops::{AttentionOptions, Mask, PROBABILITY_FEATURE_BITS};

/// The query that a cube works for.
#[derive(CubeType, Clone, Copy)]
struct Query {
    /// Its token among those of all texts.
    token: usize,
    /// The first key that it sees.
    first: usize,
    /// The first key after those that it sees.
    end: usize,
    /// Whether it is a token at all, or padding.
    real: bool,
    /// What its features begin with.
    head: u32,
}

/// Where a cube's query stands. `window` is how many keys a causal query sees at most.
#[cube]
fn query<I: Int>(
    starts: &Tensor<I>,
    key_starts: &Tensor<I>,
    heads: usize,
    longest: usize,
    window: usize,
    #[comptime] causal: bool,
) -> Query {
    let (row, position) = (CUBE_POS / (heads * longest), CUBE_POS % longest);
    let start = usize::cast_from(starts[row]);
    let queries = usize::cast_from(starts[row + 1]) - start;
    let keys = usize::cast_from(key_starts[row + 1]) - usize::cast_from(key_starts[row]);
    let head = ((CUBE_POS / longest) % heads) as u32;
    let mut first = 0;
    let mut end = keys;
    if causal {
        // The text's last query is that of its last key. Padding may follow it.
        end = min(keys, keys + position + 1 - queries);
        if end > window {
            first = end - window;
        }
    }
    Query {
        token: start + position,
        first,
        end,
        real: position < queries,
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
    key_starts: &Tensor<I>,
    keys: &Tensor<u32>,
    output: &mut Tensor<T>,
    draws: &Draws,
    scale: f32,
    window: usize,
    queries: usize,
    #[comptime] units: usize,
    #[comptime] dropped: bool,
    #[comptime] causal: bool,
    #[define(T, I)] _dtypes: [StorageType; 2],
) {
    if CUBE_POS >= queries {
        terminate!();
    }
    let (heads, places, longest) = (output.shape(1), output.shape(2), output.shape(3));
    let query = query::<I>(starts, key_starts, heads, places, window, causal);
    let mut shared = SharedMemory::<f32>::new(units);
    let from = CUBE_POS * scores.stride(2);
    let to = CUBE_POS * output.stride(2);
    let (unit, step) = (UNIT_POS as usize, threads());

    let mut largest = f32::min_value();
    let mut key = query.first + unit;
    while key < query.end {
        largest = max(largest, f32::cast_from(scores[from + key]) * scale);
        key += step;
    }
    let largest = maximum(largest, &mut shared, units);

    let mut total = 0.0f32;
    let mut key = query.first + unit;
    while key < query.end {
        total += (f32::cast_from(scores[from + key]) * scale - largest).exp();
        key += step;
    }
    let total = sum(total, &mut shared, units);

    let token = drawn(draws, keys, query.token, dropped);
    let mut key = unit;
    while key < longest {
        let mut value = 0.0f32;
        if query.real && key >= query.first && key < query.end {
            value = (f32::cast_from(scores[from + key]) * scale - largest).exp() / total
                * kept(draws, token, query.head, key, dropped);
        }
        output[to + key] = T::cast_from(value);
        key += step;
    }
}

/// With P the probabilities, D those after dropout and G the gradient for D: scale (D G - P sum(D
/// G)).
#[cube(launch, address_type = "dynamic")]
fn attention_scores_gradient_kernel<T: Float, I: Int>(
    probabilities: &Tensor<T>,
    gradient: &Tensor<T>,
    starts: &Tensor<I>,
    key_starts: &Tensor<I>,
    keys: &Tensor<u32>,
    output: &mut Tensor<T>,
    draws: &Draws,
    scale: f32,
    window: usize,
    queries: usize,
    #[comptime] units: usize,
    #[comptime] dropped: bool,
    #[comptime] causal: bool,
    #[define(T, I)] _dtypes: [StorageType; 2],
) {
    if CUBE_POS >= queries {
        terminate!();
    }
    let (heads, places, longest) = (output.shape(1), output.shape(2), output.shape(3));
    let query = query::<I>(starts, key_starts, heads, places, window, causal);
    let mut shared = SharedMemory::<f32>::new(units);
    let from = CUBE_POS * probabilities.stride(2);
    let gradients = CUBE_POS * gradient.stride(2);
    let to = CUBE_POS * output.stride(2);
    let (unit, step) = (UNIT_POS as usize, threads());
    let token = drawn(draws, keys, query.token, dropped);

    let mut total = 0.0f32;
    let mut key = query.first + unit;
    while key < query.end {
        total += f32::cast_from(probabilities[from + key])
            * f32::cast_from(gradient[gradients + key])
            * kept(draws, token, query.head, key, dropped);
        key += step;
    }
    let total = sum(total, &mut shared, units);

    let mut key = unit;
    while key < longest {
        let mut value = 0.0f32;
        if query.real && key >= query.first && key < query.end {
            let probability = f32::cast_from(probabilities[from + key]);
            let above = f32::cast_from(gradient[gradients + key])
                * kept(draws, token, query.head, key, dropped);
            value = scale * probability * (above - total);
        }
        output[to + key] = T::cast_from(value);
        key += step;
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

/// Whether a mask is causal, and how many of `keys` a query then sees at most.
fn reach(mask: Mask, keys: usize) -> (bool, usize) {
    match mask {
        Mask::Full => (false, keys),
        Mask::Causal { window } => (true, window.unwrap_or(keys)),
    }
}

/// `scores` and the result are `[texts, heads, queries, keys]`, `starts` `[texts + 1]` each.
pub(super) fn probabilities<R: CubeRuntime>(
    scores: CubeTensor<R>,
    starts: [CubeTensor<R>; 2],
    options: &AttentionOptions,
) -> CubeTensor<R> {
    let (scores, [starts, key_starts]) = (as_rows(scores), starts.map(into_contiguous));
    let shape = scores.shape();
    let output = empty(&scores, shape.clone(), scores.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtypes) = (scores.client.clone(), [scores.dtype, starts.dtype]);
    let (draws, keys, dropped) = draws(options, &scores);
    let queries = shape[0] * shape[1] * shape[2];
    let (causal, window) = reach(options.mask, shape[3]);
    let (count, dim, units) = together(&client, queries, shape[3]);
    watched(&client, "attention_probabilities_kernel", || {
        attention_probabilities_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&scores, &output]),
            scores.into_tensor_arg(),
            starts.into_tensor_arg(),
            key_starts.into_tensor_arg(),
            keys.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            draws,
            options.scale,
            window,
            queries,
            units,
            dropped,
            causal,
            dtypes.map(Into::into),
        );
    });
    output
}

/// `probabilities` (before dropout), `gradient` (for those after it) and the result are
/// `[texts, heads, queries, keys]`.
pub(super) fn scores_gradient<R: CubeRuntime>(
    probabilities: CubeTensor<R>,
    gradient: CubeTensor<R>,
    starts: [CubeTensor<R>; 2],
    options: &AttentionOptions,
) -> CubeTensor<R> {
    let (probabilities, gradient) = (as_rows(probabilities), as_rows(gradient));
    let [starts, key_starts] = starts.map(into_contiguous);
    let shape = probabilities.shape();
    let output = empty(&probabilities, shape.clone(), probabilities.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let client = probabilities.client.clone();
    let dtypes = [probabilities.dtype, starts.dtype];
    let (draws, keys, dropped) = draws(options, &probabilities);
    let queries = shape[0] * shape[1] * shape[2];
    let (causal, window) = reach(options.mask, shape[3]);
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
            key_starts.into_tensor_arg(),
            keys.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            draws,
            options.scale,
            window,
            queries,
            units,
            dropped,
            causal,
            dtypes.map(Into::into),
        );
    });
    output
}
