//! The JSON Schema of an experiment's file as a person writes it, for editors. Made from the
//! settings structs.
//!
//! Every setting stands once, under `definitions`; tables, runs and axes refer to it.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::kind::inlined;
use super::structure::dotted;
use super::{Compare, Kind, LONGEST_NAME};

/// One schema for all kinds of file; an editor tells them apart by `kind`.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let forms = Kind::ALL.map(|kind| {
        let mut schema = of_kind(kind);
        unmark(&mut schema);
        let form = Form { kind, schema };
        definitions.insert(kind.as_str().to_owned(), form.definitions());
        form.file()
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "ensayo experiment",
        "type": "object",
        "required": ["name", "kind"],
        "oneOf": forms,
        "definitions": definitions,
    })
}

/// A kind's settings as JSON Schema, with the marks of paths still in it.
pub(super) fn of_kind(kind: Kind) -> Value {
    let mut schema = kind.settings_schema().to_value();
    clean(&mut schema);
    schema
}

/// The same of a struct.
pub(super) fn of<T: JsonSchema>() -> Value {
    let mut schema = inlined::<T>().to_value();
    clean(&mut schema);
    schema
}

/// What a file says beside settings, runs and axes.
pub(super) fn frame() -> Map<String, Value> {
    let kinds = Kind::ALL.map(|kind| {
        let about = of_kind(kind)["description"].clone();
        json!({"const": kind.as_str(), "description": about})
    });
    let frame = json!({
        "name": {"type": "string", "description": "The experiment's name: its file's name without `.toml`. Required.", "examples": ["my-sweep"]},
        "kind": {"oneOf": kinds, "description": "What the runs do. Required.", "examples": [Kind::ALL[0].as_str()]},
        "description": {"type": "string", "description": "What the experiment is for, in a line.", "examples": ["Two ranks by two sets of layers"]},
        "seeds": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": true, "default": [42], "examples": [[1, 2, 3]],
                  "description": "Every run is made once with each of these. Several seeds show how much of a difference is chance."},
    });
    frame.as_object().cloned().unwrap_or_default()
}

/// What a file of one kind looks like.
struct Form {
    kind: Kind,
    /// The kind's settings, everything inlined.
    schema: Value,
}

impl Form {
    fn definitions(&self) -> Value {
        let mut settings = Map::new();
        flat(
            &self.schema,
            "",
            &|_, setting| setting.clone(),
            &mut settings,
        );
        let tables: Map<String, Value> = self
            .keys()
            .map(|(key, inner)| (key.clone(), self.partial(inner, key)))
            .collect();
        json!({"settings": settings, "tables": tables, "axes": closed(self.axes())})
    }

    fn keys(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.schema["properties"].as_object().into_iter().flatten()
    }

    fn file(&self) -> Value {
        // What `[[runs]]` or `[grid]` add may be missing from the tables, so nothing in them is
        // required.
        let tables: Map<String, Value> = self
            .keys()
            .map(|(key, _)| (key.clone(), self.refer("tables", key)))
            .collect();
        let mut run = tables.clone();
        run.insert("name".to_owned(), json!({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "description": "The run's name."}));
        let mut run = closed(run);
        run["required"] = json!(["name"]);
        let mut properties = frame();
        let kind = json!({"const": self.kind.as_str(), "description": self.schema["description"]});
        let runs = json!({"type": "array", "items": run, "description": "Named runs: settings laid over the tables above."});
        properties.insert("kind".to_owned(), kind);
        properties.insert("runs".to_owned(), runs);
        properties.insert("grid".to_owned(), self.grid());
        if self.kind.classifies() {
            let mut compare = of::<Compare>();
            if let Some(object) = compare.as_object_mut() {
                object.remove("$schema");
                object.remove("title");
            }
            properties.insert("compare".to_owned(), compare);
        }
        properties.extend(tables);
        let mut form = closed(properties);
        form["title"] = json!(self.kind.as_str());
        form["required"] = json!(["name", "kind"]);
        form
    }

    fn grid(&self) -> Value {
        let conditions = self.by_dotted_key(&|key, _| self.refer("settings", key));
        let axes = json!({"$ref": format!("#/definitions/{}/axes", self.kind)});
        let mut properties = self.axes();
        properties.insert(
            "zip".to_owned(),
            json!({"type": "array", "items": axes, "description": "Axes that move together."}),
        );
        properties.insert(
            "exclude".to_owned(),
            json!({"type": "array", "items": closed(conditions), "description": "Points of the grid that are left out."}),
        );
        let mut grid = closed(properties);
        grid["description"] = json!("Axes: a run is made for every combination of their values.");
        grid
    }

    fn axes(&self) -> Map<String, Value> {
        self.by_dotted_key(
            &|key, _| json!({"type": "array", "minItems": 1, "items": self.refer("settings", key)}),
        )
    }

