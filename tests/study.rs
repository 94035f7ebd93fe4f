//! The bundled experiments against the study that they reproduce: its ten LoRA attempts, and what each trains; its searches
//! with their decoders.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use engine::shapes::Shapes;
use ensayo::config::{
    self, Embedder, Environment, Generator, LoraSettings, Metric, Precision, PromptFormat,
    PromptSettings, Settings, SteamReviews,
};
use ensayo::grid::expand;

/// A machine on which the folders that the experiments name hold what these say.
struct Machine;

const DEBERTA: &str = r#"{"model_type": "deberta-v2", "vocab_size": 128100, "type_vocab_size": 0,
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu",
    "max_position_embeddings": 512, "position_biased_input": false, "relative_attention": true, "position_buckets": 256,
    "max_relative_positions": -1, "norm_rel_ebd": "layer_norm", "share_att_key": true, "pos_att_type": "p2c|c2p",
    "layer_norm_eps": 1e-7, "initializer_range": 0.02, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}"#;

const ROBERTA: &str = r#"{"model_type": "roberta", "vocab_size": 50265, "type_vocab_size": 1, "pad_token_id": 1,
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu",
    "max_position_embeddings": 514, "layer_norm_eps": 1e-5, "initializer_range": 0.02, "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1}"#;

const FILES: [(&str, &str); 7] = [
    ("/models/deberta/config.json", DEBERTA),
    ("/models/deberta/spm.model", ""),
    ("/models/deberta/pytorch_model.bin", ""),
    ("/models/roberta/config.json", ROBERTA),
    ("/models/roberta/tokenizer.json", ""),
    ("/models/roberta/model.safetensors", ""),
    ("/reviews.csv", ""),
];

impl Environment for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        panic!("no experiment of the study needs a variable, and one asks for {name}");
    }

    fn reviews(&self, reviews: &SteamReviews) -> Option<PathBuf> {
        assert_eq!((reviews.app, &*reviews.language), (322_170, "english"));
        assert_eq!((reviews.positive, reviews.negative), (10_000, 10_000));
        Some("/reviews.csv".into())
    }

    fn is_file(&self, path: &Path) -> bool {
        let is_there = |name| prompts().join(name).is_file();
        path.ends_with("data/manual_bash.txt")
            || is_prompt(path) && path.file_name().is_some_and(is_there)
            || FILES.iter().any(|(file, _)| path == Path::new(file))
    }

    fn is_folder(&self, path: &Path) -> bool {
        FILES
            .iter()
            .any(|(file, _)| Path::new(file).parent() == Some(path))
    }

    fn hub_model(&self, id: &str, revision: &str) -> Option<PathBuf> {
        let folder = match (id, revision) {
            ("microsoft/deberta-v3-base", "main") => "/models/deberta",
            ("FacebookAI/roberta-base", "main") => "/models/roberta",
            _ => return None,
        };
        Some(folder.into())
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        if let Some(name) = path.file_name().filter(|_| is_prompt(path)) {
            return std::fs::read_to_string(prompts().join(name));
        }
        let file = FILES.iter().find(|(file, _)| path == Path::new(file));
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The templates of this repository.
fn prompts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/prompts")
}

fn is_prompt(path: &Path) -> bool {
    path.starts_with("experiments/prompts")
}

/// The prompt of the searches.
const TEMPLATE: &str = "experiments/prompts/study-rag.txt";

/// The runs of an experiment of this repository, in order.
fn settings(experiment: &str) -> Vec<(String, Settings)> {
    // The first two are compared with each other, the last with both.
    let files = ["deberta-lora", "roberta-lora", "prompting"].map(|experiment| {
        let name = format!("experiments/{experiment}.toml");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        (name.into(), std::fs::read_to_string(path).unwrap())
    });
    let study = expand(config::read_all(&files, &[]), &Machine);
    assert!(study.problems.is_empty(), "{}", study.problems);
    let grid = study
        .grids
        .iter()
        .find(|grid| grid.experiment.name == experiment)
        .unwrap();
    let cells = grid.cells.iter();
    cells
        .map(|cell| (cell.name.clone(), cell.settings.clone()))
        .collect()
}

