//! The operations of decoders against loops over single numbers.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{FloatDType, Tensor, TensorData};
use engine::nn::in_format;
use engine::nn::ops::{
    BLOCK, CachedOptions, Contexts, Rows, Segments, cached_attention, gated_silu, keep, mix,
    rms_norm, turn, widened_product,
};

use crate::fixture::{assert_close_to_scale, values};
use crate::ready;

type Inner = <crate::B as AutodiffBackend>::InnerBackend;

/// Values without pattern between -2 and 2.
fn random(seed: u64, count: usize) -> Vec<f32> {
    let values = (0..count).map(|index| {
        #[allow(clippy::cast_precision_loss)]
        let share = (mix(seed ^ mix(index as u64)) >> 40) as f32 / 16_777_216.0;
        4.0 * share - 2.0
    });
    values.collect()
}

fn matrix(values: &[f32], width: usize) -> Tensor<Inner, 2> {
    let data = TensorData::new(values.to_vec(), [values.len() / width, width]);
    Tensor::from_data(data, &Default::default())
}

#[test]
fn rows_are_divided_by_their_root_mean_square() {
    if !ready() {
        return;
    }
    for width in [1, 7, 64, 100] {
        let (rows, weight) = (random(1, 5 * width), random(2, width));
        let weights = matrix(&weight, width).reshape([width]);
        let found = rms_norm(matrix(&rows, width), weights, 1e-3);
        #[allow(clippy::cast_precision_loss)]
        let expected: Vec<f32> = rows
            .chunks(width)
            .flat_map(|row| {
                let square = row.iter().map(|x| x * x).sum::<f32>() / width as f32;
                let scale = (square + 1e-3).sqrt().recip();
                row.iter()
                    .zip(&weight)
                    .map(move |(x, weight)| x * scale * weight)
            })
            .collect();
        assert_close_to_scale("rms norm", &values(found), &expected, 1e-6);
    }
}

#[test]
fn pairs_of_features_turn_by_their_angle_and_the_others_stay() {
    if !ready() {
        return;
    }
    let (tokens, heads) = (4, 3);
    for (size, angles) in [(8, 4), (10, 3), (96, 48)] {
        let input = random(3, tokens * heads * size);
        let by = random(4, tokens * angles);
        let [cosines, sines]: [Vec<f32>; 2] = [f32::cos, f32::sin].map(|function| {
            let angles = by.iter().map(|angle| function(*angle));
            angles.collect()
        });
        let tables = [&cosines, &sines].map(|table| matrix(table, angles));
        let found = turn(matrix(&input, heads * size), tables, size);
        let mut expected = input;
        for token in 0..tokens {
            for head in 0..heads {
                let first = (token * heads + head) * size;
                for pair in 0..angles {
                    let (one, other) = (expected[first + pair], expected[first + angles + pair]);
                    let (sine, cosine) = by[token * angles + pair].sin_cos();
                    expected[first + pair] = one * cosine - other * sine;
                    expected[first + angles + pair] = other * cosine + one * sine;
                }
            }
        }
        assert_close_to_scale("turned", &values(found), &expected, 1e-6);
    }
}

#[test]
fn gates_are_silu_at_both_ends() {
    if !ready() {
        return;
    }
    let mut gates = random(5, 96);
    gates[..6].copy_from_slice(&[-100.0, -88.5, -30.0, 0.0, 30.0, 100.0]);
    let input = random(6, 96);
    let found = gated_silu(matrix(&gates, 32), matrix(&input, 32));
    #[allow(clippy::cast_possible_truncation)]
    let expected: Vec<f32> = gates
        .iter()
        .zip(&input)
        .map(|(&gate, &input)| {
            let gate = f64::from(gate);
            (gate / (1.0 + (-gate).exp())) as f32 * input
        })
        .collect();
    assert_close_to_scale("gated", &values(found), &expected, 1e-6);
}

