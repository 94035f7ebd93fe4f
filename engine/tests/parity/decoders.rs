//! Decoders against transformers: logits, answers and what may be drawn.

mod drawing;
mod likelihoods;
mod rotary;
mod smollm2;

use burn::tensor::FloatDType;
use engine::decoder::{DecoderFiles, TokenDecoder, load};
use engine::device::Device;
use engine::generation::{
    Answer, Choice, GenerationObserver, GenerationOptions, Next, Request, Sampling, StopReason,
    Unwatched,
};
use engine::models::Source;
use engine::training::Control;

use crate::fixture::{Fixture, assert_close, assert_close_to_scale, path};

const CASES: [&str; 6] = [
    "qwen2",
    "qwen2-untied",
    "llama",
    "llama-biased",
    "phi3",
    "phi3-new",
];

/// The generator's.
const PENALTY: f64 = 1.3;
const NEW_TOKENS: usize = 64;

const GREEDY: Sampling = Sampling {
    repetition_penalty: 1.0,
    choice: Choice::Greedy,
};

fn decoder(folder: &std::path::Path, format: FloatDType) -> Box<dyn TokenDecoder> {
    let files = DecoderFiles::open(Source::Folder(folder)).unwrap();
    load(&files, format, Device::Cpu).unwrap()
}

/// What transformers computes for a prompt.
struct Expected {
    prompt: Vec<u32>,
    logits: Vec<f32>,
    last_in_f64: Vec<f32>,
    greedy: Vec<u32>,
    penalised: Vec<u32>,
}

/// A case's decoder and its prompts.
fn open(case: &str, format: FloatDType) -> (Box<dyn TokenDecoder>, Vec<Expected>) {
    let fixture = Fixture::read(&format!("decoders/{case}/expected.safetensors"));
    let expected: Vec<Expected> = (0..100)
        .take_while(|number| fixture.has(&format!("{number}.prompt")))
        .map(|number| Expected {
            prompt: tokens(&fixture, &format!("{number}.prompt")),
            logits: fixture.floats(&format!("{number}.logits")),
            last_in_f64: fixture.floats(&format!("{number}.last_in_f64")),
            greedy: tokens(&fixture, &format!("{number}.greedy")),
            penalised: tokens(&fixture, &format!("{number}.penalised")),
        })
        .collect();
    assert!(expected.len() > 2, "{case}");
    (
        decoder(&path(&format!("decoders/{case}")), format),
        expected,
    )
}

fn tokens(fixture: &Fixture, name: &str) -> Vec<u32> {
    let ids = fixture.integers(name).into_iter();
    ids.map(|id| u32::try_from(id).unwrap()).collect()
}

fn request(prompt: &[u32], max_new_tokens: usize, seed: u64) -> Request {
    Request {
        prompt: prompt.to_vec(),
        max_new_tokens,
        seed,
    }
}

fn options(sampling: Sampling, at_once: usize) -> GenerationOptions {
    GenerationOptions {
        sampling,
        end_tokens: Vec::new(),
        at_once,
        kept_tokens: 0,
    }
}

fn answers(
    decoder: &mut dyn TokenDecoder,
    requests: &[Request],
    options: &GenerationOptions,
) -> Vec<Answer> {
    let mut observer = Unwatched::default();
    decoder.generate(requests, options, &mut observer);
    assert!(observer.answers.keys().copied().eq(0..requests.len()));
    observer.answers.into_values().collect()
}

#[test]
fn logits_equal_transformers_at_every_position() {
    for case in CASES {
        let (mut decoder, expected) = open(case, FloatDType::F32);
        for Expected {
            prompt,
            logits,
            last_in_f64,
            ..
        } in expected
        {
            let what = format!("{case}, {} tokens", prompt.len());
            // The tolerance is several times what rounding in 32 bits alone does to the reference.
            let last = &logits[logits.len() - last_in_f64.len()..];
            assert_close(&format!("{what}, in f64"), last, &last_in_f64, 2e-5);
            assert_close(&what, &decoder.logits(&prompt), &logits, 1e-4);
        }
    }
}

#[test]
fn logits_in_16_bits_are_near_those_in_32() {
    let (_, expected) = open("qwen2", FloatDType::F32);
    for (format, tolerance) in [(FloatDType::F16, 3e-2), (FloatDType::BF16, 5e-2)] {
        let (mut decoder, _) = open("qwen2", format);
        for Expected { prompt, logits, .. } in &expected {
            let what = format!("{format:?}, {} tokens", prompt.len());
            assert_close_to_scale(&what, &decoder.logits(prompt), logits, tolerance);
        }
    }
}

#[test]
fn greedy_answers_are_transformers_whatever_is_answered_beside_them() {
    for case in CASES {
        let (mut decoder, expected) = open(case, FloatDType::F32);
        let penalised = Sampling {
            repetition_penalty: PENALTY,
            ..GREEDY
        };
        for (sampling, wanted) in [
            (
                GREEDY,
                expected.iter().map(|one| &one.greedy).collect::<Vec<_>>(),
            ),
            (
                penalised,
                expected.iter().map(|one| &one.penalised).collect(),
            ),
        ] {
            // The same prompt twice, and answers of other lengths beside the whole ones.
            let lengths = [NEW_TOKENS, 1, NEW_TOKENS, 30, NEW_TOKENS];
            let asked: Vec<(usize, usize)> = (0..expected.len()).cycle().zip(lengths).collect();
            let requests: Vec<Request> = asked
                .iter()
                .map(|&(one, length)| request(&expected[one].prompt, length, 0))
                .collect();
            for (at_once, kept_tokens) in [(1, 0), (1, 1000), (3, 0), (3, 1000), (16, 0)] {
                let options = GenerationOptions {
                    kept_tokens,
                    ..options(sampling, at_once)
                };
                let answers = answers(&mut *decoder, &requests, &options);
                for (answer, &(one, length)) in answers.iter().zip(&asked) {
                    let what = format!(
                        "{case}, {sampling:?}, prompt {one}, {at_once} at once, {kept_tokens} kept"
                    );
                    assert_eq!(answer.tokens, wanted[one][..length], "{what}");
                    assert_eq!(answer.stop, StopReason::Length, "{what}");
                }
            }
            for (one, wanted) in expected.iter().zip(&wanted) {
                let alone = [request(&one.prompt, NEW_TOKENS, 0)];
                let answers = answers(&mut *decoder, &alone, &options(sampling, 1));
                assert_eq!(&answers[0].tokens, *wanted, "{case}");
            }
        }
    }
}

