//! Whole runs with the quick start's tokeniser and a decoder that answers from a script.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use engine::decoder::Continuations;
use engine::generation::{GenerationObserver, GenerationOptions, Request, Speed};
use engine::training::Control;

use super::*;
use crate::config::{
    ClassWord, Classification, Data, Generation, Head, Label, Model, Origin, Precision, Prompt,
    PromptFormat, Settings, SplitKind,
};
use crate::record::{AttemptRow, read_predictions, read_rows};
use crate::runner::{Event, StopFlag};
use crate::tasks::decoder::scripted::Scripted;

const TEMPLATE: &str = "{% for example in examples %}{{ example.text }}={{ example.label }}\n{% endfor %}\
    {% for review in reviews %}{{ review.number }}. {{ review }}\n{% endfor %}{{ count }} labels:";

struct Folder {
    root: tempfile::TempDir,
    script: Mutex<Scripted>,
}

impl Folder {
    /// Seven reviews, good and bad by turns, the first good.
    fn new(answers: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut csv = String::from("text,label\n");
        for row in 0..7 {
            let word = if row % 2 == 0 { "good" } else { "bad" };
            writeln!(csv, "{word} {row},{}", 1 - row % 2).unwrap();
        }
        fs::write(root.path().join("reviews.csv"), csv).unwrap();
        let folder = Self {
            root,
            script: Mutex::default(),
        };
        folder.answers(answers);
        folder
    }

    fn answers(&self, answers: &[&str]) {
        let decoder = Decoder::open(&model()).unwrap();
        let tokens = |text: &&str| decoder.tokenizer().encode(text, false).unwrap();
        let mut script = self.script.lock().unwrap();
        script.answers = answers.iter().map(tokens).collect();
        script.asked.clear();
    }

    fn settings(&self) -> PromptSettings {
        PromptSettings {
            model: model(),
            data: Data {
                path: self.root.path().join("reviews.csv"),
                steam: None,
                text: "text".into(),
                label: "label".into(),
                test_size: None,
                test_path: None,
                validation_size: None,
                split: SplitKind::Random,
                split_seed: 42,
                limit: None,
                deduplicate: false,
                evaluations: Vec::new(),
            },
            classification: Classification {
                chunk_size: 3,
                max_tries: 4,
                ..Classification::default()
            },
            generation: Generation {
                max_new_tokens: Some(40),
                ..Generation::default()
            },
            prompt: Prompt {
                format: PromptFormat::Raw,
                template: Some(TEMPLATE.into()),
                template_file: None,
                system: None,
                date: None,
            },
        }
    }

    fn spec(&self, settings: &PromptSettings) -> RunSpec {
        RunSpec {
            experiment: "x".into(),
            run: "base".into(),
            seed: 42,
            settings: Settings::Prompt(settings.clone()),
            folder: self.root.path().join("results/x/base/seed-42"),
            identity: "i".into(),
            identity_parts: BTreeMap::new(),
            format: "f32".into(),
            overrides: Vec::new(),
            axes: Vec::new(),
            seen: Vec::new(),
            source: None,
        }
    }

    fn work(&self) -> std::path::PathBuf {
        self.root.path().join("results/.work/i")
    }

    fn run(&self, settings: &PromptSettings) -> Result<Outcome, ExecuteError> {
        self.run_until(settings, &StopFlag::new())
    }

    fn run_until(
        &self,
        settings: &PromptSettings,
        stop: &StopFlag,
    ) -> Result<Outcome, ExecuteError> {
        let work = self.work();
        fs::create_dir_all(&work).unwrap();
        let mut events = |_: Event| {};
        let mut context = Context {
            folder: &work,
            device: "cpu",
            halvings: 0,
            events: &mut events,
            stop,
        };
        let taken = std::mem::take(&mut *self.script.lock().unwrap());
        let shared = std::sync::Arc::new(Mutex::new(taken));
        let load = |_: &Decoder, _: FloatDType, _: Device| {
            let shared: Box<dyn TokenDecoder> = Box::new(Shared(shared.clone()));
            Ok(shared)
        };
        let outcome = execute_with(&self.spec(settings), settings, &mut context, &load);
        *self.script.lock().unwrap() = std::mem::take(&mut *shared.lock().unwrap());
        outcome
    }