fn runs(experiment: &str) -> Vec<(String, LoraSettings)> {
    let runs = settings(experiment).into_iter();
    runs.map(|(name, settings)| match settings {
        Settings::Lora(settings) => (name, settings),
        _ => panic!("a LoRA run"),
    })
    .collect()
}

/// What the study prints of an attempt: rank, alpha, targets, epochs, trained parameters, their share in percent.
type Attempt = (usize, f64, &'static str, usize, u64, f64);

const ON_DEBERTA: [Attempt; 5] = [
    (8, 32.0, "query value", 2, 296_450, 0.160_744),
    (8, 32.0, "query key value", 3, 443_906, 0.240_699_02),
    (4, 16.0, "query key value", 3, 222_722, 0.120_766_49),
    (4, 32.0, "query key value", 3, 222_722, 0.120_766_49),
    (4, 32.0, "query value", 3, 148_994, 0.080_788_97),
];

const ON_ROBERTA: [Attempt; 5] = [
    (8, 32.0, "query value", 3, 887_042, 0.711_642_31),
    (8, 32.0, "query key value", 3, 1_034_498, 0.829_941_02),
    (4, 16.0, "query key value", 3, 813_314, 0.652_492_95),
    (4, 32.0, "query key value", 3, 813_314, 0.652_492_95),
    (4, 32.0, "query value", 3, 739_586, 0.593_343_6),
];

#[allow(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "parameters are fewer than 2^53; settings are written, not computed"
)]
fn assert_attempts(experiment: &str, config: &str, total: u64, attempts: &[Attempt; 5]) {
    let shapes = Shapes::read(config, 2).unwrap();
    assert_eq!(shapes.total_parameters(), total);
    let runs = runs(experiment);
    assert_eq!(runs.len(), attempts.len());
    for (number, ((name, settings), &attempt)) in runs.iter().zip(attempts).enumerate() {
        let (rank, alpha, targets, epochs, trainable, percent) = attempt;
        assert_eq!(name, &format!("attempt-{}", number + 1));
        let lora = &settings.lora;
        let found = (
            lora.rank,
            lora.alpha,
            lora.targets.join(" "),
            settings.training.epochs,
        );
        assert_eq!(found, (rank, alpha, targets.to_owned(), epochs), "{name}");
        assert_eq!(lora.dropout, 0.1);
        let limit = (number == 2).then_some(18_800);
        assert_eq!(settings.data.limit, limit, "{name}");
        assert_eq!(
            (settings.data.test_size, settings.data.split_seed),
            (Some(0.2), 42)
        );
        let trained = shapes.trainable_parameters(rank, &lora.targets).unwrap();
        assert_eq!(trained, trainable, "{name}");
        let share = 100.0 * trained as f64 / total as f64;
        // The study prints eight digits of some, six of others.
        assert!((share - percent).abs() < 1e-6, "{name}: {share}");
    }
}

#[test]
fn the_roberta_attempts_train_what_the_study_prints() {
    assert_attempts("roberta-lora", ROBERTA, 124_647_170, &ON_ROBERTA);
}

#[test]
fn the_deberta_attempts_train_what_the_study_prints() {
    assert_attempts("deberta-lora", DEBERTA, 184_423_682, &ON_DEBERTA);
}

