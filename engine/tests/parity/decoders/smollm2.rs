//! SmolLM2-135M-Instruct on real texts.

use std::path::PathBuf;

use burn::tensor::FloatDType;
use engine::generation::{GenerationOptions, Request, StopReason};

use super::{GREEDY, NEW_TOKENS, answers, decoder, options, request, tokens};
use crate::fixture::{Fixture, assert_close};

/// The checkpoint's folder, and the file that `decoders/smollm2.py` wrote; where one is not named, says
/// that the test is skipped.
#[allow(clippy::print_stderr, reason = "what a test has to say")]
fn real() -> Option<(PathBuf, Fixture)> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let folder = variable("ENSAYO_SMOLLM2");
    let Some((folder, expected)) = folder.zip(variable("ENSAYO_SMOLLM2_EXPECTED")) else {
        eprintln!("skipped: set ENSAYO_SMOLLM2 and ENSAYO_SMOLLM2_EXPECTED");
        return None;
    };
    let file = std::path::absolute(expected).unwrap();
    Some((folder, Fixture::read(file.to_str().unwrap())))
}

#[test]
fn smollm2_reads_and_answers_as_transformers_does() {
    let Some((folder, fixture)) = real() else {
        return;
    };
    let mut decoder = decoder(&folder, FloatDType::F32);
    let text = tokens(&fixture, "text");
    assert_close(
        "logits",
        &decoder.logits(&text),
        &fixture.floats("logits"),
        1e-3,
    );

    let prompts: Vec<Vec<u32>> = (0..20)
        .map(|number| tokens(&fixture, &format!("{number}.prompt")))
        .collect();
    let requests: Vec<Request> = prompts
        .iter()
        .map(|prompt| request(prompt, NEW_TOKENS, 0))
        .collect();
    for at_once in [1, 8] {
        let options = GenerationOptions {
            end_tokens: tokens(&fixture, "end_tokens"),
            kept_tokens: 4096,
            ..options(GREEDY, at_once)
        };
        let answers = answers(&mut *decoder, &requests, &options);
        for (number, answer) in answers.iter().enumerate() {
            let expected = tokens(&fixture, &format!("{number}.answer"));
            let what = format!("answer {number}, {at_once} at once");
            assert_eq!(answer.tokens, expected, "{what}");
            let whole = answer.stop == StopReason::Length;
            assert_eq!(whole, expected.len() == NEW_TOKENS, "{what}");
        }
    }
}
