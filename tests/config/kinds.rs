//! The other kinds of experiment, and what the settings come out as.

use ensayo::config::Settings;
use insta::assert_snapshot;

use crate::{SOUND, complaints, laid_out, study};

pub const RAG: &str = r#"
name = "manual"
kind = "rag"

[document]
path = "../data/manual.txt"
cleaning = "study"

[chunks]
size = 300
overlap = 100

[embedder]
id = "org/embedder"

[generator]
id = "org/decoder"
precision = "f16"

[generation]
max_new_tokens = 250
temperature = 1.0
top_p = 0.9

[prompt]
template_file = "../prompts/rag.txt"

[[questions]]
id = "general"
text = "¿Que es un interprete?"
relevant = ["intérprete de órdenes"]
"#;

pub const PROMPT: &str = r#"
name = "sweep"
kind = "prompt"

[model]
id = "org/decoder"

[data]
path = "../data/reviews.csv"
limit = 60

[classification]
mode = "chunks"
examples = 5

[prompt]
template = "{{ examples }} {{ reviews }}"
"#;

const SEARCH: &str = "name = \"sweep\"\nkind = \"model-search\"\n[search]\ntask = \"fill-mask\"\n";

fn rag(from: &str, to: &str) -> String {
    assert!(RAG.contains(from));
    complaints(&RAG.replace("\"manual\"", "\"sweep\"").replace(from, to))
}

fn as_toml(text: &str) -> String {
    toml::to_string(&laid_out(text, &[]).cells[0].settings).unwrap()
}

#[test]
fn lora_settings_come_out_with_all_defaults() {
    let text = "name = \"sweep\"\nkind = \"lora\"\nmodel.id = \"a/b\"\ndata.path = \"../data/reviews.csv\"\nlora.targets = [\"query\"]\n";
    assert_snapshot!(as_toml(text));
}

#[test]
fn prompt_settings_come_out_with_all_defaults() {
    assert_snapshot!(as_toml(PROMPT));
}

#[test]
fn rag_settings_come_out_with_all_defaults() {
    assert_snapshot!(as_toml(&RAG.replace("\"manual\"", "\"sweep\"")));
}

#[test]
fn searches_for_models_come_out_with_all_defaults() {
    assert_snapshot!(as_toml(SEARCH));
}

#[test]
fn resolved_settings_read_back_the_same() {
    for text in [
        SOUND.to_owned(),
        PROMPT.to_owned(),
        RAG.replace("\"manual\"", "\"sweep\""),
        SEARCH.to_owned(),
    ] {
        let settings = laid_out(&text, &[]).cells.remove(0).settings;
        let read: Settings = toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        assert_eq!(read, settings);
        let read: Settings =
            serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
        assert_eq!(read, settings);
    }
}

#[test]
fn embedders_and_generators_may_do_without_a_model() {
    let text = RAG
        .replace("\"manual\"", "\"sweep\"")
        .replace("id = \"org/embedder\"", "kind = \"bm25\"")
        .replace(
            "id = \"org/decoder\"\nprecision = \"f16\"",
            "kind = \"none\"",
        )
        .replace("[prompt]\ntemplate_file = \"../prompts/rag.txt\"", "");
    let settings = laid_out(&text, &[]).cells.remove(0).settings;
    assert_eq!(settings.models(), []);
}

#[test]
fn a_run_may_replace_a_model_by_a_method_and_back() {
    let text = format!(
        "{}[[runs]]\nname = \"lexical\"\nembedder.kind = \"bm25\"\ngenerator.kind = \"none\"\n",
        RAG.replace("\"manual\"", "\"sweep\"")
    );
    assert_eq!(laid_out(&text, &[]).cells[0].settings.models(), []);
}

#[test]
fn chunks_must_advance() {
    assert_snapshot!(rag("overlap = 100", "overlap = 300"));
}

#[test]
fn rag_needs_its_tables_and_questions() {
    assert_snapshot!(complaints(
        "name = \"sweep\"\nkind = \"rag\"\n[embedder]\nkind = \"bm26\"\n[generator]\nkind = \"none\"\nprecision = \"f16\"\n"
    ));
}

#[test]
fn questions_have_different_ids() {
    assert_snapshot!(rag(
        "[[questions]]",
        "[[questions]]\nid = \"general\"\ntext = \"\"\n[[questions]]"
    ));
}

#[test]
fn a_generator_with_a_model_needs_a_prompt() {
    assert_snapshot!(rag(
        "[prompt]\ntemplate_file = \"../prompts/rag.txt\"\n",
        ""
    ));
}

#[test]
fn a_documents_hash_is_a_hash() {
    assert_snapshot!(rag(
        "path = \"../data/manual.txt\"",
        "url = \"https://example.org/manual.txt\"\nsha256 = \"abc\""
    ));
}

#[test]
fn one_kinds_mistakes_do_not_touch_another() {
    let broken = PROMPT.replace("template = ", "tmplate = ");
    let found = study(&[("manual", RAG), ("sweep", &broken)], &[]);
    assert_eq!(found.grids.len(), 1);
    assert_snapshot!(found.problems);
}