#[test]
fn prompts_that_begin_alike_share_their_beginning_and_change_nothing() {
    let (mut decoder, expected) = open("qwen2", FloatDType::F32);
    let whole = &expected[2].prompt;
    // The last differs in the middle.
    let mut other = whole.clone();
    other[20] = if other[20] == 2 { 3 } else { 2 };
    let prompts = [whole.clone(), whole[..30].to_vec(), whole.clone(), other];
    let requests: Vec<Request> = prompts.iter().map(|prompt| request(prompt, 8, 0)).collect();
    let alone: Vec<Answer> = requests
        .iter()
        .flat_map(|one| {
            answers(
                &mut *decoder,
                std::slice::from_ref(one),
                &options(GREEDY, 1),
            )
        })
        .collect();
    let total: usize = prompts.iter().map(Vec::len).sum();
    for (at_once, kept_tokens) in [(1, 0), (1, 4096), (2, 4096), (4, 4096)] {
        let options = GenerationOptions {
            kept_tokens,
            ..options(GREEDY, at_once)
        };
        let mut observer = Unwatched::default();
        let speed = decoder.generate(&requests, &options, &mut observer);
        let together: Vec<Answer> = observer.answers.into_values().collect();
        assert_eq!(together, alone, "{at_once} at once, {kept_tokens} kept");
        assert_eq!(speed.read_tokens + speed.shared_tokens, total);
        assert_eq!(speed.written_tokens, 4 * 8);
    }
}

#[test]
fn an_end_token_ends_an_answer_and_is_not_part_of_it() {
    for case in ["qwen2", "phi3"] {
        let (mut decoder, expected) = open(case, FloatDType::F32);
        // Of all but one answer, so that the others must go on without it.
        let end = expected[0].greedy[9];
        let requests: Vec<Request> = expected
            .iter()
            .map(|one| request(&one.prompt, NEW_TOKENS, 0))
            .collect();
        for at_once in [1, 2, 3] {
            // One that the decoder does not know ends nothing.
            let options = GenerationOptions {
                end_tokens: vec![u32::MAX, end],
                ..options(GREEDY, at_once)
            };
            let answers = answers(&mut *decoder, &requests, &options);
            for (answer, one) in answers.iter().zip(&expected) {
                let wanted = match one.greedy.iter().position(|&token| token == end) {
                    Some(place) => Answer {
                        tokens: one.greedy[..place].to_vec(),
                        stop: StopReason::EndToken(end),
                    },
                    None => Answer {
                        tokens: one.greedy.clone(),
                        stop: StopReason::Length,
                    },
                };
                assert_eq!(answer, &wanted, "{case}, {at_once} at once");
            }
        }
    }
}

/// Ends every answer after a number of tokens.
struct Counting {
    seen: Vec<Vec<u32>>,
    allowed: usize,
    answers: Unwatched,
}

impl GenerationObserver for Counting {
    fn read(&mut self, _: usize) -> Control {
        Control::Continue
    }

    fn token(&mut self, request: usize, token: u32) -> Next {
        self.seen[request].push(token);
        if self.seen[request].len() < self.allowed {
            Next::GoOn
        } else {
            Next::End
        }
    }

    fn answered(&mut self, request: usize, answer: Answer) {
        self.answers.answered(request, answer);
    }
}

#[test]
fn an_observer_sees_every_token_and_may_end_an_answer_with_one() {
    let (mut decoder, expected) = open("llama", FloatDType::F32);
    let requests: Vec<Request> = expected
        .iter()
        .map(|one| request(&one.prompt, NEW_TOKENS, 0))
        .collect();
    let mut observer = Counting {
        seen: vec![Vec::new(); requests.len()],
        allowed: 7,
        answers: Unwatched::default(),
    };
    decoder.generate(&requests, &options(GREEDY, 2), &mut observer);
    for (number, one) in expected.iter().enumerate() {
        let answer = &observer.answers.answers[&number];
        assert_eq!(answer.tokens, one.greedy[..7]);
        assert_eq!(answer.stop, StopReason::Observer);
        assert_eq!(observer.seen[number], one.greedy[..7]);
    }
}

#[test]
fn a_weight_that_a_number_format_cannot_hold_is_named() {
    use engine::checkpoint::TensorFiles;
    use half::{bf16, f16};
    use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes: Vec<u8> = [1.0_f32, -70_000.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let view = TensorView::new(Dtype::F32, vec![1, 2], &bytes).unwrap();
    serialize_to_file([("w", view)], None, &path).unwrap();
    let files = TensorFiles::open(vec![path]).unwrap();
    let refused = files.read_in::<f16>("w").unwrap_err().to_string();
    assert!(refused.contains("`w` holds -70000 at [0, 1]"), "{refused}");
    let held = files.read_in::<bf16>("w").unwrap().unwrap();
    assert_eq!(held[0], bf16::ONE);
    assert!((held[1].to_f32() + 70_000.0).abs() < 300.0);
}
