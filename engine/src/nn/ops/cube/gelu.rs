//! Exact GELU and its derivative: burn's own backward pass is that of the approximation by tanh.

use burn::tensor::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::std::tensor::layout::linear::LinearView;

use super::launch::{addresses, alone, as_rows, empty, vector_size};
use super::watch::watched;

/// The error function, with the coefficients of [`math::erf`](crate::nn::ops::math::erf).
#[cube]
fn erf<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    let size = x.abs();
    let square = x * x;
    let mut near = Vector::new(-5.967_617e-4_f32);
    near = near * square + Vector::new(4.991_194_3e-3_f32);
    near = near * square + Vector::new(-2.676_813_5e-2_f32);
    near = near * square + Vector::new(1.128_199_25e-1_f32);
    near = near * square + Vector::new(-3.761_253_4e-1_f32);
    near = near * square + Vector::new(1.283_791_7e-1_f32);
    near = near * size + size;

    let high = Vector::new(-1.728_534_7e-5_f32) * size + Vector::new(3.831_971_3e-4_f32);
    let low = Vector::new(-3.883_964_4e-3_f32) * size + Vector::new(2.425_462_2e-2_f32);
    let mut far = high * square + low;
    far = far * size + Vector::new(-1.067_778_8e-1_f32);
    far = far * size + Vector::new(-6.348_467e-1_f32);
    far = far * size + Vector::new(-1.287_175_1e-1_f32);
    far = Vector::new(1.0_f32) - (far * size - size).exp();

    let value = select_many(size.greater_than(Vector::new(0.927_734_4_f32)), far, near);
    // Not `-value`: cubecl 0.10 writes that in CUDA's C++ as it stands, where vectors have no minus
    // sign.
    let zero = Vector::new(0.0_f32);
    select_many(x.less_than(zero), zero - value, value)
}

/// The normal distribution function.
#[cube]
fn distribution<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    let argument = x * Vector::new(0.707_106_77_f32);
    Vector::new(0.5_f32) + Vector::new(0.5_f32) * erf::<N>(argument)
}

#[cube(launch, address_type = "dynamic")]
fn gelu_kernel<T: Float, N: Size>(
    input: &LinearView<Vector<T, N>>,
    output: &mut LinearView<Vector<T, N>, ReadWrite>,
    #[define(T)] _dtype: StorageType,
) {
    if !output.is_in_bounds(ABSOLUTE_POS) {
        terminate!();
    }
    let x = Vector::<f32, N>::cast_from(input[ABSOLUTE_POS]);
    output[ABSOLUTE_POS] = Vector::cast_from(x * distribution::<N>(x));
}

#[cube(launch, address_type = "dynamic")]
fn gelu_gradient_kernel<T: Float, N: Size>(
    input: &LinearView<Vector<T, N>>,
    gradient: &LinearView<Vector<T, N>>,
    output: &mut LinearView<Vector<T, N>, ReadWrite>,
    #[define(T)] _dtype: StorageType,
) {
    if !output.is_in_bounds(ABSOLUTE_POS) {
        terminate!();
    }
    let x = Vector::<f32, N>::cast_from(input[ABSOLUTE_POS]);
    let gradient = Vector::<f32, N>::cast_from(gradient[ABSOLUTE_POS]);
    let density = (x * x * Vector::new(-0.5_f32)).exp() * Vector::new(0.398_942_3_f32);
    let derivative = distribution::<N>(x) + x * density;
    output[ABSOLUTE_POS] = Vector::cast_from(derivative * gradient);
}

pub(super) fn forward<R: CubeRuntime>(input: CubeTensor<R>) -> CubeTensor<R> {
    let input = as_rows(input);
    let output = empty(&input, input.shape(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtype) = (input.client.clone(), input.dtype);
    let size = vector_size(&[&input, &output]);
    let (count, dim) = alone(&client, input.shape().num_elements() / size);
    watched(&client, "gelu_kernel", || {
        gelu_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &output]),
            size,
            input.into_linear_view(),
            output.clone().into_linear_view(),
            dtype.into(),
        );
    });
    output
}

pub(super) fn backward<R: CubeRuntime>(
    input: CubeTensor<R>,
    gradient: CubeTensor<R>,
) -> CubeTensor<R> {
    let (input, gradient) = (as_rows(input), as_rows(gradient));
    let output = empty(&input, input.shape(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtype) = (input.client.clone(), input.dtype);
    let size = vector_size(&[&input, &gradient, &output]);
    let (count, dim) = alone(&client, input.shape().num_elements() / size);
    watched(&client, "gelu_gradient_kernel", || {
        gelu_gradient_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &gradient, &output]),
            size,
            input.into_linear_view(),
            gradient.into_linear_view(),
            output.clone().into_linear_view(),
            dtype.into(),
        );
    });
    output
}
