//! The kernels where the fixtures of PyTorch do not reach: dropout, other float types, other memory
//! layouts, long rows.

use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::FloatTensor;
use burn::tensor::{FloatDType, Tensor, TensorData, TensorPrimitive};
use engine::nn::ops::{
    AttentionOptions, Dropout, Mask, Noise, Operations, Ragged, Segments, Site,
    alone_with_gradients, attention, dropout, gelu, layer_norm, mix, pack, token_key, unpack,
};

use crate::fixture::{assert_close_to_scale, assert_relative, values};
use crate::{Accelerated, B, ready};

/// Values without pattern between -3 and 3.
fn random<T: Backend>(seed: u64, rows: usize, columns: usize) -> Tensor<T, 2> {
    let values = (0..rows * columns).map(|index| {
        #[allow(clippy::cast_precision_loss)]
        let share = (mix(seed ^ mix(index as u64)) >> 40) as f32 / 16_777_216.0;
        6.0 * share - 3.0
    });
    let values = TensorData::new(values.collect::<Vec<f32>>(), [rows, columns]);
    Tensor::from_data(values, &Default::default())
}

/// Dropout with a quarter dropped, of texts from far apart in a data set.
fn quarter(lengths: &[usize]) -> Dropout {
    let keys = lengths
        .iter()
        .enumerate()
        .flat_map(|(row, &length)| (0..length).map(move |place| token_key(70_001 * row, place)));
    let noise = Noise::new(3, 9, Arc::new(keys.collect()));
    noise.at(Site { layer: 2, place: 3 }, 0.25).unwrap()
}

#[test]
fn dropout_draws_what_the_processor_draws_bit_for_bit() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    for width in [1, 7, 8, 130] {
        let drawn = quarter(&[5, 1, 30]);
        let expected = drawn.factors(width);
        let ones = Tensor::<B, 2>::ones([36, width], &Default::default()).require_grad();
        let output = dropout(ones.clone(), Some(&drawn));
        assert_eq!(values(output.clone()), expected, "{width}");
        let mut gradients = output.sum().backward();
        let gradient = ones.grad_remove(&mut gradients).unwrap();
        assert_eq!(values(gradient), expected, "{width} backward");
    }
}

/// Output and gradients of attention with dropout.
fn attend<T: AutodiffBackend + Operations>(lengths: &[usize]) -> Vec<Vec<f32>> {
    let _turn = alone_with_gradients();
    let tokens = lengths.iter().sum();
    let operands = [1, 2, 3].map(|seed| random::<T>(seed, tokens, 24).require_grad());
    let options = AttentionOptions {
        heads: 3,
        scale: 0.35,
        mask: Mask::Full,
        dropout: Some(quarter(lengths)),
    };
    let ragged = Ragged::new(Segments::new(lengths), &Default::default());
    let [query, key, value] = operands.clone();
    let output = attention(query, key, value, [&ragged; 2], &options);
    let mut gradients = (output.clone() * random::<T>(4, tokens, 24))
        .sum()
        .backward();
    let gradients = operands.map(|operand| values(operand.grad_remove(&mut gradients).unwrap()));
    std::iter::once(values(output)).chain(gradients).collect()
}

#[test]
fn attention_with_dropout_equals_the_processors() {
    if !ready() {
        return;
    }
    // Rows longer than a cube has threads, shorter ones, and one that attends to itself alone.
    let lengths = [37, 1, 270];
    let expected = attend::<Autodiff<Flex>>(&lengths);
    let actual = attend::<B>(&lengths);
    for (part, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        assert_relative(&format!("part {part}"), actual, expected, 2e-6);
    }
}

/// Output and gradient of a function of a matrix that is stored column by column.
fn of_transposed<T: AutodiffBackend>(
    function: impl Fn(Tensor<T, 2>) -> Tensor<T, 2>,
) -> [Vec<f32>; 2] {
    let _turn = alone_with_gradients();
    let input = random::<T>(5, 33, 48).require_grad();
    let output = function(input.clone().transpose());
    let weights = random::<T>(6, 33, 48).transpose();
    let mut gradients = (output.clone() * weights).sum().backward();
    let gradient = values(input.grad_remove(&mut gradients).unwrap());
    [values(output), gradient]
}

#[test]
fn matrices_stored_by_columns_are_read_aright() {
    if !ready() {
        return;
    }
    fn norm<T: AutodiffBackend + Operations>(input: Tensor<T, 2>) -> Tensor<T, 2> {
        let [weight, bias] = [7, 8].map(|seed| random::<T>(seed, 1, 33).squeeze_dim::<1>(0));
        layer_norm(input, weight, bias, 1e-5)
    }
    fn drop<T: AutodiffBackend + Operations>(input: Tensor<T, 2>) -> Tensor<T, 2> {
        dropout(input, Some(&quarter(&[48])))
    }
    fn there_and_back<T: AutodiffBackend + Operations>(input: Tensor<T, 2>) -> Tensor<T, 2> {
        let ragged = Ragged::new(Segments::new(&[20, 3, 25]), &Default::default());
        pack(unpack(input, &ragged.tokens) * 2.0, &ragged.tokens)
    }
    for (what, actual, expected) in [
        (
            "gelu",
            of_transposed::<B>(gelu),
            of_transposed(gelu::<Autodiff<Flex>, 2>),
        ),
        (
            "norm",
            of_transposed::<B>(norm),
            of_transposed(norm::<Autodiff<Flex>>),
        ),
        (
            "dropout",
            of_transposed::<B>(drop),
            of_transposed(drop::<Autodiff<Flex>>),
        ),
        (
            "pack",
            of_transposed::<B>(there_and_back),
            of_transposed(there_and_back::<Autodiff<Flex>>),
        ),
    ] {
        for (actual, expected) in actual.iter().zip(&expected) {
            assert_close_to_scale(what, actual, expected, 5e-6);
        }
    }
}