    fn predictions(&self) -> Vec<String> {
        let mut rows = Vec::new();
        read_predictions(&self.work(), |row| {
            rows.push(format!(
                "{} {} {}>{}",
                row.evaluation, row.row, row.label, row.prediction
            ));
        })
        .unwrap();
        rows
    }

    fn asked(&self) -> Vec<String> {
        let decoder = Decoder::open(&model()).unwrap();
        let script = self.script.lock().unwrap();
        let asked = script.asked.iter();
        asked
            .map(|request| decoder.tokenizer().decode(&request.prompt, true))
            .collect()
    }
}

struct Shared(std::sync::Arc<Mutex<Scripted>>);

impl TokenDecoder for Shared {
    fn generate(
        &mut self,
        requests: &[Request],
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Speed {
        self.0.lock().unwrap().generate(requests, options, observer)
    }

    fn likelihoods(
        &mut self,
        asked: &[Continuations],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Option<Vec<Vec<f64>>> {
        self.0.lock().unwrap().likelihoods(asked, advance)
    }

    fn logits(&mut self, prompt: &[u32]) -> Vec<f32> {
        self.0.lock().unwrap().logits(prompt)
    }
}

fn model() -> Model {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Model {
        origin: Origin::Random {
            config: root.join("models/quickstart-decoder/config.json"),
            seed: 0,
        },
        precision: Precision::Auto,
        dropout: None,
        head: Head::Stored,
    }
}

fn value(outcome: &Outcome, evaluation: &str, name: &str) -> f64 {
    let metrics = outcome.metrics.iter();
    let mut found = metrics.filter(|row| row.evaluation == evaluation && row.metric == name);
    found.next().unwrap_or_else(|| panic!("{name}")).value
}

#[test]
fn chunks_are_asked_again_until_an_answer_has_the_form() {
    // The first try answers three chunks, of which the second has two labels for three texts.
    let folder = Folder::new(&["1,0,1", "0,1", "So: 1 it is", "no idea", "0,1,0"]);
    let settings = folder.settings();
    let outcome = folder.run(&settings).unwrap();
    assert_eq!(
        folder.predictions(),
        [
            "test 0 1>1",
            "test 1 0>0",
            "test 2 1>1",
            "test 3 0>0",
            "test 4 1>1",
            "test 5 0>0",
            "test 6 1>1",
        ]
    );
    assert!((value(&outcome, "test", "accuracy") - 1.0).abs() < 1e-12);
    assert!((value(&outcome, "run", "tries") - 5.0).abs() < 1e-12);
    assert!(value(&outcome, "run", "failed_chunks").abs() < 1e-12);
    let attempts: Vec<AttemptRow> = read_rows(&folder.work()).unwrap();
    let attempts: Vec<String> = attempts
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {}",
                row.chunk, row.attempt, row.parsed, row.answer
            )
        })
        .collect();
    assert_eq!(
        attempts,
        [
            "0 1 true 1,0,1",
            "1 1 false 0,1",
            "1 2 false no idea",
            "1 3 true 0,1,0",
            "2 1 true So: 1 it is"
        ]
    );
    assert_eq!(
        folder.asked()[0],
        "1. good 0\n2. bad 1\n3. good 2\n3 labels:"
    );
    assert_eq!(folder.asked()[2], "1. good 6\n1 labels:");
    // Each try has a seed of its own.
    let script = folder.script.lock().unwrap();
    let seeds: std::collections::BTreeSet<u64> =
        script.asked.iter().map(|asked| asked.seed).collect();
    assert_eq!(seeds.len(), 5);
}

#[test]
fn a_chunk_that_never_parses_is_a_failure_of_its_rows_alone() {
    let folder = Folder::new(&["1,0,1", "x", "1", "y", "z", "w"]);
    let outcome = folder.run(&folder.settings()).unwrap();
    assert_eq!(
        folder.predictions()[3..6],
        ["test 3 0>", "test 4 1>", "test 5 0>"]
    );
    assert!((value(&outcome, "test", "rows") - 7.0).abs() < 1e-12);
    assert!((value(&outcome, "test", "accuracy") - 4.0 / 7.0).abs() < 1e-12);
    assert!((value(&outcome, "test", "unanswered_rows") - 3.0).abs() < 1e-12);
    assert!((value(&outcome, "run", "tries") - 6.0).abs() < 1e-12);
    assert!(
        outcome
            .notes
            .iter()
            .any(|note| note.contains("1 of 3 chunks"))
    );
    let reports: Vec<crate::record::ReportRow> = read_rows(&folder.work()).unwrap();
    let supports: u64 = reports.iter().take(2).map(|row| row.support).sum();
    assert_eq!(supports, 7);
}

