//! `ensayo models`: tables of models, and what one is made of.

use serde_json::Value;

use super::look::listing;
use super::program::{Place, encoder};
use super::repository::OLD;

/// The study's encoders, as the hub has their configurations.
const ROBERTA: &str = r#"{"architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "vocab_size": 50265,
    "type_vocab_size": 1, "pad_token_id": 1, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 514, "layer_norm_eps": 1e-5}"#;

const DEBERTA: &str = r#"{"model_type": "deberta-v2", "vocab_size": 128100, "type_vocab_size": 0,
    "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu",
    "max_position_embeddings": 512, "position_biased_input": false, "relative_attention": true, "position_buckets": 256,
    "max_relative_positions": -1, "norm_rel_ebd": "layer_norm", "share_att_key": true, "pos_att_type": "p2c|c2p",
    "layer_norm_eps": 1e-7}"#;

const FILTERS: [&str; 11] = [
    "models",
    "search",
    "--task",
    "fill-mask",
    "--language",
    "es",
    "--without",
    "gguf",
    "--sort",
    "likes",
    "--all",
];

#[test]
fn a_search_is_a_table_csv_or_json() {
    let (server, place) = (listing(), Place::new());
    let say = |more: &[&str]| {
        let said = place.ensayo(&server.address, &[], &[&FILTERS[..], more].concat());
        assert_eq!((said.code, said.talk.as_str()), (0, ""));
        said.output
    };
    let table = say(&[]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 21, "{table}");
    let head = "model              downloads  likes  parameters  task       library       licence  created     modified";
    assert_eq!(lines[0], head);
    assert!(
        lines[3].starts_with("o/model-3 (gated)        997"),
        "{table}"
    );
    let asked = server.asked();
    assert_eq!(
        (asked.len(), asked[0].query("sort").as_deref()),
        (3, Some("likes"))
    );

    let csv = say(&["--csv"]);
    let first = "rank,model,author,task,library,licence,parameters,downloads,likes,created,modified,gated,tags\n\
        1,o/model-1,,fill-mask,transformers,mit,5,999,1,2022-03-02T23:29:04.000Z,,false,license:mit es\n";
    assert!(csv.starts_with(first), "{csv}");
    let json: Value = serde_json::from_str(&say(&["--json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 20);
    assert_eq!(
        (&json[0]["id"], &json[0]["likes"]),
        (&"o/model-1".into(), &1.into())
    );

    server.forget();
    let said = place.ensayo(&server.address, &[], &["models", "search", "--limit", "4"]);
    assert_eq!((said.output.lines().count(), server.asked().len()), (5, 1));
    let said = place.ensayo("http://127.0.0.1:1", &[], &FILTERS);
    assert_eq!((said.code, said.output.as_str()), (2, ""));
    assert!(said.talk.contains("cannot be reached"), "{}", said.talk);
}

#[test]
fn the_studys_encoders_have_the_parameters_that_it_reports() {
    let place = Place::new();
    for (name, config, total, trained) in [
        ("roberta", ROBERTA, "124,647,170", "887,042 (0.71 %)"),
        ("deberta", DEBERTA, "184,423,682", "296,450 (0.16 %)"),
    ] {
        place.write(&format!("{name}/config.json"), config);
        let said = place.ensayo("http://127.0.0.1:1", &[], &["models", "inspect", name]);
        assert_eq!(said.code, 0, "{}", said.talk);
        let parameters = format!("parameters         {total} as a classifier of 2 classes");
        assert!(said.output.contains(&parameters), "{}", said.output);
        let row = said
            .output
            .lines()
            .find(|line| line.starts_with("query, value and the head"));
        assert!(row.unwrap().contains(trained), "{}", said.output);
    }
    let said = place.ensayo("http://127.0.0.1:1", &[], &["models", "inspect", "roberta"]);
    insta::assert_snapshot!(said.output);
}

#[test]
fn a_model_of_the_hub_is_inspected_without_its_weights() {
    let (repository, place) = (encoder(), Place::new());
    let say = |words: &[&str]| {
        let said = place.ensayo(&repository.hub.address, &[], words);
        assert_eq!(said.code, 0, "{}", said.talk);
        said.output
    };
    let text = say(&["models", "inspect", "owner/model"]);
    for part in [
        OLD,
        "F32",
        "licence            mit",
        "downloads          7 in 30 days",
        "└ 0 … 1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        repository
            .cdn
            .asked()
            .iter()
            .all(|asked| asked.header("range").is_some())
    );
    assert!(!place.path("hf").exists());
    let json = say(&["models", "inspect", "owner/model", "--json", "--ranks", "3"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let query = &json["adapters"][0];
    assert_eq!(query["target"], "query");
    let (layers, shape) = (query["layers"].as_u64().unwrap(), &query["shape"]);
    let sides = shape[0].as_u64().unwrap() + shape[1].as_u64().unwrap();
    assert_eq!(query["trained_by_rank"]["3"], layers * 3 * sides);
    let stored = json["parameters_in_weights"].as_u64().unwrap();
    let head = json["head_parameters"].as_u64().unwrap();
    assert_eq!(json["parameters"], stored + head);

    // Of an architecture that is not known, the names in the weights' headers are shown.
    let odd = super::repository::Repository::with(&[
        (
            "config.json",
            br#"{"model_type": "gpt2", "n_layer": 3}"#.to_vec(),
        ),
        ("tokenizer.json", b"{}".to_vec()),
        ("model.safetensors", super::repository::weights(80)),
    ]);
    let said = place.ensayo(&odd.hub.address, &[], &["models", "inspect", "owner/model"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.output.contains("`gpt2` is not supported"),
        "{}",
        said.output
    );
    assert!(
        said.output
            .contains("\nw                                     10 x 2          20"),
        "{}",
        said.output
    );
}

#[test]
fn what_cannot_be_inspected_says_why() {
    let (repository, place) = (encoder(), Place::new());
    place.write("empty/README.md", "");
    for (model, cure) in [
        ("empty", "has no config.json: name a model's own folder"),
        ("owner/modell", "there is `owner/model`"),
        ("../x/y", "is not the name of a model"),
    ] {
        let said = place.ensayo(&repository.hub.address, &[], &["models", "inspect", model]);
        assert_eq!((said.code, said.output.as_str()), (2, ""), "{}", said.talk);
        assert!(said.talk.contains(cure), "{}", said.talk);
    }
    // Without a network, the cache has to do.
    place.write("experiments/trial.toml", super::program::TRIAL);
    let fetched = place.ensayo(&repository.hub.address, &[], &["fetch"]);
    assert_eq!(fetched.code, 0, "{}", fetched.talk);
    let said = place.ensayo(
        "http://127.0.0.1:1",
        &[],
        &["models", "inspect", "owner/model"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk.contains("from the cache, at 012345678901"),
        "{}",
        said.talk
    );
    assert!(said.output.starts_with("owner/model\n"), "{}", said.output);
}