/// What every kernel makes of operands in a float type, computed by the trait's methods and read in
/// 32 bits.
fn all_kernels<T: Operations>(dtype: FloatDType) -> Vec<(&'static str, Vec<f32>)> {
    let device = Default::default();
    let lengths = [9, 33];
    let ragged = Ragged::<T>::new(Segments::new(&lengths), &device);
    let part = |tensor: Tensor<T, 2>| tensor.cast(dtype).into_primitive().tensor();
    let [input, gradient] = [9, 10].map(|seed| part(random(seed, 42, 40)));
    // A norm's parameters stay in 32 bits where the tokens have 16.
    let vector = |seed| {
        let vector = random::<T>(seed, 1, 40).squeeze_dim::<1>(0);
        vector.into_primitive().tensor()
    };
    let square = |seed| {
        let square = random::<T>(seed, 2 * 3 * 33, 33).reshape([2, 3, 33, 33]);
        square.cast(dtype).into_primitive().tensor()
    };
    let drawn = quarter(&lengths);
    let options = AttentionOptions {
        heads: 3,
        scale: 0.5,
        mask: Mask::Full,
        dropout: Some(drawn.clone()),
    };
    let norm = T::token_norm_backward(input.clone(), vector(11), 1e-5, gradient.clone(), false);
    let tokens = &ragged.tokens;
    let matrices: [(_, FloatTensor<T>); 6] = [
        ("gelu", T::exact_gelu(input.clone())),
        (
            "gelu backward",
            T::exact_gelu_backward(input.clone(), gradient.clone()),
        ),
        (
            "norm",
            T::token_norm(input.clone(), vector(11), vector(12), 1e-5),
        ),
        ("norm backward", norm.input),
        ("dropout", T::token_dropout(input.clone(), &drawn)),
        (
            "unpack and pack",
            T::pack(T::unpack(gradient, tokens), tokens),
        ),
    ];
    let probabilities = T::attention_probabilities(square(13), [&ragged; 2], &options);
    let without = AttentionOptions {
        dropout: None,
        ..options.clone()
    };
    let before = T::attention_probabilities(square(14), [&ragged; 2], &without);
    let above = T::attention_scores_gradient(before, square(15), [&ragged; 2], &options);
    // Places of padding are without meaning: only real queries and keys are compared.
    let real = |tensor: FloatTensor<T>| {
        let tensor = Tensor::<T, 4>::from_primitive(TensorPrimitive::Float(tensor));
        let first = tensor
            .clone()
            .slice([0..1, 0..3, 0..9, 0..9])
            .cast(FloatDType::F32);
        let second = tensor
            .slice([1..2, 0..3, 0..33, 0..33])
            .cast(FloatDType::F32);
        [values(first), values(second)].concat()
    };
    let matrices = matrices.into_iter().map(|(name, tensor)| {
        let tensor = Tensor::<T, 2>::from_primitive(TensorPrimitive::Float(tensor));
        (name, values(tensor.cast(FloatDType::F32)))
    });
    let squares = [
        ("probabilities", real(probabilities)),
        ("scores gradient", real(above)),
    ];
    matrices.chain(squares).collect()
}

#[test]
fn kernels_compute_in_32_bits_whatever_they_read_and_write() {
    if !ready() {
        return;
    }
    let exact = all_kernels::<Flex>(FloatDType::F32);
    for (dtype, tolerance) in [
        (FloatDType::F32, 2e-6),
        // Operands and results rounded once: half a unit in the last place each.
        (FloatDType::F16, 1e-3),
        (FloatDType::BF16, 8e-3),
    ] {
        if !Accelerated::supports_dtype(&Default::default(), dtype.into()) {
            eprintln!("skipped: this device has no {dtype:?}");
            continue;
        }
        for ((name, actual), (_, expected)) in all_kernels::<Accelerated>(dtype).iter().zip(&exact)
        {
            assert_relative(&format!("{name} in {dtype:?}"), actual, expected, tolerance);
        }
    }
}

#[test]
fn memory_is_counted_on_the_device() {
    if !ready() {
        return;
    }
    let device = Default::default();
    let before = Accelerated::device_memory(&device).unwrap();
    let held = Tensor::<Accelerated, 1>::zeros([1 << 22], &device) + 1.0;
    let during = Accelerated::device_memory(&device).unwrap();
    assert!(during.in_use_bytes >= before.in_use_bytes + (1 << 24));
    assert!(during.reserved_bytes >= during.in_use_bytes);
    drop(held);
    let after = Accelerated::device_memory(&device).unwrap();
    assert!(after.in_use_bytes < during.in_use_bytes);
    assert!(Flex::device_memory(&Default::default()).is_none());
}

#[test]
fn tf32_is_a_matter_of_matrix_units() {
    if !ready() {
        return;
    }
    // A device of software has none. What a card says is not tested here.
    assert_eq!(Accelerated::may_use_tf32(&Default::default()), Some(false));
    assert_eq!(Flex::may_use_tf32(&Default::default()), None);
}
