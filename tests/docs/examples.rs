//! Experiments that pages show, whole or in part.

use std::io;
use std::path::{Path, PathBuf};

use ensayo::config::{self, Environment, Look, Problems, SteamReviews};
use ensayo::grid::expand;
use ensayo::study::Manifest;
use toml::{Table, Value};

use crate::page::{Page, root};

/// A machine that has every file, so that nothing but the experiments can be wrong.
struct Everything;

const BERT: &str = r#"{"model_type": "bert", "hidden_size": 768, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 512, "vocab_size": 120}"#;
const ADAPTER: &str = r#"{"peft_type": "LORA", "r": 8, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": ["query", "value"], "bias": "none"}"#;

impl Environment for Everything {
    fn variable(&self, _name: &str) -> Option<String> {
        Some("/somewhere".to_owned())
    }

    fn is_file(&self, _path: &Path) -> bool {
        true
    }

    fn is_folder(&self, _path: &Path) -> bool {
        true
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.as_ref() {
            "config.json" => Ok(BERT.to_owned()),
            "adapter_config.json" => Ok(ADAPTER.to_owned()),
            _ => std::fs::read_to_string(root().join(path)),
        }
    }

    fn reviews(&self, _reviews: &SteamReviews) -> Option<PathBuf> {
        Some("reviews.csv".into())
    }
}

/// What parts of an experiment are laid over, one of each kind.
const WHOLE: [&str; 4] = [
    r#"
    kind = "lora"
    model.path = "model"
    data.path = "data.csv"
    lora.targets = ["query"]
    "#,
    r#"
    kind = "prompt"
    model.path = "model"
    data.path = "data.csv"
    prompt.template_file = "prompts/reviews.txt"
    classification.chunk_size = 5
    "#,
    r#"
    kind = "rag"
    document.path = "text.txt"
    chunks.size = 100
    embedder.kind = "bm25"
    generator.kind = "none"
    prompt.template_file = "prompts/study-rag.txt"
    questions = [{ id = "a", text = "b" }]
    "#,
    r#"
    kind = "model-search"
    search.task = "fill-mask"
    "#,
];

/// What is wrong with an experiment; nothing where it is sound.
fn fault(experiment: &Table) -> Option<String> {
    let name = experiment
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("example");
    let mut experiment = experiment.clone();
    experiment.insert("name".to_owned(), name.into());
    if let Some(compare) = experiment.get_mut("compare").and_then(Value::as_table_mut) {
        compare.insert("experiments".to_owned(), vec!["other"].into());
    }
    let text = toml::to_string(&experiment).unwrap();
    let other = format!("name = \"other\"\n{}", WHOLE[0]);
    let files = [
        (PathBuf::from(format!("experiments/{name}.toml")), text),
        (PathBuf::from("experiments/other.toml"), other),
    ];
    let study = expand(config::read_all(&files, &[]), &Everything);
    let is_sound = study.problems.iter().next().is_none();
    (!is_sound).then(|| study.problems.render(Look::Plain, 100))
}

/// What is wrong with a study's manifest; nothing where it is sound.
fn fault_of_study(text: &str) -> Option<String> {
    let mut problems = Problems::default();
    let read = config::read_strict::<Manifest>(Path::new("mine.toml"), text, &mut problems);
    read.is_none().then(|| problems.to_string())
}

fn laid(part: &Table, base: &Table, is_deep: bool) -> Table {
    let mut whole = base.clone();
    for (key, value) in part {
        match (whole.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if is_deep => {
                *below = laid(above, below, true);
            }
            _ => {
                whole.insert(key.clone(), value.clone());
            }
        }
    }
    whole
}

#[test]
fn every_experiment_on_a_page_is_sound() {
    let mut count = 0;
    let mut faults = Vec::new();
    for page in Page::all() {
        for block in page
            .blocks()
            .iter()
            .filter(|block| block.language == "toml")
        {
            count += 1;
            let place = format!("{}:{}", page.path.display(), block.line);
            let table: Table = match block.text.parse() {
                Ok(table) => table,
                Err(error) => {
                    faults.push(format!("{place}: {error}"));
                    continue;
                }
            };
            // Manifests of studies are not experiments.
            if table.contains_key("figures") {
                faults.extend(fault_of_study(&block.text).map(|fault| format!("{place}: {fault}")));
                continue;
            }
            let candidates: Vec<Table> = if table.contains_key("kind") {
                vec![table]
            } else {
                let bases = WHOLE.iter().map(|text| text.parse::<Table>().unwrap());
                bases
                    .flat_map(|base| [laid(&table, &base, false), laid(&table, &base, true)])
                    .collect()
            };
            let found: Vec<String> = candidates.iter().map_while(fault).collect();
            if found.len() == candidates.len() {
                faults.push(format!("{place}: {}", found.join("\n--\n")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 10, "only {count} examples were found");
}

#[test]
fn an_example_with_a_mistake_is_found() {
    let base: Table = WHOLE[0].parse().unwrap();
    assert_eq!(fault(&base), None);
    let wrong: Table = "[lora]\nrnk = 4".parse().unwrap();
    assert!(
        fault(&laid(&wrong, &base, true))
            .unwrap()
            .contains("did you mean `rank`?")
    );
}
