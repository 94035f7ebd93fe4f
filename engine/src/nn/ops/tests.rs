//! The processor's operations against the defaults, which compute in the padded shape and serve
//! every other backend.

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
        mask: Mask::Full,
        dropout,
    }
}

#[test]
fn attention_over_ragged_rows_equals_the_padded_computation() {
    let lengths = [5, 1, 17, 40];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let texts = [&ragged; 2];
    let tokens = lengths.iter().sum();
    let [query, key, value, gradient] =
        [1, 2, 3, 4].map(|seed| unwrap(random(seed, tokens, WIDTH)));
    for probability in [0.0, 0.3] {
        let options = options(&lengths, probability);
        let ours =
            Flex::ragged_attention(query.clone(), key.clone(), value.clone(), texts, &options);
        let padded =
            defaults::attention::<Flex>(query.clone(), key.clone(), value.clone(), texts, &options);
        assert_close(ours, padded, 1e-6);
        let arguments = || (query.clone(), key.clone(), value.clone(), gradient.clone());
        let (q, k, v, g) = arguments();
        let ours = Flex::ragged_attention_backward(q, k, v, g, texts, &options);
        let (q, k, v, g) = arguments();
        let padded = defaults::attention_backward::<Flex>(q, k, v, g, texts, &options);
        for (ours, padded) in ours.into_iter().zip(padded) {
            assert_close(ours, padded, 5e-6);
        }
    }
}

#[test]
fn masked_attention_over_ragged_rows_equals_the_padded_computation() {
    let ragged = |lengths: &[usize]| Ragged::<Flex>::new(Segments::new(lengths), &FlexDevice);
    let asked = [5, 1, 3, 0, 40];
    let (queries, keys) = (ragged(&asked), ragged(&[5, 17, 9, 2, 50]));
    let random = |seed, rows| unwrap::<Flex, 2>(random(seed, rows, WIDTH));
    let [query, gradient] = [1, 4].map(|seed| random(seed, 49));
    let [key, value] = [2, 3].map(|seed| random(seed, 83));
    for (window, probability) in [(None, 0.0), (None, 0.3), (Some(1), 0.0), (Some(7), 0.3)] {
        let options = AttentionOptions {
            mask: Mask::Causal { window },
            ..options(&asked, probability)
        };
        let operands = || (query.clone(), key.clone(), value.clone());
        let texts = [&queries, &keys];
        let (q, k, v) = operands();
        let ours = Flex::ragged_attention(q, k, v, texts, &options);
        let (q, k, v) = operands();
        let padded = defaults::attention::<Flex>(q, k, v, texts, &options);
        assert_close(ours, padded, 1e-6);
        let (q, k, v) = operands();
        let ours = Flex::ragged_attention_backward(q, k, v, gradient.clone(), texts, &options);
        let (q, k, v) = operands();
        let padded =
            defaults::attention_backward::<Flex>(q, k, v, gradient.clone(), texts, &options);
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
        [&Ragged::new(Segments::new(&lengths), &FlexDevice); 2],
        &options(&lengths, 0.3),
    );
    let second = |tensor: &Tensor<Flex, 2>| tensor.clone().slice(7..18);
    let keys = (0..11).map(|position| token_key(1, position)).collect();
    let alone = attention(
        second(&query),
        second(&key),
        second(&value),
        [&Ragged::new(Segments::new(&[11]), &FlexDevice); 2],
        &AttentionOptions {
            heads: HEADS,
            scale: 0.5,
            mask: Mask::Full,
            dropout: Noise::new(3, 9, Arc::new(keys)).at(Site { layer: 1, place: 1 }, 0.3),
        },
    );
    assert_close(unwrap(alone), unwrap(second(&together)), 1e-6);
}

#[test]
fn disentangled_attention_over_ragged_rows_equals_the_padded_computation() {
    let lengths = [5, 1, 17, 0, 40];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let tokens = lengths.iter().sum();
    // Distances beyond 10 share the last row of each side, and the first two rows belong to no
    // distance.
    let distances: Vec<usize> = (-39_isize..=39)
        .map(|distance| (distance.clamp(-10, 10) + 12).unsigned_abs())
        .collect();
    let random = |seed, rows| unwrap::<Flex, 2>(random(seed, rows, WIDTH));
    let gradient = random(26, tokens);
    for (probability, with_key, with_query) in [
        (0.0, true, true),
        (0.3, true, true),
        (0.0, true, false),
        (0.0, false, true),
    ] {
        let operands = Disentangled {
            query: random(21, tokens),
            key: random(22, tokens),
            value: random(23, tokens),
            position_key: with_key.then(|| random(24, 23)),
            position_query: with_query.then(|| random(25, 23)),
        };
        let options = DisentangledOptions {
            attention: options(&lengths, probability),
            distances: Distances::new(distances.clone()),
        };
        assert_close(
            Flex::disentangled_attention(operands.clone(), &ragged, &options),
            disentangled::attention::<Flex>(operands.clone(), &ragged, &options),
            2e-6,
        );
        let wanted = Wanted {
            position_key: with_key,
            position_query: true,
        };
        let arguments = || (operands.clone(), gradient.clone(), wanted);
        let (o, g, w) = arguments();
        let ours = Flex::disentangled_attention_backward(o, g, w, &ragged, &options);
        let (o, g, w) = arguments();
        let padded = disentangled::backward::<Flex>(o, g, w, &ragged, &options);
        assert_close(ours.query, padded.query, 1e-5);
        assert_close(ours.key, padded.key, 1e-5);
        assert_close(ours.value, padded.value, 1e-5);
        for (ours, padded, there) in [
            (ours.position_key, padded.position_key, with_key),
            (ours.position_query, padded.position_query, with_query),
        ] {
            assert_eq!((ours.is_some(), padded.is_some()), (there, there));
            if let (Some(ours), Some(padded)) = (ours, padded) {
                assert_close(ours, padded, 3e-5);
            }
        }
    }
}

