//! A whole decoder: transformers' logits and greedy answers, side by side.

use burn::tensor::FloatDType;
use engine::generation::{Choice, GenerationOptions, LoadedDecoder, Request, Sampling, Unwatched};
use engine::models::{NetworkFiles, Source};
use engine::shapes::Role;

use crate::fixture::{Fixture, assert_close_to_scale, path};
use crate::{Accelerated, ready};

const NEW_TOKENS: usize = 6;

/// The likeliest token at each place, two answers side by side.
pub fn greedy() -> GenerationOptions {
    GenerationOptions {
        sampling: Sampling {
            repetition_penalty: 1.0,
            choice: Choice::Greedy,
        },
        end_tokens: Vec::new(),
        at_once: 2,
        kept_tokens: 0,
    }
}

#[test]
fn a_decoder_answers_as_on_the_processor() {
    if !ready() {
        return;
    }
    let case = "decoders/qwen2";
    let fixture = Fixture::read(&format!("{case}/expected.safetensors"));
    let folder = path(case);
    let files = NetworkFiles::open(Source::Folder(&folder), Role::Decoder, None, 0).unwrap();
    let tokens = |name: String| -> Vec<u32> {
        let ids = fixture.integers(&name).into_iter();
        ids.map(|id| u32::try_from(id).unwrap()).collect()
    };
    for (format, tolerance) in [(FloatDType::F32, 1e-4), (FloatDType::F16, 3e-2)] {
        let model = files.load_decoder::<Accelerated>(format, &Default::default());
        let mut decoder = LoadedDecoder::new(model.unwrap());
        let prompts = [0, 1].map(|number| tokens(format!("{number}.prompt")));
        let logits = decoder.logits(&prompts[0]);
        let what = format!("{format:?}");
        assert_close_to_scale(&what, &logits, &fixture.floats("0.logits"), tolerance);
        if format != FloatDType::F32 {
            continue;
        }
        let requests = prompts.map(|prompt| Request {
            prompt,
            max_new_tokens: NEW_TOKENS,
            seed: 0,
        });
        let mut observer = Unwatched::default();
        decoder.generate(&requests, &greedy(), &mut observer);
        for (number, answer) in observer.answers {
            let expected = tokens(format!("{number}.greedy"));
            assert_eq!(answer.tokens, expected[..NEW_TOKENS], "{number}");
        }
    }
}
