//! The angles of positions, for all ways to write them into a `config.json`.

use engine::shapes::decoder::DecoderConfig;
use serde::Deserialize;
use serde_json::Value;

use crate::fixture::path;

#[derive(Deserialize)]
struct Case {
    config: Value,
    frequencies: Vec<f32>,
    scale: f32,
    long: Option<Long>,
}

#[derive(Deserialize)]
struct Long {
    beyond: usize,
    frequencies: Vec<f32>,
}

/// How far the worst of some frequencies is from transformers', by its own size.
fn distance(actual: &[f32], expected: &[f32]) -> f32 {
    if actual.len() != expected.len() {
        return f32::INFINITY;
    }
    let pairs = actual.iter().zip(expected);
    pairs.fold(0.0, |worst, (a, b)| worst.max((a - b).abs() / b))
}

#[test]
fn positions_have_transformers_angles_however_they_are_written() {
    let text = std::fs::read_to_string(path("decoders/rotary.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 30);
    let mut wrong = Vec::new();
    for case in cases {
        let config = case.config.to_string();
        let kind = case.config["model_type"].as_str().unwrap();
        let read = match DecoderConfig::read(&config, kind) {
            Ok(read) => read,
            Err(error) => {
                wrong.push(format!("{config}: {error}"));
                continue;
            }
        };
        let rotary = read.rotary();
        let long = match (&rotary.long, &case.long) {
            (None, None) => true,
            (Some(actual), Some(expected)) => {
                actual.beyond == expected.beyond
                    && distance(&actual.frequencies, &expected.frequencies) < 1e-6
            }
            _ => false,
        };
        if rotary.features != 2 * case.frequencies.len()
            || distance(&rotary.frequencies, &case.frequencies) >= 1e-6
            || (rotary.scale - case.scale).abs() >= 1e-6
            || !long
        {
            wrong.push(format!("{config}: {rotary:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