#[test]
fn the_likeliest_answer_is_asked_for_once() {
    let folder = Folder::new(&["x"]);
    let mut settings = folder.settings();
    settings.generation.temperature = Some(0.0);
    let outcome = folder.run(&settings).unwrap();
    assert!((value(&outcome, "run", "tries") - 3.0).abs() < 1e-12);
    assert!((value(&outcome, "run", "failed_chunks") - 3.0).abs() < 1e-12);
}

#[test]
fn an_interrupted_run_goes_on_from_its_answers() {
    let folder = Folder::new(&["1,0,1"]);
    let settings = folder.settings();
    // What an earlier sitting left, without its last line.
    folder.answers(&["1,0,1", "0,1,0", "1"]);
    folder.run(&settings).unwrap();
    let path = folder.work().join(record::ANSWERED_FILE);
    let lines = fs::read_to_string(&path).unwrap();
    let two: Vec<&str> = lines.split_inclusive('\n').take(2).collect();
    fs::write(&path, two.concat()).unwrap();
    let whole = folder.predictions();
    folder.answers(&["1"]);
    let outcome = folder.run(&settings).unwrap();
    assert_eq!(folder.asked().len(), 1);
    assert_eq!(folder.predictions(), whole);
    assert!(!outcome.interrupted);

    let stop = StopFlag::new();
    stop.raise();
    fs::remove_file(&path).unwrap();
    assert!(folder.run_until(&settings, &stop).unwrap().interrupted);
}

#[test]
fn examples_are_shown_and_counted_or_left_out() {
    let folder = Folder::new(&["1,0,1", "0,1,0", "1"]);
    let mut settings = folder.settings();
    settings.classification.examples = 2;
    settings.classification.words = vec![
        ClassWord {
            class: Label::Integer(0),
            word: "no".into(),
        },
        ClassWord {
            class: Label::Integer(1),
            word: "yes".into(),
        },
    ];
    folder.answers(&["yes,no,yes", "no,yes,no", "yes"]);
    let outcome = folder.run(&settings).unwrap();
    assert!(folder.asked()[0].starts_with("good 0=yes\nbad 1=no\n1. good 0\n"));
    assert!(
        outcome
            .notes
            .iter()
            .any(|note| note.contains("2 of the 7 classified rows"))
    );
    assert!((value(&outcome, "run", "classified_examples") - 2.0).abs() < 1e-12);
    assert!((value(&outcome, "test", "accuracy") - 1.0).abs() < 1e-12);

    settings.classification.exclude_examples = true;
    settings.classification.words.clear();
    fs::remove_dir_all(folder.work()).unwrap();
    folder.answers(&["1,0,1", "0,1"]);
    let outcome = folder.run(&settings).unwrap();
    assert_eq!(folder.predictions()[0], "test 2 1>1");
    assert!((value(&outcome, "test", "rows") - 5.0).abs() < 1e-12);
    assert!(value(&outcome, "run", "classified_examples").abs() < 1e-12);

    settings.classification.examples = 0;
    settings.classification.example_rows = vec![6, 1];
    fs::remove_dir_all(folder.work()).unwrap();
    folder.answers(&["1,0,1", "0,1"]);
    folder.run(&settings).unwrap();
    assert!(folder.asked()[0].starts_with("good 6=1\nbad 1=0\n1. good 0\n2. good 2\n"));
}

#[test]
fn examples_of_a_split_come_from_its_training_rows() {
    let folder = Folder::new(&["1,1"]);
    let mut settings = folder.settings();
    settings.data.test_size = Some(0.4);
    settings.classification.examples = 3;
    let outcome = folder.run(&settings).unwrap();
    assert!(value(&outcome, "run", "classified_examples").abs() < 1e-12);
    assert!((value(&outcome, "test", "rows") - 3.0).abs() < 1e-12);
}

