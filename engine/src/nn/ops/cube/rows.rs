//! Rows taken out of a matrix and put back: each the other's backward pass, since no row is taken
//! twice.

use burn::tensor::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, alone, as_rows, empty, vector_size};
use super::watch::watched;

#[cube(launch, address_type = "dynamic")]
fn pack_kernel<T: Numeric, N: Size, I: Int>(
    input: &Tensor<Vector<T, N>>,
    rows: &Tensor<I>,
    output: &mut Tensor<Vector<T, N>>,
    units: usize,
    #[define(T, I)] _dtypes: [StorageType; 2],
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    let width = output.shape(1) / N::value();
    let (row, column) = (ABSOLUTE_POS / width, ABSOLUTE_POS % width);
    let from = usize::cast_from(rows[row]);
    output[row * output.stride(0) / N::value() + column] =
        input[from * input.stride(0) / N::value() + column];
}

#[cube(launch, address_type = "dynamic")]
fn unpack_kernel<T: Numeric, N: Size, I: Int, B: Int>(
    input: &Tensor<Vector<T, N>>,
    picked: &Tensor<I>,
    left_out: &Tensor<B>,
    output: &mut Tensor<Vector<T, N>>,
    units: usize,
    #[define(T, I, B)] _dtypes: [StorageType; 3],
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    let width = output.shape(1) / N::value();
    let (row, column) = (ABSOLUTE_POS / width, ABSOLUTE_POS % width);
    let from = usize::cast_from(picked[row]);
    let mut value = Vector::<T, N>::new(T::from_int(0));
    if left_out[row] == B::from_int(0) {
        value = input[from * input.stride(0) / N::value() + column];
    }
    output[row * output.stride(0) / N::value() + column] = value;
}

/// The given rows of `[rows, features]`.
pub(super) fn pick<R: CubeRuntime>(input: CubeTensor<R>, rows: CubeTensor<R>) -> CubeTensor<R> {
    let (input, rows) = (as_rows(input), into_contiguous(rows));
    let shape = [rows.shape()[0], input.shape()[1]];
    let output = empty(&input, shape.into(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let (client, dtypes) = (input.client.clone(), [input.dtype, rows.dtype]);
    let size = vector_size(&[&input, &output]);
    let units = shape[0] * shape[1] / size;
    let (count, dim) = alone(&client, units);
    watched(&client, "pack_kernel", || {
        pack_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &output]),
            size,
            input.into_tensor_arg(),
            rows.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            units,
            dtypes.map(Into::into),
        );
    });
    output
}

/// `[rows, features]`: the input's row `picked` of each, zeros where it is left out.
pub(super) fn put_back<R: CubeRuntime>(
    input: CubeTensor<R>,
    picked: CubeTensor<R>,
    left_out: CubeTensor<R>,
) -> CubeTensor<R> {
    let input = as_rows(input);
    let (picked, left_out) = (into_contiguous(picked), into_contiguous(left_out));
    let shape = [picked.shape()[0], input.shape()[1]];
    let output = empty(&input, shape.into(), input.dtype);
    if output.meta.num_elements() == 0 {
        return output;
    }
    let client = input.client.clone();
    let dtypes = [input.dtype, picked.dtype, left_out.dtype];
    let size = vector_size(&[&input, &output]);
    let units = shape[0] * shape[1] / size;
    let (count, dim) = alone(&client, units);
    watched(&client, "unpack_kernel", || {
        unpack_kernel::launch::<R>(
            &client,
            count,
            dim,
            addresses(&[&input, &output]),
            size,
            input.into_tensor_arg(),
            picked.into_tensor_arg(),
            left_out.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            units,
            dtypes.map(Into::into),
        );
    });
    output
}