#[test]
fn products_widen_the_weights() {
    if !ready() {
        return;
    }
    for (rows, inputs, outputs) in [(1, 40, 70), (3, 33, 20), (40, 64, 600)] {
        let (input, weight) = (random(7, rows * inputs), random(8, outputs * inputs));
        for (format, tolerance) in [
            (FloatDType::F32, 1e-6),
            (FloatDType::BF16, 2e-2),
            (FloatDType::F16, 2e-3),
        ] {
            if !Inner::supports_dtype(&Default::default(), format.into()) {
                continue;
            }
            let stored = in_format(matrix(&weight, inputs), format);
            let kept = values(in_format(stored.clone(), FloatDType::F32));
            let expected: Vec<f32> = input
                .chunks(inputs)
                .flat_map(|row| {
                    kept.chunks(inputs)
                        .map(|weights| row.iter().zip(weights).map(|(a, b)| a * b).sum::<f32>())
                })
                .collect();
            for kind in [Rows::OfSeveralTexts, Rows::OfOneText] {
                let found = widened_product(matrix(&input, inputs), stored.clone(), kind);
                let what = format!("{rows} x {inputs} x {outputs} {format:?} {kind:?}");
                assert_close_to_scale(&what, &values(found), &expected, tolerance);
            }
        }
    }
}

/// Features of a head.
const SIZE: usize = 6;

#[test]
fn queries_attend_to_what_is_kept_of_their_own_text() {
    if !ready() {
        return;
    }
    let (heads, key_heads) = (4, 2);
    // Tokens of each text, and how many of them ask; one text asks with many.
    let texts = [(70, 1), (33, 33), (5, 2), (40, 3)];
    // Their blocks, in no order.
    let blocks: [&[usize]; 4] = [&[7, 0, 3], &[5, 2], &[4], &[1, 6]];
    let kinds = [Rows::OfSeveralTexts, Rows::OfOneText];
    for (window, rows_are) in [None, Some(4)]
        .into_iter()
        .flat_map(|window| kinds.map(|kind| (window, kind)))
    {
        let device = Default::default();
        let asked: Vec<usize> = texts.iter().map(|text| text.1).collect();
        let lengths: Vec<usize> = texts.iter().map(|text| text.0).collect();
        let rows: Vec<Vec<usize>> = blocks
            .iter()
            .map(|blocks| blocks.iter().map(|block| block * BLOCK).collect())
            .collect();
        // All tokens are kept first, then the last ones ask.
        let all = Contexts::new(
            Segments::new(&lengths),
            rows.clone(),
            lengths.clone(),
            &device,
        );
        let total: usize = lengths.iter().sum();
        let [keys, held] = [11, 12].map(|seed| random(seed, total * key_heads * SIZE));
        let stores = [&keys, &held].map(|kept| {
            let empty = Tensor::<Inner, 2>::zeros([8 * BLOCK, key_heads * SIZE], &device);
            keep(empty, matrix(kept, key_heads * SIZE), &all)
        });
        let contexts = Contexts::new(Segments::new(&asked), rows, lengths, &device);
        let count: usize = asked.iter().sum();
        let queries = random(13, count * heads * SIZE);
        let options = CachedOptions {
            heads,
            key_heads,
            scale: 0.4,
            window,
            rows: rows_are,
        };
        let found = cached_attention(matrix(&queries, heads * SIZE), stores, &contexts, &options);
        let mut expected = vec![0.0_f32; queries.len()];
        let (mut first_query, mut first_key) = (0, 0);
        for (length, asks) in texts {
            for query in 0..asks {
                let last = length - asks + query;
                let seen = window.map_or(0, |window: usize| (last + 1).saturating_sub(window));
                for head in 0..heads {
                    let part = |values: &[f32], token: usize, heads: usize, head: usize| {
                        values[(token * heads + head) * SIZE..][..SIZE].to_vec()
                    };
                    let asking = part(&queries, first_query + query, heads, head);
                    let kept = head / (heads / key_heads);
                    let weights: Vec<f32> = (seen..=last)
                        .map(|token| {
                            let key = part(&keys, first_key + token, key_heads, kept);
                            let score: f32 = asking.iter().zip(key).map(|(a, b)| a * b).sum();
                            (score * 0.4).exp()
                        })
                        .collect();
                    let sum: f32 = weights.iter().sum();
                    for (token, weight) in (seen..=last).zip(&weights) {
                        let value = part(&held, first_key + token, key_heads, kept);
                        let place = ((first_query + query) * heads + head) * SIZE;
                        for (out, value) in expected[place..][..SIZE].iter_mut().zip(value) {
                            *out += weight / sum * value;
                        }
                    }
                }
            }
            first_query += asks;
            first_key += length;
        }
        assert_close_to_scale(&format!("{window:?}"), &values(found), &expected, 2e-6);
    }
}
