//! What may be drawn, and what is.

use burn::tensor::FloatDType;
use engine::generation::{Answer, Choice, Request, Sampling, processed};
use serde::Deserialize;

use super::{answers, open, options, request, tokens};
use crate::fixture::{Fixture, path};

#[test]
fn what_is_drawn_depends_on_the_seed_alone() {
    let (mut decoder, expected) = open("llama-biased", FloatDType::F32);
    let drawn = |top_k| Sampling {
        repetition_penalty: 1.0,
        choice: Choice::Drawn {
            temperature: 1.5,
            top_k,
            top_p: Some(0.95),
            min_p: None,
        },
    };
    let requests: Vec<Request> = (0..6)
        .map(|seed| request(&expected[seed % 3].prompt, 40, seed as u64 / 3))
        .collect();
    let alone: Vec<Answer> = requests
        .iter()
        .flat_map(|one| {
            answers(
                &mut *decoder,
                std::slice::from_ref(one),
                &options(drawn(None), 1),
            )
        })
        .collect();
    for at_once in [1, 3, 6] {
        let together = answers(&mut *decoder, &requests, &options(drawn(None), at_once));
        assert_eq!(together, alone, "{at_once} at once");
    }
    for (one, other) in alone[..3].iter().zip(&alone[3..]) {
        assert_ne!(one, other, "another seed");
    }
    // Drawn from one token alone, it is the likeliest.
    let greedy = answers(&mut *decoder, &requests, &options(drawn(Some(1)), 3));
    for (number, answer) in greedy.iter().enumerate() {
        assert_eq!(answer.tokens, expected[number % 3].greedy[..40]);
    }
}

#[test]
fn what_may_be_drawn_is_what_transformers_leaves() {
    #[derive(Debug, Deserialize)]
    struct Case {
        repetition_penalty: f64,
        temperature: f64,
        top_k: Option<usize>,
        top_p: Option<f64>,
        min_p: Option<f64>,
        rows: Vec<usize>,
    }
    let text = std::fs::read_to_string(path("decoders/processors.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 30);
    let fixture = Fixture::read("decoders/processors.safetensors");
    let vocabulary = fixture.shape("logits")[1];
    let logits = fixture.floats("logits");
    for (number, case) in cases.iter().enumerate() {
        let sampling = Sampling {
            repetition_penalty: case.repetition_penalty,
            choice: Choice::Drawn {
                temperature: case.temperature,
                top_k: case.top_k,
                top_p: case.top_p,
                min_p: case.min_p,
            },
        };
        let scores = fixture.floats(&format!("{number}.scores"));
        for &row in &case.rows {
            let range = row * vocabulary..(row + 1) * vocabulary;
            let seen = tokens(&fixture, &format!("{row}.seen"));
            let actual = processed(&logits[range.clone()], &seen, &sampling);
            let expected: Vec<(u32, f32)> = (0..).zip(scores[range].iter().copied()).collect();
            let expected: Vec<(u32, f32)> = expected
                .into_iter()
                .filter(|&(_, score)| score > -1e29) // the generator's minus infinity
                .collect();
            let ids = |scores: &[(u32, f32)]| scores.iter().map(|one| one.0).collect::<Vec<_>>();
            assert_eq!(ids(&actual), ids(&expected), "row {row} of {case:?}");
            for ((_, actual), (token, expected)) in actual.iter().zip(&expected) {
                let distance = (actual - expected).abs() / expected.abs().max(1.0);
                assert!(
                    distance < 1e-6,
                    "row {row}, token {token} of {case:?}: {actual} {expected}"
                );
            }
        }
    }
}
