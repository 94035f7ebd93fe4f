//! The decoder of the quick start, as far as it goes without weights, and answers from a script.

use std::path::{Path, PathBuf};

use engine::generation::Choice;

use super::scripted::Scripted;
use super::*;
use crate::config::{Head, Origin};
use crate::runner::{Event, StopFlag};
use crate::tasks::watch::Progress;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A folder with the quick start's decoder, in which files may be changed.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        let source = repository().join("models/quickstart-decoder").join(name);
        std::fs::copy(source, folder.path().join(name)).unwrap();
    }
    folder
}

fn model(folder: &Path) -> Model {
    Model {
        origin: Origin::Random {
            config: folder.join("config.json"),
            seed: 0,
        },
        precision: Precision::Auto,
        dropout: None,
        head: Head::Stored,
    }
}

fn quickstart() -> Decoder {
    Decoder::open(&model(&repository().join("models/quickstart-decoder"))).unwrap()
}

fn prompt(format: PromptFormat) -> Prompt {
    Prompt {
        format,
        template: None,
        template_file: None,
        system: None,
        date: None,
    }
}

fn rows(drawing: &Drawing) -> Vec<String> {
    let rows = drawing.rows.iter();
    rows.map(|row| format!("{}={} {}", row.key, row.value, row.source))
        .collect()
}

#[test]
fn what_the_toml_leaves_open_comes_from_the_model_and_then_from_transformers() {
    let folder = copied();
    let open = || Decoder::open(&model(folder.path())).unwrap();
    let raw = |decoder: &Decoder, settings: &Generation| {
        decoder.drawing(settings, PromptFormat::Raw).unwrap()
    };
    // The study's call: what it does not say is the model's.
    let study = Generation {
        max_new_tokens: Some(250),
        temperature: Some(1.0),
        top_p: Some(0.9),
        ..Generation::default()
    };
    let drawing = raw(&open(), &study);
    assert_eq!(
        rows(&drawing),
        [
            "do_sample=true toml",
            "repetition_penalty=1.1 generation_config.json",
            "temperature=1 toml",
            "top_k=20 generation_config.json",
            "top_p=0.9 toml",
            "min_p=0 default",
            "max_new_tokens=250 toml",
            "eos_token_id=508 506 generation_config.json",
        ]
    );
    assert_eq!(drawing.end_tokens, [508, 506]);
    assert!(drawing.varies());
    let cold = Generation {
        temperature: Some(0.0),
        ..study
    };
    let drawing = raw(&open(), &cold);
    assert_eq!(drawing.sampling.choice, Choice::Greedy);
    // It also holds where nothing is drawn.
    assert!((drawing.sampling.repetition_penalty - 1.1).abs() < 1e-12);

    let nothing = Generation::default();
    std::fs::write(
        folder.path().join("generation_config.json"),
        r#"{"eos_token_id": 508, "do_sample": null}"#,
    )
    .unwrap();
    let drawing = raw(&open(), &nothing);
    assert_eq!(
        drawing.sampling.choice,
        Choice::Drawn {
            temperature: 0.7,
            top_k: Some(50),
            top_p: None,
            min_p: None
        }
    );
    assert!(rows(&drawing).contains(&"max_new_tokens=256 default".to_owned()));

    std::fs::write(
        folder.path().join("generation_config.json"),
        r#"{"do_sample": false, "temperature": 0.3, "max_length": 100, "num_beams": 4}"#,
    )
    .unwrap();
    let drawing = raw(&open(), &nothing);
    assert_eq!(drawing.sampling.choice, Choice::Greedy);
    assert_eq!(
        [10, 200].map(|tokens| drawing.max_new_tokens(tokens)),
        [90, 1]
    );
    assert!(
        drawing.notes[0].contains("num_beams"),
        "{:?}",
        drawing.notes
    );
    // Whoever asks for the likeliest five wants them drawn.
    let few = Generation {
        top_k: Some(5),
        ..Generation::default()
    };
    assert!(raw(&open(), &few).varies());

    std::fs::remove_file(folder.path().join("generation_config.json")).unwrap();
    let drawing = raw(&open(), &nothing);
    assert_eq!(drawing.end_tokens, [508]);
    assert!(rows(&drawing).contains(&"eos_token_id=508 config.json".to_owned()));
}

