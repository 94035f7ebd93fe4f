//! Layer normalisation and the gradient for its input, a cube for each token. Weight and bias may
//! have another float type than the tokens.

use burn::tensor::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, as_rows, empty, together};
use super::reduce::{sum, threads};
use super::watch::watched;

/// Mean and reciprocal standard deviation of a row.
#[cube]
fn moments<T: Float>(
    input: &Tensor<T>,
    from: usize,
    width: usize,
    epsilon: f32,
    shared: &mut SharedMemory<f32>,
    #[comptime] units: usize,
) -> (f32, f32) {
    let unit = UNIT_POS as usize;
    let step = threads();
    let count = f32::cast_from(width);
    let mut total = 0.0f32;
    let mut feature = unit;
    while feature < width {
        total += f32::cast_from(input[from + feature]);
        feature += step;
    }
    let mean = sum(total, shared, units) / count;

    let mut squares = 0.0f32;
    let mut feature = unit;
    while feature < width {
        let centred = f32::cast_from(input[from + feature]) - mean;
        squares += centred * centred;
        feature += step;
    }
    let variance = sum(squares, shared, units) / count;
    (mean, 1.0f32 / (variance + epsilon).sqrt())
}

#[cube(launch, address_type = "dynamic")]
fn norm_kernel<T: Float, W: Float>(
    input: &Tensor<T>,
    weight: &Tensor<W>,
    bias: &Tensor<W>,
    output: &mut Tensor<T>,
    epsilon: f32,
    tokens: usize,
    #[comptime] units: usize,
    #[define(T, W)] _dtypes: [StorageType; 2],
) {
    if CUBE_POS >= tokens {
        terminate!();
    }
    let width = output.shape(1);
    let from = CUBE_POS * input.stride(0);
    let to = CUBE_POS * output.stride(0);
    let mut shared = SharedMemory::<f32>::new(units);
    let (mean, inverse) = moments::<T>(input, from, width, epsilon, &mut shared, units);
    let step = threads();
    let mut feature = UNIT_POS as usize;
    while feature < width {
        let normal = (f32::cast_from(input[from + feature]) - mean) * inverse;
        let value = normal * f32::cast_from(weight[feature]) + f32::cast_from(bias[feature]);
        output[to + feature] = T::cast_from(value);
        feature += step;
    }
}

#[cube(launch, address_type = "dynamic")]
fn norm_gradient_kernel<T: Float, W: Float>(
    input: &Tensor<T>,
    weight: &Tensor<W>,
    gradient: &Tensor<T>,
    output: &mut Tensor<T>,
    epsilon: f32,
    tokens: usize,
    #[comptime] units: usize,
    #[define(T, W)] _dtypes: [StorageType; 2],
) {
    if CUBE_POS >= tokens {
        terminate!();
    }
    let width = output.shape(1);
    let count = f32::cast_from(width);
    let from = CUBE_POS * input.stride(0);
    let gradients = CUBE_POS * gradient.stride(0);
    let to = CUBE_POS * output.stride(0);
    let mut shared = SharedMemory::<f32>::new(units);
    let (mean, inverse) = moments::<T>(input, from, width, epsilon, &mut shared, units);

    let step = threads();
    let mut shift = 0.0f32;
    let mut slope = 0.0f32;
    let mut feature = UNIT_POS as usize;
    while feature < width {
        let scaled =
            f32::cast_from(gradient[gradients + feature]) * f32::cast_from(weight[feature]);
        shift += scaled;
        slope += scaled * (f32::cast_from(input[from + feature]) - mean) * inverse;
        feature += step;
    }
    let shift = sum(shift, &mut shared, units) / count;
    let slope = sum(slope, &mut shared, units) / count;

    let mut feature = UNIT_POS as usize;
    while feature < width {
        let scaled =
            f32::cast_from(gradient[gradients + feature]) * f32::cast_from(weight[feature]);
        let normal = (f32::cast_from(input[from + feature]) - mean) * inverse;
        output[to + feature] = T::cast_from((scaled - shift - normal * slope) * inverse);
        feature += step;
    }
}

#[allow(clippy::cast_possible_truncation)]
pub(super) fn forward<R: CubeRuntime>(
    input: CubeTensor<R>,
    weight: CubeTensor<R>,
    bias: CubeTensor<R>,
    epsilon: f64,
) -> CubeTensor<R> {
    let input = as_rows(input);
    let (weight, bias) = (into_contiguous(weight), into_contiguous(bias));
    let shape = input.shape();
    let output = empty(&input, shape.clone(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtypes) = (input.client.clone(), [input.dtype, weight.dtype]);
    let (count, dim, units) = together(&client, shape[0], shape[1]);
    watched(&client, "norm_kernel", || {
        norm_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &output]),
            input.into_tensor_arg(),
            weight.into_tensor_arg(),
            bias.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            epsilon as f32,
            shape[0],
            units,
            dtypes.map(Into::into),
        );
    });
    output
}

/// The gradient for the input.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn backward<R: CubeRuntime>(
    input: CubeTensor<R>,
    weight: CubeTensor<R>,
    epsilon: f64,
    gradient: CubeTensor<R>,
) -> CubeTensor<R> {
    let (input, gradient) = (as_rows(input), as_rows(gradient));
    let weight = into_contiguous(weight);
    let shape = input.shape();
    let output = empty(&input, shape.clone(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtypes) = (input.client.clone(), [input.dtype, weight.dtype]);
    let (count, dim, units) = together(&client, shape[0], shape[1]);
    watched(&client, "norm_gradient_kernel", || {
        norm_gradient_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &gradient, &output]),
            input.into_tensor_arg(),
            weight.into_tensor_arg(),
            gradient.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            epsilon as f32,
            shape[0],
            units,
            dtypes.map(Into::into),
        );
    });
    output
}
