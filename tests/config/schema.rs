//! The JSON Schema for editors.

use ensayo::config::schema;
use serde_json::{Value, json};

fn of_kind(kind: &str) -> Value {
    let schema = schema();
    let forms = schema["oneOf"].as_array().unwrap();
    forms
        .iter()
        .find(|form| form["properties"]["kind"]["const"] == kind)
        .unwrap()
        .clone()
}

/// A part of the schema, with references followed down to it.
fn part(kind: &str, path: &[&str]) -> Value {
    let schema = schema();
    let follow = |mut value: Value| {
        while let Some(target) = value["$ref"].as_str() {
            value = schema
                .pointer(&target[1..])
                .unwrap_or_else(|| panic!("{target} is not there"))
                .clone();
        }
        value
    };
    path.iter()
        .fold(of_kind(kind), |value, key| follow(value[*key].clone()))
}

#[test]
fn every_kind_has_a_form_that_refuses_unknown_keys() {
    for kind in ["lora", "prompt", "rag", "model-search"] {
        let form = of_kind(kind);
        assert_eq!(form["additionalProperties"], false);
        assert_eq!(form["required"], json!(["name", "kind"]));
        for table in ["model", "generator"] {
            let table = part(kind, &["properties", table]);
            let variants = table["anyOf"]
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![table.clone()]);
            assert!(
                table.is_null()
                    || variants
                        .iter()
                        .all(|variant| variant["additionalProperties"] == false),
                "{table}"
            );
        }
    }
}

#[test]
fn settings_carry_their_description_limits_and_default() {
    let rate = part(
        "lora",
        &["properties", "training", "properties", "learning_rate"],
    );
    assert_eq!(
        rate,
        json!({"type": "number", "exclusiveMinimum": 0, "default": 2e-4, "description": "Learning rate at its peak, which is after the warm-up."})
    );
    let length = part(
        "lora",
        &["properties", "training", "properties", "max_length"],
    );
    assert_eq!(
        (&length["minimum"], &length["default"]),
        (&json!(1), &json!(512))
    );
}

#[test]
fn settings_carry_an_example_where_the_default_is_none() {
    let limit = part("lora", &["properties", "data", "properties", "limit"]);
    assert_eq!(limit["examples"], json!([1000]));
    let split = part("lora", &["properties", "data", "properties", "split"]);
    assert_eq!(split["default"], "random");
}

#[test]
fn tables_may_be_incomplete_since_runs_may_complete_them() {
    assert_eq!(
        part("lora", &["properties", "data"])["required"],
        Value::Null
    );
    assert_eq!(
        part("rag", &["properties", "questions", "items"])["required"],
        json!(["id", "text"]),
        "but not those in lists"
    );
}

#[test]
fn runs_take_the_same_tables_and_a_name() {
    let run = &of_kind("lora")["properties"]["runs"]["items"];
    assert_eq!(
        run["properties"]["training"],
        of_kind("lora")["properties"]["training"]
    );
    assert_eq!(run["required"], json!(["name"]));
}

#[test]
fn axes_are_lists_of_a_setting_under_its_dotted_key_quoted_or_not() {
    let rank = part("lora", &["properties", "lora", "properties", "rank"]);
    assert_eq!(rank["minimum"], 1);
    let grid = ["properties", "grid", "properties"];
    let in_grid = |path: &[&str]| part("lora", &[&grid, path].concat());
    assert_eq!(in_grid(&["lora.rank", "items"]), rank);
    assert_eq!(in_grid(&["lora", "properties", "rank", "items"]), rank);
    assert_eq!(
        in_grid(&["zip", "items", "properties", "lora.rank", "items"]),
        rank
    );
    assert_eq!(
        in_grid(&["exclude", "items", "properties", "lora.rank"]),
        rank
    );
    assert_eq!(
        in_grid(&["lora.targets", "items"])["type"],
        serde_json::json!(["array", "string"])
    );
    assert_eq!(
        part(
            "rag",
            &[
                "properties",
                "grid",
                "properties",
                "embedder.kind",
                "items",
                "oneOf",
            ]
        )[0]["const"],
        "bm25"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value, schema: &Value) -> usize {
        let here = value["$ref"].as_str().map_or(0, |target| {
            assert!(schema.pointer(&target[1..]).is_some(), "{target}");
            1
        });
        let inner = value
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::values)
            .chain(value.as_array().into_iter().flatten());
        here + inner.map(|inner| check(inner, schema)).sum::<usize>()
    }
    assert!(check(&schema(), &schema()) > 100);
}

#[test]
fn nothing_of_ours_or_of_json_is_left_in_it() {
    let text = schema().to_string();
    for word in ["x-path", "\"null\"", "\"format\":\""] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn classifiers_may_be_compared_and_others_not() {
    let compare = part("lora", &["properties", "compare"]);
    assert_eq!(compare["required"], json!(["experiments"]));
    assert_eq!(compare["properties"]["metric"]["default"], "accuracy");
    assert_eq!(compare["additionalProperties"], false);
    assert!(part("rag", &["properties", "compare"]).is_null());
}
