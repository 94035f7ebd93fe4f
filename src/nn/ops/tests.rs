//! The processor's operations against the defaults, which compute in the padded shape and serve every other backend.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use burn::tensor::ops::{FloatTensor, FloatTensorOps};
use burn::tensor::{DType, FloatDType, Tensor, TensorData};

use super::*;

const HEADS: usize = 3;
const WIDTH: usize = 12;

/// Values without pattern between -2 and 2.
fn random(seed: u64, rows: usize, columns: usize) -> Tensor<Flex, 2> {
    let values = (0..rows * columns).map(|index| {
        #[allow(clippy::cast_precision_loss)]
        let share = (mix(seed ^ mix(index as u64)) >> 40) as f32 / 16_777_216.0;
        4.0 * share - 2.0
    });
    Tensor::from_data(
        TensorData::new(values.collect::<Vec<f32>>(), [rows, columns]),
        &FlexDevice,
    )
}

fn values(tensor: FloatTensor<Flex>) -> Vec<f32> {
    wrap::<Flex, 2>(tensor).into_data().iter::<f32>().collect()
}

#[track_caller]
fn assert_close(actual: FloatTensor<Flex>, expected: FloatTensor<Flex>, tolerance: f32) {
    let (actual, expected) = (values(actual), values(expected));
    assert_eq!(actual.len(), expected.len());
    for (index, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        assert!(
            (actual - expected).abs() <= tolerance,
            "{index}: {actual} {expected}"
        );
    }
}

fn noise(lengths: &[usize]) -> Noise {
    let keys = lengths
        .iter()
        .enumerate()
        .flat_map(|(row, &length)| (0..length).map(move |position| token_key(row, position)));
    Noise::new(3, 9, Arc::new(keys.collect()))
}

fn options(lengths: &[usize], probability: f64) -> AttentionOptions {
    let dropout = noise(lengths).at(Site { layer: 1, place: 1 }, probability);
    AttentionOptions {
        heads: HEADS,
        scale: 0.5,
        dropout,
    }
}

#[test]
fn attention_over_ragged_rows_equals_the_padded_computation() {
    let lengths = [5, 1, 17, 40];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let tokens = lengths.iter().sum();
    let [query, key, value, gradient] =
        [1, 2, 3, 4].map(|seed| unwrap(random(seed, tokens, WIDTH)));
    for probability in [0.0, 0.3] {
        let options = options(&lengths, probability);
        let ours =
            Flex::ragged_attention(query.clone(), key.clone(), value.clone(), &ragged, &options);
        let padded = defaults::attention::<Flex>(
            query.clone(),
            key.clone(),
            value.clone(),
            &ragged,
            &options,
        );
        assert_close(ours, padded, 1e-6);
        let arguments = || (query.clone(), key.clone(), value.clone(), gradient.clone());
        let (q, k, v, g) = arguments();
        let ours = Flex::ragged_attention_backward(q, k, v, g, &ragged, &options);
        let (q, k, v, g) = arguments();
        let padded = defaults::attention_backward::<Flex>(q, k, v, g, &ragged, &options);
        for (ours, padded) in ours.into_iter().zip(padded) {
            assert_close(ours, padded, 5e-6);
        }
    }
}

#[test]
fn gelu_and_layer_norm_equal_the_defaults() {
    let [input, gradient] = [5, 6].map(|seed| unwrap(random(seed, 33, WIDTH)));
    assert_close(
        Flex::exact_gelu(input.clone()),
        defaults::gelu::<Flex>(input.clone()),
        1e-6,
    );
    assert_close(
        Flex::exact_gelu_backward(input.clone(), gradient.clone()),
        defaults::gelu_backward::<Flex>(input.clone(), gradient.clone()),
        1e-6,
    );
    let [weight, bias] = [7, 8].map(|seed| unwrap(random(seed, 1, WIDTH).squeeze_dim::<1>(0)));
    assert_close(
        Flex::token_norm(input.clone(), weight.clone(), bias.clone(), 1e-5),
        defaults::layer_norm::<Flex>(input.clone(), weight.clone(), bias, 1e-5),
        2e-6,
    );
    let ours =
        Flex::token_norm_backward(input.clone(), weight.clone(), 1e-5, gradient.clone(), true);
    let theirs = defaults::layer_norm_backward::<Flex>(input, weight, 1e-5, gradient, true);
    assert_close(ours.input, theirs.input, 5e-6);
    for (ours, theirs) in ours
        .affine
        .into_iter()
        .flatten()
        .zip(theirs.affine.into_iter().flatten())
    {
        let rows = |vector: FloatTensor<Flex>| unwrap(wrap::<Flex, 1>(vector).unsqueeze::<2>());
        assert_close(rows(ours), rows(theirs), 2e-5);
    }
}

#[test]
fn dropout_equals_the_default_and_is_its_own_backward_pass() {
    let lengths = [4, 9];
    let dropout = noise(&lengths)
        .at(Site { layer: 2, place: 3 }, 0.25)
        .unwrap();
    let [input, gradient] = [9, 10].map(|seed| unwrap(random(seed, 13, WIDTH)));
    let output = Flex::token_dropout(input.clone(), &dropout);
    assert_eq!(
        values(output.clone()),
        values(defaults::dropout::<Flex>(input.clone(), &dropout))
    );

    let backward = values(Flex::token_dropout(gradient.clone(), &dropout));
    for (((input, output), gradient), backward) in values(input)
        .iter()
        .zip(values(output))
        .zip(values(gradient))
        .zip(backward)
    {
        let factor = if output == 0.0 { 0.0 } else { output / input };
        assert!((backward - gradient * factor).abs() < 1e-5);
    }
}

