//! What a card is tried with before it is trusted: a vector of GELU and its gradient, and a product
//! on its matrix units, each against the number that must come out.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, FloatDType, Shape, Tensor, TensorData, TensorPrimitive, f16};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeRuntime, cubecl};
use cubecl::ir::{ElemType, FloatKind, StorageType};
use cubecl::prelude::*;

use super::gelu;
use super::launch::empty;
use super::watch::watched;

/// Rows and columns of a tile of the matrix units.
const TILE: u8 = 16;
const SHAPE: [usize; 2] = [TILE as usize; 2];
/// The result of every trial on a card that computes right.
const EXPECTED: f32 = 64.0;
/// Relative; the trials' own rounding is smaller by far.
const TOLERANCE: f32 = 1e-4;
/// The sums of GELU and of its derivative at -4, -4 + 1/8, … 4 - 1/8, in 64 bits with the exact
/// error function.
const GELU_SUM: f64 = 58.010_909_142_826_62;
const GELU_SLOPE_SUM: f64 = 31.499_496_350_338_774;

type B<R> = CubeBackend<R, f32, i32, u8>;

/// `output = left x right'` for one tile, row by row.
#[cube(launch)]
fn matrix_units_kernel(left: &Array<f16>, right: &Array<f16>, output: &mut Array<f32>) {
    let a = cmma::Matrix::<f16>::from_slice(
        cmma::MatrixIdent::A,
        16usize,
        16usize,
        16usize,
        cmma::MatrixLayout::RowMajor,
        &left.to_slice(),
        16,
    );
    let b = cmma::Matrix::<f16>::from_slice(
        cmma::MatrixIdent::B,
        16usize,
        16usize,
        16usize,
        cmma::MatrixLayout::ColMajor,
        &right.to_slice(),
        16,
    );
    let sum = cmma::Matrix::<f32>::from_value(
        cmma::MatrixIdent::Accumulator,
        16usize,
        16usize,
        16usize,
        cmma::MatrixLayout::Undefined,
        0.0,
    );
    cmma::execute::<f16, f16, f32, f32>(&a, &b, &sum, &sum);
    cmma::store(
        &mut output.to_slice_mut(),
        &sum,
        16,
        cmma::MatrixLayout::RowMajor,
    );
}

/// Runs the trials; fails with the first that comes out wrong.
///
/// # Errors
/// The trial's name with both numbers.
pub fn trial<R: CubeRuntime>(device: &R::Device) -> Result<(), String>
where
    B<R>: Backend<Device = R::Device, FloatTensorPrimitive = CubeTensor<R>>,
{
    let ones = Tensor::<B<R>, 2>::ones([4, 4], device);
    is_right("a product", ones.clone().matmul(ones).sum())?;

    let ramp = ramp::<R>(device);
    let whole = gelu::forward(ramp.clone());
    is_right("a vector GELU", scaled(whole, GELU_SUM))?;
    let ones = Tensor::<B<R>, 2>::ones([1, 64], device);
    let slopes = gelu::backward(ramp, ones.into_primitive().tensor());
    is_right("a vector GELU's gradient", scaled(slopes, GELU_SLOPE_SUM))?;

    if has_matrix_units::<R>(device) {
        let (product, sum) = tile::<R>(device);
        is_right("a product on the matrix units", scaled(product, sum))?;
    }
    Ok(())
}

/// Sums a trial's output on the card: one number has to be read.
fn scaled<R: CubeRuntime>(output: CubeTensor<R>, expected: f64) -> Tensor<B<R>, 1>
where
    B<R>: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let output = Tensor::<B<R>, 2>::from_primitive(TensorPrimitive::Float(output));
    output.sum() * (f64::from(EXPECTED) / expected)
}

fn is_right<T: Backend>(what: &str, sum: Tensor<T, 1>) -> Result<(), String> {
    let data = sum.try_into_data().map_err(|error| format!("{error:?}"))?;
    let found: f32 = data.iter::<f32>().sum();
    // Not `>`: NaN is wrong too.
    if (found - EXPECTED).abs() <= EXPECTED * TOLERANCE {
        return Ok(());
    }
    Err(format!("{what} comes to {found} where {EXPECTED} is right"))
}

/// -4, -4 + 1/8, … 4 - 1/8.
fn ramp<R: CubeRuntime>(device: &R::Device) -> CubeTensor<R>
where
    B<R>: Backend<Device = R::Device, FloatTensorPrimitive = CubeTensor<R>>,
{
    let values: Vec<f32> = (-32_i16..32).map(|step| f32::from(step) / 8.0).collect();
    let ramp = Tensor::<B<R>, 2>::from_data(TensorData::new(values, [1, 64]), device);
    ramp.into_primitive().tensor()
}

fn has_matrix_units<R: CubeRuntime>(device: &R::Device) -> bool {
    let float = |kind| StorageType::from(ElemType::Float(kind));
    let client = R::client(device);
    let mut tiles = client.properties().features.matmul.cmma.iter();
    tiles.any(|tile| {
        tile.a_type == float(FloatKind::F16)
            && tile.b_type == float(FloatKind::F16)
            && tile.cd_type == float(FloatKind::F32)
            && [tile.m, tile.n, tile.k] == [u32::from(TILE); 3]
    })
}

/// The product of two tiles of small whole numbers, and the sum of its elements.
fn tile<R: CubeRuntime>(device: &R::Device) -> (CubeTensor<R>, f64)
where
    B<R>: Backend<Device = R::Device, FloatTensorPrimitive = CubeTensor<R>>,
{
    let left = |row: u8, column: u8| f32::from((3 * row + column) % 5);
    let right = |row: u8, column: u8| f32::from((row + 2 * column) % 7);
    let places = || (0..TILE).flat_map(|row| (0..TILE).map(move |column| (row, column)));
    let upload = |value: &dyn Fn(u8, u8) -> f32| {
        let values = places().map(|(row, column)| value(row, column));
        let values = TensorData::new(values.collect::<Vec<f32>>(), SHAPE);
        let tile = Tensor::<B<R>, 2>::from_data(values, device).cast(FloatDType::F16);
        tile.into_primitive().tensor()
    };
    let (a, b): (CubeTensor<R>, CubeTensor<R>) = (upload(&left), upload(&right));
    let output = empty(&a, Shape::from(SHAPE), DType::F32);
    let client = a.client.clone();
    watched(&client, "matrix_units_kernel", || {
        matrix_units_kernel::launch::<R>(
            &client,
            CubeCount::new_single(),
            CubeDim::new_1d(32),
            a.into_array_arg(),
            b.into_array_arg(),
            output.clone().into_array_arg(),
        );
    });
    let mut sum = 0.0;
    for (row, column) in places() {
        for inner in 0..TILE {
            sum += f64::from(left(row, inner) * right(column, inner));
        }
    }
    (output, sum)
}