    /// Every setting under its dotted key, and once more in nested tables, since TOML lets the key
    /// stand without quotes.
    fn by_dotted_key(&self, wrap: &dyn Fn(&str, &Value) -> Value) -> Map<String, Value> {
        let mut found = nested(&self.schema, "", wrap);
        flat(&self.schema, "", wrap, &mut found);
        found
    }

    fn refer(&self, part: &str, key: &str) -> Value {
        json!({"$ref": format!("#/definitions/{}/{part}/{key}", self.kind)})
    }

    /// A table with no key required, its settings by reference. Tables in lists stay whole, since
    /// nothing is laid over them.
    fn partial(&self, schema: &Value, path: &str) -> Value {
        if !has_keys(schema) {
            return self.refer("settings", path);
        }
        let mut schema = schema.clone();
        if let Some(object) = schema.as_object_mut() {
            object.remove("required");
            object.remove("default");
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                for (key, inner) in properties {
                    *inner = self.partial(inner, &dotted(path, key));
                }
            }
            if let Some(Value::Array(variants)) = object.get_mut("anyOf") {
                for inner in variants {
                    *inner = self.partial(inner, path);
                }
            }
        }
        schema
    }
}

/// A table with these keys only.
fn closed(properties: Map<String, Value>) -> Value {
    let mut table = Map::new();
    table.insert("type".to_owned(), json!("object"));
    table.insert("properties".to_owned(), Value::Object(properties));
    table.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(table)
}

fn flat(
    schema: &Value,
    path: &str,
    wrap: &dyn Fn(&str, &Value) -> Value,
    found: &mut Map<String, Value>,
) {
    for (key, inner) in keys(schema) {
        let key = dotted(path, &key);
        if has_keys(&inner) {
            flat(&inner, &key, wrap, found);
        } else {
            let wrapped = wrap(&key, &inner);
            found.insert(key, wrapped);
        }
    }
}

fn nested(schema: &Value, path: &str, wrap: &dyn Fn(&str, &Value) -> Value) -> Map<String, Value> {
    let of_key = |(key, inner): (String, Value)| {
        let path = dotted(path, &key);
        let inner = if has_keys(&inner) {
            closed(nested(&inner, &path, wrap))
        } else {
            wrap(&path, &inner)
        };
        (key, inner)
    };
    keys(schema).into_iter().map(of_key).collect()
}

/// A table's keys; where tables may stand in for each other, the keys of all.
pub(super) fn keys(schema: &Value) -> Map<String, Value> {
    let mut keys = schema["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    for variant in schema["anyOf"].as_array().into_iter().flatten() {
        keys.extend(
            variant["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
        );
    }
    keys
}

fn has_keys(schema: &Value) -> bool {
    !keys(schema).is_empty()
}

/// Takes out the mark of paths.
fn unmark(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("x-path");
            object.values_mut().for_each(unmark);
        }
        Value::Array(list) => list.iter_mut().for_each(unmark),
        _ => {}
    }
}

/// Takes out what only concerns JSON: `null` and number formats.
fn clean(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            // A table of properties may have a key of this name, which is then no string.
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = unwrapped(text);
            }
            if let Some(kind) = object.get_mut("type")
                && let Some(names) = kind.as_array()
            {
                let mut names = names.clone();
                names.retain(|name| name != "null");
                *kind = match names.as_slice() {
                    [name] => name.clone(),
                    _ => Value::Array(names),
                };
            }
            if let Some(Value::Array(variants)) = object.get_mut("anyOf") {
                variants.retain(|variant| variant["type"] != "null");
            }
            object.values_mut().for_each(clean);
        }
        Value::Array(list) => list.iter_mut().for_each(clean),
        _ => {}
    }
}

/// A doc comment without its line breaks but those between paragraphs: editors wrap for themselves.
fn unwrapped(text: &str) -> String {
    let paragraphs = text
        .split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn descriptions_break_between_paragraphs_only() {
        fn broken(value: &Value) -> Vec<String> {
            let text = value["description"].as_str().unwrap_or_default();
            let own = text.replace("\n\n", "").contains('\n');
            let inner: Vec<&Value> = match value {
                Value::Object(object) => object.values().collect(),
                Value::Array(list) => list.iter().collect(),
                _ => Vec::new(),
            };
            let inner = inner.into_iter().flat_map(broken);
            own.then(|| text.to_owned())
                .into_iter()
                .chain(inner)
                .collect()
        }
        let unwrapped = schema();
        assert!(unwrapped.to_string().contains("description"));
        assert_eq!(broken(&unwrapped), [""; 0]);
    }

    #[test]
    fn the_schema_has_every_setting_that_the_checks_know_and_no_other() {
        for kind in Kind::ALL {
            let schema = schema();
            let settings = schema["definitions"][kind.as_str()]["settings"]
                .as_object()
                .unwrap();
            let known: BTreeSet<String> = kind.fields().settings().into_iter().collect();
            assert_eq!(settings.keys().cloned().collect::<BTreeSet<_>>(), known);
        }
    }
}
