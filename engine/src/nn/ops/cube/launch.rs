//! What the kernels' launches share: memory layouts and numbers of threads.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};
use cubecl::prelude::*;
use cubecl::{calculate_cube_count_elemwise, tensor_vector_size_parallel};

/// The tensor as rows of its last dimension, one after the other in memory with the same distance
/// between any two: itself, or a copy.
///
/// In a kernel, row `r` begins at `r` times the stride of the last dimension but one.
pub(super) fn as_rows<R: CubeRuntime>(tensor: CubeTensor<R>) -> CubeTensor<R> {
    let (shape, strides) = (tensor.meta.shape(), tensor.meta.strides());
    let rank = shape.num_dims();
    let outer =
        (1..rank.saturating_sub(1)).all(|dim| strides[dim - 1] == strides[dim] * shape[dim]);
    if strides[rank - 1] == 1 && outer {
        return tensor;
    }
    into_contiguous(tensor)
}

/// Memory for a result of the same device.
pub(super) fn empty<R: CubeRuntime>(
    like: &CubeTensor<R>,
    shape: Shape,
    dtype: DType,
) -> CubeTensor<R> {
    empty_device_dtype(like.client.clone(), like.device.clone(), shape, dtype)
}

/// How many neighbouring values of the last dimension each thread can take at once, in all the
/// tensors.
pub(super) fn vector_size<R: CubeRuntime>(tensors: &[&CubeTensor<R>]) -> usize {
    let sizes = tensors.iter().map(|tensor| {
        tensor_vector_size_parallel(
            tensor.client.io_optimized_vector_sizes(tensor.dtype.size()),
            tensor.meta.shape(),
            tensor.meta.strides(),
            tensor.meta.num_dims() - 1,
        )
    });
    sizes.min().unwrap_or(1)
}

/// The width of a kernel's indices: 64 bits where one of the tensors has more than 2^32 elements.
pub(super) fn addresses<R: CubeRuntime>(tensors: &[&CubeTensor<R>]) -> AddressType {
    let widths = tensors.iter().map(|tensor| tensor.required_address_type());
    widths.max().unwrap_or_default()
}

/// Cubes for `units` threads that each work alone.
pub(super) fn alone<R: CubeRuntime>(
    client: &ComputeClient<R>,
    units: usize,
) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(client, units);
    (calculate_cube_count_elemwise(client, units, dim), dim)
}

/// One cube for each of `rows` rows, and the number of its threads: a power of two for rows of
/// `width` values.
pub(super) fn together<R: CubeRuntime>(
    client: &ComputeClient<R>,
    rows: usize,
    width: usize,
) -> (CubeCount, CubeDim, usize) {
    let most = client.properties().hardware.max_units_per_cube.min(256);
    // `most` is at most 256; a power of two below it.
    #[allow(clippy::cast_possible_truncation)]
    let units = (width / 4).next_power_of_two().clamp(32, 256) as u32;
    let units = units.min(1 << most.ilog2());
    let count = calculate_cube_count_elemwise(client, rows, CubeDim::new_single());
    (count, CubeDim::new_1d(units), units as usize)
}