#[test]
fn likelihoods_give_classes_and_probabilities_and_cannot_fail() {
    let folder = Folder::new(&[]);
    let mut settings = folder.settings();
    settings.classification.mode = ClassificationMode::Likelihood;
    settings.prompt.template = Some("{{ review }}:".into());
    // The longer the prompt, the likelier is the first class.
    folder.script.lock().unwrap().likelihood = Some(|prompt, word| {
        let decoder = Decoder::open(&model()).unwrap();
        let said = decoder.tokenizer().decode(prompt, false);
        let word = decoder.tokenizer().decode(word, false);
        match (said.starts_with("good"), word.as_str()) {
            (true, "1") | (false, "0") => -1.0,
            _ => -3.0,
        }
    });
    let outcome = folder.run(&settings).unwrap();
    assert!((value(&outcome, "test", "accuracy") - 1.0).abs() < 1e-12);
    let loss = (1.0 + (-2.0_f64).exp()).ln();
    assert!((value(&outcome, "test", "loss") - loss).abs() < 1e-9);
    let csv = fs::read_to_string(folder.work().join("predictions.csv")).unwrap();
    assert!(
        csv.starts_with(
            "evaluation,row,label,prediction,probability_0,probability_1,text\ntest,0,1,1,0.119203,0.880797,good 0\n"
        ),
        "{csv}"
    );

    // What the decoder says of nothing is bad: taken away, the good ones are surer.
    settings.classification.calibration = true;
    fs::remove_dir_all(folder.work()).unwrap();
    let calibrated = folder.run(&settings).unwrap();
    let csv = fs::read_to_string(folder.work().join("predictions.csv")).unwrap();
    assert!(
        csv.contains("test,0,1,1,0.017986,0.982014,good 0\n"),
        "{csv}"
    );
    assert!((value(&calibrated, "run", "prompts") - 7.0).abs() < 1e-12);
}

#[test]
fn what_does_not_fit_is_said_before_anything_is_loaded() {
    let folder = Folder::new(&["1,0,1"]);
    let fault = |change: &dyn Fn(&mut PromptSettings)| {
        let mut settings = folder.settings();
        change(&mut settings);
        folder.run(&settings).unwrap_err().to_string()
    };
    let long = "word ".repeat(4100);
    let error = fault(&|settings| {
        settings.prompt.template = Some(format!("{long}{TEMPLATE}"));
    });
    for said in ["chunk 0 of `test`", "40", "4096"] {
        assert!(error.contains(said), "{error}");
    }
    let error = fault(&|settings| settings.classification.examples = 8);
    assert!(
        error.contains("is 8") && error.contains("7 rows"),
        "{error}"
    );
    let error = fault(&|settings| settings.classification.example_rows = vec![7]);
    assert!(error.contains("names row 7"), "{error}");
    let error = fault(&|settings| {
        settings.classification.examples = 7;
        settings.classification.exclude_examples = true;
    });
    assert!(error.contains("no row is left"), "{error}");
    let word = |class: i64, word: &str| ClassWord {
        class: Label::Integer(class),
        word: word.into(),
    };
    let error = fault(&|settings| settings.classification.words = vec![word(2, "x")]);
    assert!(error.contains("`2`") && error.contains("0, 1"), "{error}");
    let error = fault(&|settings| settings.classification.words = vec![word(1, "x")]);
    assert!(error.contains("no word for the class `0`"), "{error}");
    let error = fault(&|settings| settings.prompt.template = Some("{{ reviews[0].txt }}".into()));
    assert!(error.contains("line 1"), "{error}");
}

#[test]
fn prompts_are_shown_by_number_and_by_name() {
    let folder = Folder::new(&[]);
    let settings = folder.settings();
    let spec = folder.spec(&settings);
    let shown = |which| settings.prompts(&spec, which).unwrap();
    let first = shown(None);
    assert_eq!((first.len(), first[0].name.as_str()), (1, "test/0"));
    assert_eq!(first[0].text, "1. good 0\n2. bad 1\n3. good 2\n3 labels:");
    assert_eq!(
        (first[0].max_new_tokens, first[0].context_length),
        (40, 4096)
    );
    assert_eq!(shown(Some("2")), shown(Some("test/2")));
    let error = settings.prompts(&spec, Some("test/3")).unwrap_err();
    assert!(error.to_string().contains("no prompt `test/3`"), "{error}");
}
