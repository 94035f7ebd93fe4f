//! Runs whose answers a decoder writes: the quick start's tokeniser, and answers from a script.

use std::cell::RefCell;

use engine::FloatDType;
use engine::decoder::{Continuations, TokenDecoder};
use engine::generation::{
    Answer, GenerationObserver, GenerationOptions, Next, Request, Speed, StopReason,
};

use super::*;
use crate::config::{Phrases, Prompt, PromptFormat};
use crate::record::GenerationRow;
use crate::tasks::decoder::Decoder;

const TEMPLATE: &str = "Cita como [Contexto N].\n{% for fragment in fragments %}{{ fragment.number }}.- {{ fragment.text }}\n{% endfor %}\nPregunta: {{ question }}\nRespuesta:";

/// What was asked, and what is answered to prompts that contain a text.
#[derive(Clone, Default)]
struct Script {
    answers: Rc<RefCell<Vec<(&'static str, &'static str)>>>,
    asked: Rc<RefCell<Vec<String>>>,
    at_once: Rc<Cell<usize>>,
    /// Answers after which a run is stopped.
    stop_after: Option<(usize, StopFlag)>,
}

/// A decoder that follows a script.
struct Scripted {
    script: Script,
    tokenizer: crate::data::DecoderTokenizer,
}

