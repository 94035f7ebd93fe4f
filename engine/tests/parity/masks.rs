//! Attention with as many queries and keys as a text may have of each, under every mask: values and
//! gradients against loops over single numbers.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use engine::nn::ops::{
    AttentionOptions, Mask, Noise, Ragged, Segments, Site, alone_with_gradients, attention, mix,
    token_key,
};

use crate::fixture::{assert_close_to_scale, values};
use crate::{B, ready};

const HEADS: usize = 2;
const SIZE: usize = 5;
const WIDTH: usize = HEADS * SIZE;
const SCALE: f32 = 0.4;

/// Queries and keys of each text: fewer, as many, one, and more than a cube has threads.
const LENGTHS: [(usize, usize); 5] = [(3, 7), (6, 6), (1, 9), (1, 1), (5, 300)];

/// Which keys a query sees, by another way than the operation's: key by key.
fn sees(mask: Mask, query: usize, queries: usize, key: usize, keys: usize) -> bool {
    let Mask::Causal { window } = mask else {
        return true;
    };
    // Counted from the text's end.
    let (query, key) = (queries - query, keys - key);
    key >= query && window.is_none_or(|window| key < query + window)
}

/// Values without pattern between -2 and 2.
fn random(seed: u64, tokens: usize) -> Vec<f32> {
    let values = (0..tokens * WIDTH).map(|index| {
        #[allow(clippy::cast_precision_loss)]
        let share = (mix(seed ^ mix(index as u64)) >> 40) as f32 / 16_777_216.0;
        4.0 * share - 2.0
    });
    values.collect()
}

fn matrix<T: Backend>(values: &[f32]) -> Tensor<T, 2> {
    let values = TensorData::new(values.to_vec(), [values.len() / WIDTH, WIDTH]);
    Tensor::from_data(values, &Default::default())
}

/// Rows of one head.
fn row(matrix: &[f32], token: usize, head: usize) -> &[f32] {
    &matrix[token * WIDTH + head * SIZE..][..SIZE]
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    products.sum()
}

/// Adds `factor * from` to one head's part of a token.
fn add(matrix: &mut [f64], token: usize, head: usize, factor: f64, from: &[f32]) {
    let row = &mut matrix[token * WIDTH + head * SIZE..][..SIZE];
    for (to, from) in row.iter_mut().zip(from) {
        *to += factor * f64::from(*from);
    }
}

/// The output and the gradients of queries, keys and values, for the output's gradient `above`.
fn expected([query, key, value, above]: [&[f32]; 4], mask: Mask) -> [Vec<f32>; 4] {
    let mut results = [query.len(), query.len(), key.len(), key.len()].map(|size| vec![0.0; size]);
    let [output, for_query, for_key, for_value] = &mut results;
    let (mut first_query, mut first_key) = (0, 0);
    for (queries, keys) in LENGTHS {
        for (position, head) in (0..queries).flat_map(|at| (0..HEADS).map(move |head| (at, head))) {
            let token = first_query + position;
            let seen: Vec<usize> = (0..keys)
                .filter(|&key| sees(mask, position, queries, key, keys))
                .map(|key| first_key + key)
                .collect();
            let asked = row(query, token, head);
            let above = row(above, token, head);
            let scores = seen
                .iter()
                .map(|&at| dot(asked, row(key, at, head)) * f64::from(SCALE));
            let weights: Vec<f64> = scores.map(f64::exp).collect();
            let total: f64 = weights.iter().sum();
            let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
            let slopes: Vec<f64> = seen
                .iter()
                .map(|&at| dot(above, row(value, at, head)))
                .collect();
            let mean: f64 = shares.iter().zip(&slopes).map(|(a, b)| a * b).sum();
            for ((&at, share), slope) in seen.iter().zip(&shares).zip(&slopes) {
                add(output, token, head, *share, row(value, at, head));
                add(for_value, at, head, *share, above);
                let score = share * (slope - mean) * f64::from(SCALE);
                add(for_query, token, head, score, row(key, at, head));
                add(for_key, at, head, score, asked);
            }
        }
        first_query += queries;
        first_key += keys;
    }
    #[allow(clippy::cast_possible_truncation)]
    results.map(|values| values.into_iter().map(|value| value as f32).collect())
}

fn texts() -> [Ragged<B>; 2] {
    let lengths = [
        LENGTHS.map(|(queries, _)| queries),
        LENGTHS.map(|(_, keys)| keys),
    ];
    lengths.map(|lengths| Ragged::new(Segments::new(&lengths), &Default::default()))
}

const MASKS: [Mask; 4] = [
    Mask::Full,
    Mask::Causal { window: None },
    Mask::Causal { window: Some(1) },
    Mask::Causal { window: Some(4) },
];

#[test]
fn masked_attention_with_unequal_lengths_equals_plain_loops() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    let texts = texts();
    let [asked, held] = texts.each_ref().map(|ragged| ragged.segments.tokens());
    let operands = [
        random(1, asked),
        random(2, held),
        random(3, held),
        random(4, asked),
    ];
    for mask in MASKS {
        let options = AttentionOptions {
            heads: HEADS,
            scale: SCALE,
            mask,
            dropout: None,
        };
        let [query, key, value] =
            [0, 1, 2].map(|index| matrix::<B>(&operands[index]).require_grad());
        let inputs = [query.clone(), key.clone(), value.clone()];
        let output = attention(query, key, value, texts.each_ref(), &options);
        let mut gradients = (output.clone() * matrix::<B>(&operands[3]))
            .sum()
            .backward();
        let gradients = inputs.map(|input| values(input.grad_remove(&mut gradients).unwrap()));
        let expected = expected(operands.each_ref().map(Vec::as_slice), mask);
        let actual = std::iter::once(values(output)).chain(gradients);
        for ((name, actual), expected) in ["output", "query", "key", "value"]
            .iter()
            .zip(actual)
            .zip(&expected)
        {
            assert_close_to_scale(&format!("{mask:?}: {name}"), &actual, expected, 1e-5);
        }
    }
}

/// The output for the tokens in `range` of one text, from those and all before them.
fn tail(range: Range<usize>, mask: Mask) -> Vec<f32> {
    let ragged = |count| Ragged::<B>::new(Segments::new(&[count]), &Default::default());
    let (queries, keys) = (ragged(range.len()), ragged(range.end));
    let operand = |seed| random(seed, range.end);
    let asked = operand(5).split_off(range.start * WIDTH);
    // A token's draws are its own, whichever tokens it is computed with.
    let draws = range.clone().map(|position| token_key(0, position));
    let noise = Noise::new(3, 9, Arc::new(draws.collect()));
    let options = AttentionOptions {
        heads: HEADS,
        scale: SCALE,
        mask,
        dropout: noise.at(Site { layer: 1, place: 1 }, 0.2),
    };
    let [key, value] = [6, 7].map(|seed| matrix(&operand(seed)));
    values(attention(
        matrix(&asked),
        key,
        value,
        [&queries, &keys],
        &options,
    ))
}

#[test]
fn a_causal_text_is_the_same_at_once_and_in_pieces() {
    if !ready() {
        return;
    }
    let masks = [None, Some(6)].map(|window| Mask::Causal { window });
    for mask in masks {
        let pieces = [0..4, 4..5, 5..40].map(|range| tail(range, mask)).concat();
        assert_close_to_scale(&format!("{mask:?}"), &pieces, &tail(0..40, mask), 2e-6);
    }
}