#[test]
fn disentangled_attention_is_the_same_with_any_number_of_threads() {
    let lengths = [30, 7];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let random = |seed, rows| unwrap::<Flex, 2>(random(seed, rows, WIDTH));
    let operands = Disentangled {
        query: random(31, 37),
        key: random(32, 37),
        value: random(33, 37),
        position_key: Some(random(34, 59)),
        position_query: Some(random(35, 59)),
    };
    let options = DisentangledOptions {
        attention: options(&lengths, 0.2),
        distances: Distances::new((0..59).collect()),
    };
    let wanted = Wanted {
        position_key: true,
        position_query: true,
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let output = Flex::disentangled_attention(operands.clone(), &ragged, &options);
            let gradients = Flex::disentangled_attention_backward(
                operands.clone(),
                random(36, 37),
                wanted,
                &ragged,
                &options,
            );
            let tables = [gradients.position_key, gradients.position_query];
            let all = [output, gradients.query, gradients.key, gradients.value];
            let all = all.into_iter().chain(tables.into_iter().flatten());
            all.map(values).collect::<Vec<_>>()
        })
    };
    assert_eq!(with(1), with(5));
}

const HALF: [(FloatDType, f32); 2] = [
    (FloatDType::BF16, 1.0 / 128.0),
    (FloatDType::F16, 1.0 / 1024.0),
];

fn cast(tensor: &FloatTensor<Flex>, format: FloatDType) -> FloatTensor<Flex> {
    Flex::float_cast(tensor.clone(), format)
}

/// Every operation, composed and the processor's own, in 16 bits against f32 on the same rounded
/// operands.
#[test]
fn operations_in_16_bits_are_those_of_f32_rounded() {
    let lengths = [5, 1, 17];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let texts = [&ragged; 2];
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

        let expected = Flex::ragged_attention(fq.clone(), fk.clone(), fv.clone(), texts, &options);
        let own = Flex::ragged_attention(q.clone(), k.clone(), v.clone(), texts, &options);
        near(own, expected.clone(), 1.0);
        let composed =
            defaults::attention::<Flex>(q.clone(), k.clone(), v.clone(), texts, &options);
        near(composed, expected, 2.0);
        let expected = Flex::ragged_attention_backward(
            fq.clone(),
            fk.clone(),
            fv.clone(),
            fg.clone(),
            texts,
            &options,
        );
        let own = Flex::ragged_attention_backward(
            q.clone(),
            k.clone(),
            v.clone(),
            g.clone(),
            texts,
            &options,
        );
        let composed = defaults::attention_backward::<Flex>(
            q.clone(),
            k.clone(),
            v.clone(),
            g.clone(),
            texts,
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
    let texts = [&ragged; 2];
    let [query, key, value] = [1, 2, 3].map(|seed| unwrap(random(seed, 12, WIDTH) * 150.0));
    let options = AttentionOptions {
        heads: HEADS,
        scale: 1e-4,
        mask: Mask::Full,
        dropout: None,
    };
    let [q, k, v] = [&query, &key, &value].map(|tensor| cast(tensor, FloatDType::F16));
    let composed = values(defaults::attention::<Flex>(q, k, v, texts, &options));
    let expected = values(Flex::ragged_attention(query, key, value, texts, &options));
    for (actual, expected) in composed.iter().zip(expected) {
        assert!((actual - expected).abs() < 2.0, "{actual} {expected}");
    }
}

#[test]
fn biased_attention_over_ragged_rows_equals_the_padded_computation() {
    let lengths = [5, 1, 17, 40];
    let ragged = Ragged::<Flex>::new(Segments::new(&lengths), &FlexDevice);
    let [query, key, value] =
        [1, 2, 3].map(|seed| unwrap(random(seed, lengths.iter().sum(), WIDTH)));
    let options = options(&lengths, 0.0);
    #[allow(clippy::cast_precision_loss)]
    let steep = RelativeBias::new(HEADS, 50, |head, distance| {
        (head as f32 - 0.5) * distance as f32 * 0.1
    });
    let flat = RelativeBias::new(HEADS, 50, |_, _| 0.0);
    let operands = || (query.clone(), key.clone(), value.clone());
    let attend = |bias: &RelativeBias| {
        let (q, k, v) = operands();
        Flex::biased_attention(q, k, v, &ragged, bias, &options)
    };
    let (q, k, v) = operands();
    let padded = biased::attention::<Flex>(q, k, v, &ragged, &steep, &options);
    assert_close(attend(&steep), padded, 1e-6);
    assert_ne!(values(attend(&steep)), values(attend(&flat)));
    let (q, k, v) = operands();
    let without = Flex::ragged_attention(q, k, v, [&ragged; 2], &options);
    assert_close(attend(&flat), without, 1e-6);
}