#[test]
fn settings_of_a_checkpoint_that_cannot_be_used_are_errors_with_their_file() {
    let folder = copied();
    for (text, said) in [
        ("[1]", "no table"),
        ("{", "copy the file"),
        (r#"{"temperature": "hot"}"#, "`temperature` is \"hot\""),
        (r#"{"top_k": -1}"#, "`top_k` is -1"),
        (r#"{"eos_token_id": ["x"]}"#, "`eos_token_id`"),
        (r#"{"do_sample": 1}"#, "`do_sample` is 1"),
        (r#"{"repetition_penalty": 0}"#, "`repetition_penalty`"),
    ] {
        std::fs::write(folder.path().join("generation_config.json"), text).unwrap();
        let error = Decoder::open(&model(folder.path()))
            .and_then(|decoder| decoder.drawing(&Generation::default(), PromptFormat::Raw))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("generation_config.json") && error.contains(said),
            "{error}"
        );
    }
}

#[test]
fn a_chat_is_written_by_the_checkpoints_template_and_not_marked_twice() {
    let decoder = quickstart();
    let chat = decoder.writer(&prompt(PromptFormat::Chat)).unwrap();
    let tokens = chat.tokens("Hi").unwrap();
    let text = decoder.tokenizer().decode(&tokens, true);
    assert_eq!(
        text,
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
    let own = Prompt {
        system: Some("Be brief.".into()),
        ..prompt(PromptFormat::Chat)
    };
    let tokens = decoder.writer(&own).unwrap().tokens("Hi").unwrap();
    let text = decoder.tokenizer().decode(&tokens, true);
    assert!(
        text.starts_with("<|im_start|>system\nBe brief.<|im_end|>"),
        "{text}"
    );
    // Spelled-out special tokens of a raw prompt are these tokens.
    let raw = decoder.writer(&prompt(PromptFormat::Raw)).unwrap();
    assert_eq!(raw.tokens(&text).unwrap(), tokens);
    assert_eq!(decoder.tokenizer().decode(&tokens[..1], false), "");
}

#[test]
fn a_checkpoint_without_chat_template_is_for_raw_prompts_only() {
    let folder = copied();
    let path = folder.path().join("tokenizer_config.json");
    std::fs::write(&path, r#"{"tokenizer_class": "Qwen2Tokenizer"}"#).unwrap();
    let decoder = Decoder::open(&model(folder.path())).unwrap();
    assert!(decoder.writer(&prompt(PromptFormat::Raw)).is_ok());
    let error = decoder.writer(&prompt(PromptFormat::Chat)).unwrap_err();
    assert!(error.to_string().contains("no chat template"), "{error}");
    // A file of its own counts before the key.
    std::fs::write(
        folder.path().join("chat_template.jinja"),
        "{{ messages[0].content }}!",
    )
    .unwrap();
    let decoder = Decoder::open(&model(folder.path())).unwrap();
    let chat = decoder.writer(&prompt(PromptFormat::Chat)).unwrap();
    let tokens = chat.tokens("Hi").unwrap();
    assert_eq!(decoder.tokenizer().decode(&tokens, true), "Hi!");
}

#[test]
fn the_settings_say_which_tokens_stand_around_a_raw_prompt() {
    let folder = copied();
    let path = folder.path().join("tokenizer_config.json");
    let text = |settings: &str| {
        std::fs::write(&path, settings).unwrap();
        let decoder = Decoder::open(&model(folder.path())).unwrap();
        let raw = decoder.writer(&prompt(PromptFormat::Raw)).unwrap();
        let tokens = raw.tokens("Hi").unwrap();
        decoder.tokenizer().decode(&tokens, true)
    };
    let tokens = r#""bos_token": "<|endoftext|>", "eos_token": "<|im_end|>""#;
    assert_eq!(text(&format!("{{{tokens}}}")), "Hi");
    assert_eq!(
        text(&format!(r#"{{{tokens}, "add_bos_token": true}}"#)),
        "<|endoftext|>Hi"
    );
    assert_eq!(
        text(&format!(
            r#"{{{tokens}, "add_bos_token": true, "add_eos_token": true}}"#
        )),
        "<|endoftext|>Hi<|im_end|>"
    );
}

#[test]
fn a_prompt_that_does_not_fit_is_an_error_with_both_numbers() {
    let decoder = quickstart();
    let settings = Generation {
        max_new_tokens: Some(45),
        ..Generation::default()
    };
    let drawing = decoder.drawing(&settings, PromptFormat::Raw).unwrap();
    let check = |tokens| {
        decoder.check_length(
            "the prompt of chunk 3",
            tokens,
            drawing.max_new_tokens(tokens),
        )
    };
    assert!(check(4096 - 45).is_ok());
    let error = check(4096 - 44).unwrap_err().to_string();
    for said in [
        "the prompt of chunk 3",
        "4052",
        "45",
        "4096",
        "max_new_tokens",
    ] {
        assert!(error.contains(said), "{error}");
    }
    assert!(check(usize::MAX).is_err());
    assert!(check(0).unwrap_err().to_string().contains("no tokens"));
}

#[test]
fn a_stream_tells_whole_characters_and_in_the_end_everything() {
    let decoder = quickstart();
    let tokenizer = decoder.tokenizer();
    for text in [
        "plain words",
        "ñandú 日本 👩‍👩‍👧 é",
        "\u{fffd} a\u{fffd}",
        " two  spaces ",
    ] {
        let tokens = tokenizer.encode(text, false).unwrap();
        let mut stream = crate::data::TextStream::default();
        let mut told = String::new();
        for &token in &tokens {
            let new = stream.push(tokenizer, token);
            assert!(
                tokenizer
                    .decode(&tokens, false)
                    .starts_with(&(told.clone() + &new))
            );
            told += &new;
        }
        told += &stream.finish(tokenizer);
        assert_eq!(told, tokenizer.decode(&tokens, false));
        assert_eq!(told, text);
    }
}

/// Answers two prompts with a script, in a folder that keeps them.
fn answered(
    folder: &Path,
    decoder: &Decoder,
    script: &mut Scripted,
    settings: &Generation,
    stop: &StopFlag,
    listener: Option<Listener<'_>>,
) -> Option<Vec<Answered>> {
    let drawing = decoder.drawing(settings, PromptFormat::Raw).unwrap();
    let mut events = |_: Event| {};
    let mut progress = Progress::new("x/base@1".into(), &mut events, stop);
    let mut kept = Kept::open(folder).unwrap();
    let mut answering = Answering {
        decoder: script,
        tokenizer: decoder.tokenizer(),
        drawing: &drawing,
        seed: 1,
        at_once: 2,
        kept: Some(&mut kept),
        progress: &mut progress,
        listener,
        pace: Pace::default(),
    };
    let asked: Vec<Asked> = [b'a', b'b']
        .into_iter()
        .enumerate()
        .map(|(number, letter)| Asked {
            number,
            attempt: 0,
            prompt: vec![u32::from(letter)],
        })
        .collect();
    answering.answer(&asked, 0, 2).unwrap()
}

fn script(decoder: &Decoder, answers: &[&str]) -> Scripted {
    let tokens = |text: &&str| decoder.tokenizer().encode(text, false).unwrap();
    Scripted {
        answers: answers.iter().map(tokens).collect(),
        ..Scripted::default()
    }
}

#[test]
fn answers_end_with_tokens_texts_or_their_length() {
    let decoder = quickstart();
    let folder = tempfile::tempdir().unwrap();
    let settings = Generation {
        stop: vec!["\n\n".into(), "Answer:".into()],
        ..Generation::default()
    };
    let mut script = script(
        &decoder,
        &["0,1,ñ Ans\nwer: Answer: 5", "0,1<|im_end|> and more"],
    );
    let mut told = [String::new(), String::new()];
    let listener = |place: usize, new: &str| told[place].push_str(new);
    let stop = StopFlag::new();
    let answers = answered(
        folder.path(),
        &decoder,
        &mut script,
        &settings,
        &stop,
        Some(Box::new(listener)),
    );
    let answers = answers.unwrap();
    assert_eq!(answers[0].text, "0,1,ñ Ans\nwer: ");
    assert_eq!(
        (answers[0].stop, answers[0].stop.word()),
        (Stop::Text(1), "stop_string")
    );
    assert_eq!(
        (answers[1].text.as_str(), answers[1].stop),
        ("0,1", Stop::EndToken(508))
    );
    assert_eq!(told, answers.map_texts());
    let seeds: Vec<u64> = script.asked.iter().map(|asked| asked.seed).collect();
    assert_eq!(seeds, [seed_of(1, 0, 0), seed_of(1, 1, 0)]);

    // Another sitting finds both, and asks nothing.
    let mut silent = Scripted::default();
    let again = answered(folder.path(), &decoder, &mut silent, &settings, &stop, None).unwrap();
    assert_eq!(again, answers);
    assert_eq!(silent.asked, []);
}

trait Texts {
    fn map_texts(&self) -> [String; 2];
}

impl Texts for Vec<Answered> {
    fn map_texts(&self) -> [String; 2] {
        [self[0].text.clone(), self[1].text.clone()]
    }
}

#[test]
fn what_is_stopped_midway_is_no_answer_and_what_is_complete_is_kept() {
    let decoder = quickstart();
    let folder = tempfile::tempdir().unwrap();
    let settings = Generation::default();
    let stop = StopFlag::new();
    let mut first = script(&decoder, &["one<|im_end|>", "two and more"]);
    let raised = stop.clone();
    let listener = move |place: usize, _: &str| {
        if place == 1 {
            raised.raise();
        }
    };
    let answers = answered(
        folder.path(),
        &decoder,
        &mut first,
        &settings,
        &stop,
        Some(Box::new(listener)),
    );
    assert_eq!(answers, None);
    let mut second = script(&decoder, &["two<|im_end|>"]);
    let go_on = StopFlag::new();
    let answers = answered(
        folder.path(),
        &decoder,
        &mut second,
        &settings,
        &go_on,
        None,
    );
    assert_eq!(answers.unwrap().map_texts(), ["one", "two"]);
    assert_eq!(second.asked.len(), 1);
}

#[test]
fn seeds_follow_run_prompt_and_attempt_alone() {
    let mut seeds = std::collections::BTreeSet::new();
    for run in [0, 1, 42] {
        for prompt in 0..20 {
            for attempt in 0..5 {
                assert!(seeds.insert(seed_of(run, prompt, attempt)));
                assert_eq!(seed_of(run, prompt, attempt), seed_of(run, prompt, attempt));
            }
        }
    }
}

#[test]
fn fewer_than_sixteen_bits_are_refused_in_words() {
    let mut model = model(Path::new("x"));
    assert_eq!(refusal("model", &model), None);
    model.precision = Precision::Nf4;
    let said = refusal("generator", &model).unwrap();
    assert!(said.starts_with("generator.precision is nf4"), "{said}");
}