#[test]
fn both_models_are_trained_and_judged_alike() {
    let (deberta, roberta) = (runs("deberta-lora"), runs("roberta-lora"));
    for ((name, of_deberta), (_, of_roberta)) in deberta.iter().zip(&roberta) {
        let mut training = of_deberta.training.clone();
        if name == "attempt-1" {
            training.epochs = 3;
        }
        assert_eq!(training, of_roberta.training, "{name}");
        assert_eq!(of_deberta.data, of_roberta.data, "{name}");
        let [custom] = &of_deberta.data.evaluations[..] else {
            panic!("one evaluation");
        };
        assert_eq!(custom.name, "custom");
        let labels = custom.rows.iter().flatten().map(|row| &row.label);
        let mut counts = BTreeMap::new();
        labels.for_each(|label| *counts.entry(label).or_insert(0) += 1);
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [2, 2]);
    }
    let defaults = config::Training::default();
    assert_eq!(roberta[0].1.training, defaults);
}

#[test]
fn the_decoder_is_prompted_as_the_study_says() {
    let runs = settings("prompting").into_iter();
    let runs: Vec<(String, PromptSettings)> = runs
        .map(|(name, settings)| match settings {
            Settings::Prompt(settings) => (name, settings),
            _ => panic!("a prompting run"),
        })
        .collect();
    let names: Vec<&str> = runs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["zero-shot", "few-shot", "few-shot-apart", "likelihood"]
    );
    let (_, deberta) = &self::runs("deberta-lora")[0];
    for (name, run) in &runs {
        assert_eq!(run.model.origin.to_string(), "Qwen/Qwen2.5-7B-Instruct");
        assert_eq!(run.model.precision, Precision::Auto);
        assert_eq!(run.prompt.format, PromptFormat::Raw, "{name}");
        // The rows are those of the LoRA runs, the first 60, all of them classified.
        assert_eq!(
            (&run.data.path, run.data.limit),
            (&deberta.data.path, Some(60))
        );
        assert_eq!((run.data.test_size, &run.data.test_path), (None, &None));
        assert_eq!(run.data.evaluations, deberta.data.evaluations);
        let generation = &run.generation;
        assert_eq!(
            (generation.max_new_tokens, generation.top_k),
            (Some(45), Some(10))
        );
        assert_eq!(
            (generation.temperature, generation.top_p),
            (Some(0.05), Some(0.8))
        );
        // The model's own stays in force.
        assert_eq!(generation.repetition_penalty, None);
        assert_eq!(run.classification.chunk_size, 15);
    }
    let examples = runs.iter().map(|(_, run)| {
        let asked = &run.classification;
        (asked.examples, asked.exclude_examples)
    });
    let examples: Vec<(usize, bool)> = examples.collect();
    assert_eq!(examples, [(0, false), (5, false), (5, true), (0, false)]);
}

/// What a pair of the study consists of: experiment, embedder, generator, its precision, searches.
type Pair = (
    &'static str,
    &'static str,
    &'static str,
    Precision,
    &'static [(&'static str, Searched)],
);

/// A search of the study: metric, words of a chunk, overlap, fragments.
type Searched = (Metric, usize, usize, usize);

const NORMAL: [(&str, Searched); 4] = [
    ("cosine-300", (Metric::Cosine, 300, 100, 10)),
    ("euclidean-300", (Metric::Euclidean, 300, 100, 10)),
    ("cosine-500", (Metric::Cosine, 500, 200, 20)),
    ("euclidean-500", (Metric::Euclidean, 500, 200, 20)),
];

const SPECIAL: [(&str, Searched); 2] = [
    ("cosine", (Metric::Cosine, 300, 100, 7)),
    ("euclidean", (Metric::Euclidean, 300, 100, 7)),
];

const QUESTIONS: [&str; 8] = [
    "¿Que es un interprete? ¿Cuales son sus funcionalidades basicas? Responde en menos de 50 palabras",
    "¿Para que sirve el comando `cd`? ¿Puedes poner un ejemplo? Responde en menos de 50 palabras",
    "¿Que hace el comando grep en Bash?",
    "¿Para que se utiliza awk en procesamiento de texto?",
    "¿Como funciona el comando sed para reemplazar cadenas?",
    "¿Cuales son las caracteristicas de BASH?",
    "¿Cual es la diferencia entre grep y awk?",
    "¿Para qué sirve el comando umask en Bash?",
];

