//! Dropout, drawn where it is applied: the same function of (site, token, feature) as
//! [`noise`](crate::nn::ops::noise) computes on the processor, bit for bit, in 32-bit halves, since
//! not every runtime has 64-bit integers.

use burn::tensor::{DType, TensorData, TensorMetadata};
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};
use cubecl::prelude::*;

use super::launch::{addresses, alone, as_rows, empty, vector_size};
use super::watch::watched;
use crate::nn::ops::Dropout;
use crate::nn::ops::noise::{FIRST_FACTOR, GOLDEN, SECOND_FACTOR};

/// A 64-bit number.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Wide {
    low: u32,
    high: u32,
}

#[cube]
fn wide(#[comptime] value: u64) -> Wide {
    Wide {
        low: comptime!((value & 0xFFFF_FFFF) as u32).runtime(),
        high: comptime!((value >> 32) as u32).runtime(),
    }
}

#[cube]
fn plus(a: Wide, b: Wide) -> Wide {
    let low = a.low + b.low;
    let carry = u32::cast_from(low < a.low);
    Wide {
        low,
        high: a.high + b.high + carry,
    }
}

#[cube]
fn times(a: Wide, b: Wide) -> Wide {
    Wide {
        low: a.low * b.low,
        high: a.low.mul_hi(b.low) + a.low * b.high + a.high * b.low,
    }
}

#[cube]
fn xor(a: Wide, b: Wide) -> Wide {
    Wide {
        low: a.low ^ b.low,
        high: a.high ^ b.high,
    }
}

/// The number and itself, shifted right by 1 to 31 bits, one upon the other.
#[cube]
fn xor_shifted(a: Wide, #[comptime] bits: u32) -> Wide {
    let shifted = Wide {
        low: (a.low >> bits) | (a.high << comptime!(32 - bits)),
        high: a.high >> bits,
    };
    xor(a, shifted)
}

/// [`mix`](crate::nn::ops::mix).
#[cube]
fn mix(value: Wide) -> Wide {
    let z = plus(value, wide(GOLDEN));
    let z = times(xor_shifted(z, 30u32), wide(FIRST_FACTOR));
    let z = times(xor_shifted(z, 27u32), wide(SECOND_FACTOR));
    xor_shifted(z, 31u32)
}

/// What a site draws by.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Draws {
    site_low: u32,
    site_high: u32,
    bound: u32,
    scale: f32,
}

/// The draws of one token.
#[cube]
pub(super) fn token_draws(draws: &Draws, keys: &Tensor<u32>, token: usize) -> Wide {
    let site = Wide {
        low: draws.site_low,
        high: draws.site_high,
    };
    let key = Wide {
        low: keys[2 * token],
        high: keys[2 * token + 1],
    };
    mix(xor(site, key))
}

/// 0 where the feature is dropped, the scale elsewhere.
#[cube]
pub(super) fn factor(draws: &Draws, token: Wide, feature: u32) -> f32 {
    let feature = Wide {
        low: feature,
        high: 0u32.runtime(),
    };
    let number = mix(plus(token, times(feature, wide(GOLDEN)))).high;
    select(number < draws.bound, 0.0f32, draws.scale)
}

#[cube(launch, address_type = "dynamic")]
fn dropout_kernel<T: Float, N: Size>(
    input: &Tensor<Vector<T, N>>,
    keys: &Tensor<u32>,
    output: &mut Tensor<Vector<T, N>>,
    draws: &Draws,
    units: usize,
    #[define(T)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    let width = output.shape(1) / N::value();
    let (token, column) = (ABSOLUTE_POS / width, ABSOLUTE_POS % width);
    let base = token_draws(draws, keys, token);
    let values = input[token * input.stride(0) / N::value() + column];
    let mut kept = Vector::<T, N>::empty();
    #[unroll]
    for lane in 0..N::value() {
        let feature = (column * N::value() + lane) as u32;
        let value = f32::cast_from(values[lane]) * factor(draws, base, feature);
        kept[lane] = T::cast_from(value);
    }
    output[token * output.stride(0) / N::value() + column] = kept;
}

impl<R: CubeRuntime> DrawsLaunch<R> {
    /// The launch argument for a dropout.
    pub(super) fn of(dropout: &Dropout) -> Self {
        let site = dropout.site();
        let [low, high] = halves(site);
        Self::new(low, high, dropout.bound(), dropout.scale())
    }

    /// Draws that drop nothing.
    pub(super) fn none() -> Self {
        Self::new(0, 0, 0, 1.0)
    }
}

/// The low and the high 32 bits.
#[allow(clippy::cast_possible_truncation)]
fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

/// `[2 * tokens]`: the tokens' keys on the device, uploaded once for all sites of a step.
pub(super) fn keys<R: CubeRuntime>(dropout: &Dropout, like: &CubeTensor<R>) -> CubeTensor<R> {
    let upload = |keys: &[u64]| {
        let words: Vec<u32> = keys.iter().flat_map(|&key| halves(key)).collect();
        let count = words.len();
        let data = TensorData::new(words, [count]);
        let handle = like.client.create(data.bytes);
        CubeTensor::new_contiguous(
            like.client.clone(),
            like.device.clone(),
            [count].into(),
            handle,
            DType::U32,
        )
    };
    dropout.on_device(upload, |keys| keys.device == like.device)
}

/// Stands in for the keys where nothing is dropped.
pub(super) fn no_keys<R: CubeRuntime>(like: &CubeTensor<R>) -> CubeTensor<R> {
    empty_device_dtype(
        like.client.clone(),
        like.device.clone(),
        [2].into(),
        DType::U32,
    )
}

pub(super) fn apply<R: CubeRuntime>(input: CubeTensor<R>, dropout: &Dropout) -> CubeTensor<R> {
    let input = as_rows(input);
    let output = empty(&input, input.shape(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let keys = keys(dropout, &input);
    let (client, dtype) = (input.client.clone(), input.dtype);
    let size = vector_size(&[&input, &output]);
    let units = input.shape().num_elements() / size;
    let (count, dim) = alone(&client, units);
    watched(&client, "dropout_kernel", || {
        dropout_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &output]),
            size,
            input.into_tensor_arg(),
            keys.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            DrawsLaunch::of(dropout),
            units,
            dtype.into(),
        );
    });
    output
}
