//! Adapters in every way PEFT can describe them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use engine::models::adapter::{self, AdapterSettings};
use engine::models::{Classifier, EncoderClassifier};
use engine::nn::Tokens;
use serde_json::{Value, json};

use crate::bert::B;
use crate::fixture::{Fixture, assert_close, card, path, values};
use crate::roberta::load;

const CASES: [(&str, &str); 7] = [
    ("full-names", "bert"),
    ("expression", "bert"),
    ("pooler-saved", "bert"),
    ("pooler-adapted", "bert"),
    ("rank-stabilised", "bert"),
    ("patterns", "bert"),
    ("patterns-rank-stabilised", "roberta"),
];

fn base(name: &str) -> EncoderClassifier<B> {
    load(&format!("{name}/checkpoint"), 2).1
}

fn logits(model: &EncoderClassifier<B>, fixture: &Fixture) -> Vec<f32> {
    values(model.logits(&Tokens::new(&fixture.texts(""), &Default::default()), None))
}

#[test]
fn adapters_of_peft_give_its_logits_however_they_are_described() {
    for (case, name) in CASES {
        let mut model = base(name);
        let folder = path(&format!("adapters/{case}/adapter"));
        let settings =
            adapter::read(&mut model, &folder).unwrap_or_else(|error| panic!("{case}: {error}"));
        let fixture = Fixture::read(&format!("adapters/{case}/expected.safetensors"));
        assert_close(
            case,
            &logits(&model, &fixture),
            &fixture.floats("logits"),
            1e-5,
        );

        // What is written says the same.
        let written = tempfile::tempdir().unwrap();
        adapter::write(&mut model, written.path(), &settings, &[], &card()).unwrap();
        let mut again = base(name);
        assert_eq!(
            adapter::read(&mut again, written.path()).unwrap(),
            settings,
            "{case}"
        );
        assert_close(
            case,
            &logits(&again, &fixture),
            &fixture.floats("logits"),
            1e-5,
        );
    }
}

#[test]
fn a_written_adapter_keeps_pefts_settings() {
    let mut model = base("roberta");
    let folder = path("adapters/patterns-rank-stabilised/adapter");
    let settings = adapter::read(&mut model, &folder).unwrap();
    let written = tempfile::tempdir().unwrap();
    adapter::write(&mut model, written.path(), &settings, &[], &card()).unwrap();
    let text = fs::read_to_string(written.path().join("adapter_config.json")).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["use_rslora"], json!(true));
    assert_eq!(config["modules_to_save"], json!(["classifier"]));
    let ranks = config["rank_pattern"].as_object().unwrap();
    assert_eq!(ranks.len(), 4, "query and key of two layers: {ranks:?}");
    assert!(ranks.values().all(|rank| rank == 2));
    assert_eq!(
        config["alpha_pattern"],
        json!({r"roberta\.encoder\.layer\.0\.output\.dense": 3.0})
    );
    let targets: BTreeSet<&str> = config["target_modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target.as_str().unwrap())
        .collect();
    assert!(
        targets.contains("query") && !targets.contains("dense"),
        "`dense` would be the head's as well: {targets:?}"
    );
}

#[test]
fn an_adapted_module_that_is_saved_whole_carries_its_update_in_its_weight() {
    let mut model = base("bert");
    let settings = adapter::read(&mut model, &path("adapters/pooler-adapted/adapter")).unwrap();
    assert!(settings.modules.contains("bert.pooler.dense"));
    let fixture = Fixture::read("adapters/pooler-adapted/expected.safetensors");
    let fresh = ["bert.pooler.dense.weight".to_owned()];
    let written = tempfile::tempdir().unwrap();
    adapter::write(&mut model, written.path(), &settings, &fresh, &card()).unwrap();
    let mut again = base("bert");
    let read = adapter::read(&mut again, written.path()).unwrap();
    assert!(read.saved.contains("bert.pooler.dense"));
    assert!(!read.modules.contains("bert.pooler.dense"));
    assert_close(
        "merged",
        &logits(&again, &fixture),
        &fixture.floats("logits"),
        1e-5,
    );
}

/// A copy of the adapter in `full-names` with some keys of its configuration changed.
fn changed(folder: &Path, changes: &Value) {
    let source = path("adapters/full-names/adapter");
    let name = "adapter_model.safetensors";
    fs::copy(source.join(name), folder.join(name)).unwrap();
    let text = fs::read_to_string(source.join("adapter_config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    fs::write(folder.join("adapter_config.json"), config.to_string()).unwrap();
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (changes, named) in [
        (json!({"use_dora": true}), "use_dora"),
        (json!({"bias": "all"}), "`bias`"),
        (json!({"layers_to_transform": [0]}), "layers_to_transform"),
        (
            json!({"target_modules": "all-linear"}),
            "has nothing for it",
        ),
        (json!({"target_modules": "(?<!x)query"}), "look-around"),
        (json!({"target_modules": ["query"]}), "has nothing for it"),
        (
            json!({"target_modules": ["layer.1.output.dense"]}),
            "`bert.encoder.layer.0.attention.self.query`, which its `target_modules` do not name",
        ),
        (
            json!({"rank_pattern": {"query": 3}}),
            "the model needs [3, 32]",
        ),
        (
            json!({"modules_to_save": ["classifier", "pooler"]}),
            "`modules_to_save` name `bert.pooler.dense`",
        ),
    ] {
        changed(folder.path(), &changes);
        let error = adapter::read(&mut base("bert"), folder.path())
            .unwrap_err()
            .to_string();
        assert!(error.contains(named), "{changes}: {error}");
    }
    changed(folder.path(), &json!({}));
    adapter::read(&mut base("bert"), folder.path()).unwrap();
}

#[test]
fn settings_without_patterns_are_the_plain_ones() {
    let mut model = base("bert");
    let settings = adapter::read(&mut model, &path("bert/lora/query-value/adapter")).unwrap();
    let expected = AdapterSettings {
        rank: 4,
        alpha: 16.0,
        modules: settings.modules.clone(),
        ..AdapterSettings::default()
    };
    assert_eq!(settings, expected);
    assert_eq!(settings.modules.len(), 4);
}