#[test]
fn every_search_of_the_study_asks_its_decoder_all_its_questions() {
    let pairs: [Pair; 2] = [
        (
            "rag-normal",
            "sentence-transformers/paraphrase-multilingual-mpnet-base-v2",
            "Qwen/Qwen2.5-1.5B-Instruct",
            Precision::F16,
            &NORMAL,
        ),
        (
            "rag-special",
            "jinaai/jina-embeddings-v2-base-es",
            "microsoft/Phi-3.5-mini-instruct",
            Precision::Fp4,
            &SPECIAL,
        ),
    ];
    for (experiment, embedder, generator, precision, searches) in pairs {
        let name = format!("experiments/{experiment}.toml");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        let file = (name.into(), std::fs::read_to_string(path).unwrap());
        let study = expand(config::read_all(&[file], &[]), &Machine);
        assert!(study.problems.is_empty(), "{}", study.problems);
        for (run, searched) in searches {
            let cells = study.grids[0].cells.iter();
            let of = |name: &str| match cells.clone().find(|cell| cell.name == name) {
                Some(cell) => match &cell.settings {
                    Settings::Rag(settings) => settings.clone(),
                    _ => panic!("a search"),
                },
                None => panic!("no {experiment}/{name}"),
            };
            let decoded = of(run);
            let (Embedder::Model(found), Generator::Model(reader)) =
                (&decoded.embedder, &decoded.generator)
            else {
                panic!("two models")
            };
            assert_eq!(found.model.origin.to_string(), embedder);
            assert_eq!(reader.model.origin.to_string(), generator);
            assert_eq!(reader.model.precision, precision);
            let (chunks, retrieval) = (&decoded.chunks, &decoded.retrieval);
            let found = (
                retrieval.metric,
                chunks.size,
                chunks.overlap,
                retrieval.top_k,
            );
            assert_eq!(found, *searched, "{run}");
            let asked: Vec<&str> = decoded
                .questions
                .iter()
                .map(|question| question.text.as_str())
                .collect();
            assert_eq!(asked, QUESTIONS);
            let drawn = &decoded.generation;
            assert_eq!(
                (drawn.max_new_tokens, drawn.temperature, drawn.top_p),
                (Some(250), Some(1.0), Some(0.9))
            );
            assert_eq!((drawn.top_k, drawn.repetition_penalty), (None, None));
            // The same search stands without the decoder.
            let alone = of(&format!("{run}-retrieval"));
            assert!(matches!(alone.generator, Generator::Simple(_)));
            assert_eq!(
                (&alone.chunks, &alone.retrieval, &alone.embedder),
                (chunks, retrieval, &decoded.embedder)
            );
        }
    }
    let template = Machine.read(Path::new(TEMPLATE)).unwrap();
    for part in [
        "No encuentro esa información en los fragmentos",
        "[Contexto N]",
        "}}.- {{",
    ] {
        assert!(template.contains(part), "{part}");
    }
}

#[test]
fn every_run_that_a_manifest_names_is_one_of_its_experiment() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let experiments = config::load(&folder, &[]).unwrap().experiments;
    let studies = ensayo::study::load(&folder);
    assert!(studies.problems.is_empty(), "{}", studies.problems);
    assert_eq!(studies.studies.len(), 2);
    for study in studies.studies {
        for run in &study.manifest.runs {
            let (experiment, name) = run.parts();
            let known = experiments.iter().find(|known| known.name == experiment);
            let known = known.unwrap_or_else(|| panic!("no experiment `{experiment}`"));
            // Names of a grid's cells are made where it is laid out.
            let is_named = known.runs.iter().any(|known| known.name == name);
            assert!(is_named || !known.groups.is_empty(), "{}", run.run);
        }
    }
}