#[test]
fn a_text_attends_the_same_with_dropout_in_any_batch() {
    let lengths = [7, 11];
    let [query, key, value] = [11, 12, 13].map(|seed| random(seed, 18, WIDTH));
    let together = attention(
        query.clone(),
        key.clone(),
        value.clone(),
        &Ragged::new(Segments::new(&lengths), &FlexDevice),
        &options(&lengths, 0.3),
    );
    let second = |tensor: &Tensor<Flex, 2>| tensor.clone().slice(7..18);
    let keys = (0..11).map(|position| token_key(1, position)).collect();
    let alone = attention(
        second(&query),
        second(&key),
        second(&value),
        &Ragged::new(Segments::new(&[11]), &FlexDevice),
        &AttentionOptions {
            heads: HEADS,
            scale: 0.5,
            dropout: Noise::new(3, 9, Arc::new(keys)).at(Site { layer: 1, place: 1 }, 0.3),
        },
    );
    assert_close(unwrap(alone), unwrap(second(&together)), 1e-6);
}

const HALF: [(FloatDType, f32); 2] = [
    (FloatDType::BF16, 1.0 / 128.0),
    (FloatDType::F16, 1.0 / 1024.0),
];

fn cast(tensor: &FloatTensor<Flex>, format: FloatDType) -> FloatTensor<Flex> {
    Flex::float_cast(tensor.clone(), format)
}

/// Every operation, composed and the processor's own, in 16 bits against f32 on the same rounded operands.
#[test]
fn operations_in_16_bits_are_those_of_f32_rounded() {
    let lengths = [5, 1, 17];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let tokens = lengths.iter().sum();
    let options = options(&lengths, 0.3);
    let dropout = options.dropout.clone().unwrap();
    let [weight, bias] = [7, 8].map(|seed| unwrap(random(seed, 1, WIDTH).squeeze_dim::<1>(0)));
    for (format, unit) in HALF {
        let half = [1, 2, 3, 4].map(|seed| cast(&unwrap(random(seed, tokens, WIDTH)), format));
        let full = half.each_ref().map(|tensor| cast(tensor, FloatDType::F32));
        // Values are below 4, a few roundings each.
        let near = |actual: FloatTensor<Flex>, expected: FloatTensor<Flex>, roundings: f32| {
            assert_eq!(actual.dtype(), DType::from(format));
            assert_close(actual, expected, 4.0 * unit * roundings);
        };
        let [q, k, v, g] = &half;
        let [fq, fk, fv, fg] = &full;
        near(
            Flex::exact_gelu(q.clone()),
            Flex::exact_gelu(fq.clone()),
            1.0,
        );
        near(
            Flex::exact_gelu_backward(q.clone(), g.clone()),
            Flex::exact_gelu_backward(fq.clone(), fg.clone()),
            1.0,
        );
        near(
            Flex::token_dropout(q.clone(), &dropout),
            Flex::token_dropout(fq.clone(), &dropout),
            1.0,
        );
        near(
            Flex::token_norm(q.clone(), weight.clone(), bias.clone(), 1e-5),
            Flex::token_norm(fq.clone(), weight.clone(), bias.clone(), 1e-5),
            1.0,
        );
        let ours = Flex::token_norm_backward(q.clone(), weight.clone(), 1e-5, g.clone(), true);
        let theirs = Flex::token_norm_backward(fq.clone(), weight.clone(), 1e-5, fg.clone(), true);
        near(ours.input, theirs.input, 2.0);
        assert_eq!(ours.affine.unwrap()[0].dtype(), DType::F32);

        let expected =
            Flex::ragged_attention(fq.clone(), fk.clone(), fv.clone(), &ragged, &options);
        let own = Flex::ragged_attention(q.clone(), k.clone(), v.clone(), &ragged, &options);
        near(own, expected.clone(), 1.0);
        let composed =
            defaults::attention::<Flex>(q.clone(), k.clone(), v.clone(), &ragged, &options);
        near(composed, expected, 2.0);
        let expected = Flex::ragged_attention_backward(
            fq.clone(),
            fk.clone(),
            fv.clone(),
            fg.clone(),
            &ragged,
            &options,
        );
        let own = Flex::ragged_attention_backward(
            q.clone(),
            k.clone(),
            v.clone(),
            g.clone(),
            &ragged,
            &options,
        );
        let composed = defaults::attention_backward::<Flex>(
            q.clone(),
            k.clone(),
            v.clone(),
            g.clone(),
            &ragged,
            &options,
        );
        for ((own, composed), expected) in own.into_iter().zip(composed).zip(expected) {
            near(own, expected.clone(), 2.0);
            near(composed, expected, 8.0);
        }
    }
}

#[test]
fn scores_that_f16_cannot_hold_unscaled_do_not_break_attention() {
    let ragged = Ragged::<Flex>::new(Segments::new(&[3, 9]), &FlexDevice);
    let [query, key, value] = [1, 2, 3].map(|seed| unwrap(random(seed, 12, WIDTH) * 150.0));
    let options = AttentionOptions {
        heads: HEADS,
        scale: 1e-4,
        dropout: None,
    };
    let [q, k, v] = [&query, &key, &value].map(|tensor| cast(tensor, FloatDType::F16));
    let composed = values(defaults::attention::<Flex>(q, k, v, &ragged, &options));
    let expected = values(Flex::ragged_attention(query, key, value, &ragged, &options));
    for (actual, expected) in composed.iter().zip(expected) {
        assert!((actual - expected).abs() < 2.0, "{actual} {expected}");
    }
}