impl TokenDecoder for Scripted {
    fn generate(
        &mut self,
        requests: &[Request],
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Speed {
        self.script.at_once.set(options.at_once);
        for (place, request) in requests.iter().enumerate() {
            if let Some((after, stop)) = &self.script.stop_after
                && place == *after
            {
                stop.raise();
            }
            if observer.read(request.prompt.len()) == Control::Stop {
                break;
            }
            let prompt = self.tokenizer.decode(&request.prompt, true);
            let answers = self.script.answers.borrow();
            let answer = answers.iter().find(|(part, _)| prompt.contains(part));
            let text = answer.map_or("", |(_, text)| text);
            self.script.asked.borrow_mut().push(prompt);
            let (mut tokens, mut stop) = (Vec::new(), StopReason::EndToken(508));
            for token in self.tokenizer.encode(text, false).unwrap() {
                tokens.push(token);
                if observer.token(place, token) == Next::End {
                    stop = StopReason::Observer;
                    break;
                }
                if tokens.len() == request.max_new_tokens {
                    stop = StopReason::Length;
                    break;
                }
            }
            observer.answered(place, Answer { tokens, stop });
        }
        Speed::default()
    }

    fn likelihoods(
        &mut self,
        _: &[Continuations],
        _: &mut dyn FnMut(usize) -> Control,
    ) -> Option<Vec<Vec<f64>>> {
        None
    }

    fn logits(&mut self, _: &[u32]) -> Vec<f32> {
        Vec::new()
    }
}

fn quickstart() -> Model {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Model {
        origin: Origin::Random {
            config: root.join("models/quickstart-decoder/config.json"),
            seed: 0,
        },
        precision: Precision::F32,
        dropout: None,
        head: Head::Stored,
    }
}

fn settings(folder: &Folder) -> RagSettings {
    RagSettings {
        generator: Generator::Model(WithModel {
            model: quickstart(),
            own: Phrases::default(),
        }),
        generation: Generation {
            max_new_tokens: Some(60),
            ..Generation::default()
        },
        prompt: Some(Prompt {
            format: PromptFormat::Raw,
            template: Some(TEMPLATE.into()),
            template_file: None,
            system: None,
            date: None,
        }),
        ..folder.settings()
    }
}

fn execute(
    folder: &Folder,
    settings: &RagSettings,
    script: &Script,
    stop: &StopFlag,
) -> Result<Outcome, ExecuteError> {
    let place = folder.run_folder("x");
    fs::create_dir_all(&place).unwrap();
    let mut events = |_: Event| {};
    let mut context = Context {
        folder: &place,
        device: "cpu",
        events: &mut events,
        stop,
        halvings: 0,
    };
    let load = |files: &Decoder, format: FloatDType, _: Device| {
        assert_eq!(format, FloatDType::F32);
        let decoder: Box<dyn TokenDecoder> = Box::new(Scripted {
            script: script.clone(),
            tokenizer: files.tokenizer().clone(),
        });
        Ok(decoder)
    };
    let models = Models {
        open: &|| Err(ExecuteError::message("no embedder")),
        load: &load,
    };
    let spec = folder.spec("x", settings);
    execute_with(&spec, settings, &mut context, &models, Device::Cpu)
}

fn run(folder: &Folder, settings: &RagSettings, script: &Script) -> Outcome {
    execute(folder, settings, script, &StopFlag::new()).unwrap()
}

fn script(answers: &[(&'static str, &'static str)]) -> Script {
    let script = Script::default();
    answers.clone_into(&mut script.answers.borrow_mut());
    script
}

fn answers(folder: &Folder) -> Vec<AnswerRow> {
    read_rows(&folder.run_folder("x")).unwrap()
}

const ANSWERS: [(&str, &str); 2] = [
    (
        "fija umask",
        "La orden umask fija la máscara. [Contexto 0] [Contexto 77]",
    ),
    (
        "recorre listas",
        "No encuentro esa información en los fragmentos.",
    ),
];

#[test]
fn a_decoder_answers_from_the_fragments_and_its_answers_are_judged() {
    let folder = Folder::new(TEXT);
    let mut settings = settings(&folder);
    settings.questions[0].text = "¿Qué fija umask? En menos de 10 palabras".to_owned();
    settings.questions[0].answer = Some("umask fija la máscara".to_owned());
    let script = script(&ANSWERS);
    let outcome = run(&folder, &settings, &script);
    let prompts = script.asked.borrow();
    let first = prompts.iter().find(|prompt| prompt.contains("fija umask"));
    assert!(
        first
            .unwrap()
            .starts_with("Cita como [Contexto N].\n0.- La orden umask fija la máscara.\n"),
        "{prompts:?}"
    );
    assert!(prompts.is_sorted(), "prompts that begin alike lie together");
    let rows = answers(&folder);
    assert_eq!(rows[0].answer, ANSWERS[0].1);
    assert_eq!(
        (rows[0].words, rows[0].word_limit, rows[0].within_limit),
        (Some(6), Some(9), Some(true))
    );
    assert_eq!(
        (rows[0].cited.as_str(), rows[0].cited_in_context),
        ("0 77", Some(0.5))
    );
    assert_eq!(rows[0].stop.as_deref(), Some("end_token"));
    assert!(rows[0].new_tokens.unwrap() > 5 && rows[0].seconds.is_some());
    assert_eq!(rows[0].token_f1, Some(0.8));
    assert_eq!(
        (rows[1].abstained, rows[1].supported, rows[1].same_language),
        (Some(true), None, Some(true))
    );
    let near = |evaluation: &str, metric: &str, expected: f64| {
        let found = value(&outcome, evaluation, metric);
        assert!((found - expected).abs() < 1e-12, "{metric}: {found}");
    };
    near("questions", "abstained", 0.5);
    near("questions", "within_limit", 1.0);
    near("questions", "citations", 1.0);
    near("questions", "cited_in_context", 0.5);
    near("mascara", "token_f1", 0.8);
    near("listas", "fragments_left_out", 0.0);
    assert_eq!(outcome.environment.precision, "f32");
    let drawn: Vec<GenerationRow> = read_rows(&folder.run_folder("x")).unwrap();
    let penalty = drawn.iter().find(|row| row.key == "repetition_penalty");
    assert_eq!(penalty.unwrap().source, "generation_config.json");
    let booklet = folder.run_folder("x").join("respuestas_x.txt");
    let booklet = fs::read_to_string(booklet).unwrap();
    for part in [
        "== mascara\n¿Qué fija umask?",
        ANSWERS[0].1,
        "6 words of at most 9",
        "cites 0 77, not all of them given to it",
        "says that the fragments do not have it",
    ] {
        assert!(booklet.contains(part), "{part}: {booklet}");
    }
}

#[test]
fn a_prompt_that_is_too_long_fails_before_anything_is_answered_or_loses_its_last_fragments() {
    let sentence = "La orden umask fija la máscara y la orden cd cambia de carpeta. ";
    let folder = Folder::new(&sentence.repeat(400));
    let mut settings = settings(&folder);
    settings.chunks.size = 120;
    settings.retrieval.top_k = 30;
    settings.questions.truncate(1);
    let script = script(&ANSWERS);
    let error = execute(&folder, &settings, &script, &StopFlag::new()).unwrap_err();
    let error = error.to_string();
    for part in [
        "question `mascara`",
        "60",
        "4096",
        "retrieval.on_overflow = \"drop\"",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(script.asked.borrow().is_empty());
    settings.retrieval.on_overflow = Overflow::Drop;
    let outcome = run(&folder, &settings, &script);
    let left_out = value(&outcome, "mascara", "fragments_left_out");
    assert!(left_out > 0.5 && left_out < 29.5, "{left_out}");
    assert!(has_note(
        &outcome,
        &format!("{left_out:.0} of 30 fragments were left out")
    ));
    assert!(value(&outcome, "mascara", "prompt_tokens") <= 4096.0 - 60.0);
    // One fragment alone may be too long.
    settings.chunks.size = 3000;
    settings.chunks.strategy = ChunkStrategy::Words;
    settings.retrieval.top_k = 1;
    let error = execute(&folder, &settings, &script, &StopFlag::new()).unwrap_err();
    assert!(error.to_string().contains("question `mascara`"), "{error}");
}

#[test]
fn an_interrupted_run_goes_on_from_the_answers_that_are_there() {
    let folder = Folder::new(TEXT);
    let settings = settings(&folder);
    let stop = StopFlag::new();
    let first = Script {
        stop_after: Some((1, stop.clone())),
        ..script(&ANSWERS)
    };
    let outcome = execute(&folder, &settings, &first, &stop).unwrap();
    assert!(outcome.interrupted);
    assert_eq!(first.asked.borrow().len(), 1);
    let second = script(&ANSWERS);
    let outcome = run(&folder, &settings, &second);
    assert!(!outcome.interrupted);
    assert_eq!(second.asked.borrow().len(), 1);
    let rows = answers(&folder);
    assert_eq!(
        (&*rows[0].answer, &*rows[1].answer),
        (ANSWERS[0].1, ANSWERS[1].1)
    );
}

#[test]
fn an_answer_without_words_is_one_all_the_same() {
    let folder = Folder::new(TEXT);
    let outcome = run(&folder, &settings(&folder), &script(&[]));
    let rows = answers(&folder);
    assert_eq!((&*rows[0].answer, rows[0].new_tokens), ("", Some(0)));
    assert_eq!((rows[0].words, rows[0].supported), (Some(0), None));
    assert!(value(&outcome, "questions", "answer_words").abs() < 1e-12);
}

#[test]
fn extractive_answers_get_the_same_judgements() {
    let folder = Folder::new(TEXT);
    let outcome = folder.execute("x", &folder.settings(), 9, true).unwrap();
    let rows = answers(&folder);
    assert_eq!(rows[0].cited, "0");
    assert_eq!(
        (rows[0].supported, rows[0].cited_in_context),
        (Some(1.0), Some(1.0))
    );
    assert_eq!((rows[0].new_tokens, rows[0].stop.as_deref()), (None, None));
    assert!((value(&outcome, "questions", "supported") - 1.0).abs() < 1e-12);
    assert!(outcome.metrics.iter().all(|row| row.metric != "new_tokens"));
    let booklet = folder.run_folder("x").join("respuestas_x.txt");
    assert!(
        fs::read_to_string(booklet)
            .unwrap()
            .contains("[Contexto 0]")
    );
}

#[test]
fn new_questions_are_answered_while_a_listener_hears_them_in_order() {
    let folder = Folder::new(TEXT);
    let settings = settings(&folder);
    let script = script(&ANSWERS);
    let load = |files: &Decoder, _: FloatDType, _: Device| {
        let decoder: Box<dyn TokenDecoder> = Box::new(Scripted {
            script: script.clone(),
            tokenizer: files.tokenizer().clone(),
        });
        Ok(decoder)
    };
    let models = Models {
        open: &|| Err(ExecuteError::message("no embedder")),
        load: &load,
    };
    let questions = ["¿Qué recorre listas?", "¿Qué fija umask?"].map(str::to_owned);
    let spec = folder.spec("x", &settings);
    let mut heard: Vec<(usize, String)> = Vec::new();
    let mut listener = |place: usize, new: &str| match heard.last_mut() {
        Some((last, text)) if *last == place => text.push_str(new),
        _ => heard.push((place, new.to_owned())),
    };
    let place = (&spec, folder.root.path(), Device::Cpu);
    let asked = settings
        .search_again(&questions, place, &models, Some(&mut listener))
        .unwrap();
    assert_eq!(
        heard,
        [(0, ANSWERS[1].1.to_owned()), (1, ANSWERS[0].1.to_owned())]
    );
    assert_eq!(script.at_once.get(), 1);
    assert!(
        asked
            .iter()
            .all(|asked| asked.heard && !asked.fragments.is_empty())
    );
    assert_eq!(asked[1].answer.as_deref(), Some(ANSWERS[0].1));
    assert_eq!(asked[1].fragments[0].citation, "[Contexto 0]");
    let silent = settings
        .search_again(&questions, place, &models, None)
        .unwrap();
    assert!(!silent[0].heard && script.at_once.get() > 1);
    assert_eq!(silent[0].answer, asked[0].answer);
}

#[test]
fn decoders_in_too_few_bits_are_refused() {
    let folder = Folder::new(TEXT);
    let mut settings = settings(&folder);
    assert_eq!(settings.refusal(), None);
    let Generator::Model(table) = &mut settings.generator else {
        panic!("a model")
    };
    table.model.precision = Precision::Fp4;
    assert!(
        settings
            .refusal()
            .unwrap()
            .contains("generator.precision is fp4")
    );
}
