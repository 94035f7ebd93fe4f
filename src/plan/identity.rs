//! What decides a run's result, part by part, and its hash.
//!
//! Names, order, time and the device are no part of it. A path counts by what it leads to: moving a file changes nothing,
//! editing it changes everything.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::config::{Kind, is_commit};
use crate::content::{ContentError, Contents, Files, hex};

const REVISION: &str = ".revision";
const CONTENT: &str = "sha256:";
/// What something is that has to be fetched before anybody knows.
const UNKNOWN: &str = "unknown until it is fetched";

/// The inputs of many runs, each looked at once: a plan sees all of its runs with the same ones.
pub(super) struct Inputs<'a> {
    contents: &'a mut Contents,
    known: HashMap<(Input, String), String>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(contents: &'a mut Contents) -> Self {
        let known = HashMap::new();
        Self { contents, known }
    }

    fn part(&mut self, input: Input, path: &str) -> Result<String, ContentError> {
        let key = (input, path.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let part = input.content(Path::new(path), self.contents)?;
        self.known.insert(key, part.clone());
        Ok(part)
    }
}

/// Dotted keys and values of everything that decides the result. `format` is the number format that
/// `auto` comes to on the device.
pub(super) fn parts(
    settings: &Value,
    seed: u64,
    format: &str,
    inputs: &mut Inputs<'_>,
) -> Result<BTreeMap<String, String>, ContentError> {
    let mut parts = BTreeMap::new();
    flatten(&mut parts, Some(inputs), &mut Vec::new(), settings)?;
    resolve_precision(&mut parts, format);
    resolve_revisions(&mut parts);
    parts.insert("seed".into(), seed.to_string());
    parts.insert("numerics".into(), numerics(settings).to_string());
    Ok(parts)
}

/// The same without the inputs and what stands beside the settings.
pub(super) fn plain_parts(
    settings: &Value,
    format: &str,
) -> Result<BTreeMap<String, String>, ContentError> {
    let mut parts = BTreeMap::new();
    flatten(&mut parts, None, &mut Vec::new(), settings)?;
    resolve_precision(&mut parts, format);
    Ok(parts)
}

/// The version of the results of these settings' kind.
fn numerics(settings: &Value) -> u32 {
    let kind = settings["kind"].as_str().and_then(Kind::from_word);
    kind.map_or(1, Kind::numerics)
}

/// Puts what `auto` comes to in its place, so that results in different formats never pass for the
/// same. An embedder's is always the format of its weights: its vectors are compared with kept ones.
fn resolve_precision(parts: &mut BTreeMap<String, String>, format: &str) {
    for (key, value) in &mut *parts {
        if value == "auto" && key.ends_with(".precision") {
            let embedder = key == "embedder.precision";
            if embedder { "f32" } else { format }.clone_into(value);
        }
    }
}

/// A model of the hub is its commit: a branch or tag whose commit is not known stands for nothing.
fn resolve_revisions(parts: &mut BTreeMap<String, String>) {
    for (key, value) in &mut *parts {
        if !key.ends_with(REVISION) {
            continue;
        }
        *value = if is_commit(value) {
            value.to_ascii_lowercase()
        } else {
            format!("{value}, {UNKNOWN}")
        };
    }
}

/// sha256 over the parts as a JSON object with sorted keys.
#[must_use]
pub fn of_parts(parts: &BTreeMap<String, String>) -> String {
    let text = serde_json::to_vec(parts).unwrap_or_default();
    hex(&Sha256::digest(text))
}

/// Whether a part stands for a file's or a folder's content.
pub(super) fn is_content(value: &str) -> bool {
    value.starts_with(CONTENT)
}

/// sha256 or commit of each input by its role: `model.path` and `model.revision` are `model`,
/// `data.test_path` is `data.test`.
pub(super) fn content_by_role(parts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let role = |key: &str| {
        let role = key
            .strip_suffix(".path")
            .or_else(|| key.strip_suffix("_path"));
        role.or_else(|| key.strip_suffix(".random.config"))
            .or_else(|| key.strip_suffix(REVISION))
            .unwrap_or(key)
            .to_owned()
    };
    let content = |key: &str, value: &str| {
        let of_hub = key.ends_with(REVISION) && is_commit(value);
        let content = value.strip_prefix(CONTENT);
        content.or(of_hub.then_some(value)).map(str::to_owned)
    };
    parts
        .iter()
        .filter_map(|(key, value)| Some((role(key), content(key, value)?)))
        .collect()
}

/// Without `inputs`, paths are left out.
fn flatten(
    parts: &mut BTreeMap<String, String>,
    mut inputs: Option<&mut Inputs<'_>>,
    keys: &mut Vec<String>,
    value: &Value,
) -> Result<(), ContentError> {
    match value {
        Value::Null => {}
        Value::Object(table) => {
            let (table, content) = fetched(keys, table);
            // Without inputs, contents are left out as paths are.
            parts.extend(content.filter(|_| inputs.is_some()));
            for (key, value) in &table {
                if is_pace(keys, key) {
                    continue;
                }
                keys.push(key.clone());
                flatten(parts, inputs.as_deref_mut(), keys, value)?;
                keys.pop();
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                keys.push(index.to_string());
                flatten(parts, inputs.as_deref_mut(), keys, item)?;
                keys.pop();
            }
        }
        Value::String(text) => {
            let value = match (input(keys), inputs) {
                (Some(input), Some(inputs)) => inputs.part(input, text)?,
                (Some(_), None) => return Ok(()),
                (None, _) => text.clone(),
            };
            parts.insert(keys.join("."), value);
        }
        other => {
            parts.insert(keys.join("."), other.to_string());
        }
    }
    Ok(())
}

/// Whether a setting only says how fast a run is.
fn is_pace(keys: &[String], key: &str) -> bool {
    key == "at_once" && keys.last().is_some_and(|table| table == "generation")
}

/// A table without what only says where a file is fetched from, and the part that the file itself
/// is. A document is known by its hash before it is here; reviews are not known until they are.
fn fetched(
    keys: &[String],
    table: &Map<String, Value>,
) -> (Map<String, Value>, Option<(String, String)>) {
    let mut table = table.clone();
    let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let mut content = None;
    if keys.last().is_some_and(|table| table == "document") {
        // Whoever reads the file compares it.
        let hash = text(table.remove("sha256"));
        let url = text(table.remove("url"));
        content = url.map(|url| match hash {
            Some(hash) => format!("{CONTENT}{hash}"),
            None => format!("{url}, {UNKNOWN}"),
        });
    }
    if let Some(reviews) = table.remove("steam").filter(|reviews| !reviews.is_null()) {
        let path = text(table.get("path").cloned());
        if !path.is_some_and(|path| Path::new(&path).is_file()) {
            table.remove("path");
            content = Some(format!("{reviews}, {UNKNOWN}"));
        }
    }
    let part = content.map(|content| (format!("{}.path", keys.join(".")), content));
    (table, part)
}

/// A setting that is a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Input {
    Path,
    /// A text, or a folder of texts.
    Document,
    /// A `config.json` with its tokeniser beside it.
    RandomModel,
}

impl Input {
    /// The part of an identity that a path stands for.
    pub(super) fn content(
        self,
        path: &Path,
        contents: &mut Contents,
    ) -> Result<String, ContentError> {
        let hash = match self {
            Self::Path => contents.hash(path)?,
            Self::Document => contents.document(path)?,
            Self::RandomModel => {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let beside =
                    contents.folder(folder.unwrap_or(Path::new(".")), Files::WithoutWeights)?;
                hex(&Sha256::digest(format!("{}{beside}", contents.file(path)?)))
            }
        };
        Ok(format!("{CONTENT}{hash}"))
    }
}

/// Whether the setting of that name is a path. All kinds of experiment name their paths alike.
pub(super) fn input(keys: &[String]) -> Option<Input> {
    let mut last = keys.iter().rev().map(String::as_str);
    let (key, table) = (last.next()?, last.next().unwrap_or_default());
    match (table, key) {
        ("random", "config") => Some(Input::RandomModel),
        ("document", "path") => Some(Input::Document),
        ("lora", "init") | (_, "path") => Some(Input::Path),
        (_, key) if key.ends_with("_path") || key.ends_with("_file") => Some(Input::Path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    struct Folder {
        root: tempfile::TempDir,
        contents: Contents,
    }

    impl Folder {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            for (name, text) in [
                ("x.csv", "a"),
                ("config.json", "{}"),
                ("tokenizer.json", "{}"),
                ("test.csv", "b"),
            ] {
                fs::write(root.path().join(name), text).unwrap();
            }
            let contents = Contents::open(root.path());
            Self { root, contents }
        }

        fn path(&self, name: &str) -> String {
            self.root.path().join(name).to_string_lossy().into_owned()
        }

        fn settings(&self) -> Value {
            json!({
                "kind": "lora",
                "model": { "random": { "config": self.path("config.json"), "seed": 0 }, "precision": "auto" },
                "data": {
                    "path": self.path("x.csv"), "test_path": self.path("test.csv"), "text": "text", "limit": null,
                    "evaluations": [
                        { "name": "custom", "rows": [{ "text": "good", "label": 1 }] },
                        { "name": "other", "path": self.path("x.csv") },
                    ],
                },
                "lora": { "rank": 8, "targets": ["query", "value"] },
                "training": { "learning_rate": 2e-4 },
            })
        }

        fn parts(&mut self, settings: &Value) -> BTreeMap<String, String> {
            parts(settings, 42, "f32", &mut Inputs::new(&mut self.contents)).unwrap()
        }
    }

    #[test]
    fn parts_are_dotted_keys_with_inputs_by_content() {
        let mut folder = Folder::new();
        let settings = folder.settings();
        let parts = folder.parts(&settings);
        assert_eq!(parts["lora.targets"], r#"["query","value"]"#);
        assert_eq!(parts["training.learning_rate"], "0.0002");
        assert_eq!(parts["data.evaluations.0.rows.0.text"], "good");
        assert_eq!(parts["seed"], "42");
        assert_eq!(
            parts["numerics"],
            Kind::from_word("lora").unwrap().numerics().to_string()
        );
        assert!(!parts.contains_key("data.limit"));
        for key in [
            "data.path",
            "data.test_path",
            "data.evaluations.1.path",
            "model.random.config",
        ] {
            assert!(is_content(&parts[key]), "{key}");
        }
        let roles: Vec<_> = content_by_role(&parts).into_keys().collect();
        assert_eq!(roles, ["data", "data.evaluations.1", "data.test", "model"]);
    }

    #[test]
    fn how_many_prompts_are_answered_at_once_decides_nothing() {
        let mut folder = Folder::new();
        let mut settings = folder.settings();
        settings["generation"] = json!({ "max_new_tokens": 5 });
        let before = folder.parts(&settings);
        settings["generation"]["at_once"] = json!(3);
        assert_eq!(folder.parts(&settings), before);
        settings["generation"]["max_new_tokens"] = json!(6);
        assert_ne!(folder.parts(&settings), before);
    }

    #[test]
    fn the_identity_follows_content_not_names() {
        let mut folder = Folder::new();
        let mut settings = folder.settings();
        let before = of_parts(&folder.parts(&settings));

        fs::rename(folder.path("test.csv"), folder.path("moved.csv")).unwrap();
        settings["data"]["test_path"] = json!(folder.path("moved.csv"));
        assert_eq!(of_parts(&folder.parts(&settings)), before);

        fs::write(folder.path("moved.csv"), "c").unwrap();
        let edited = of_parts(&folder.parts(&settings));
        assert_ne!(edited, before);

        fs::write(folder.path("tokenizer.json"), "{ }").unwrap();
        assert_ne!(of_parts(&folder.parts(&settings)), edited);
    }

    #[test]
    fn a_model_of_the_hub_is_its_commit() {
        let mut folder = Folder::new();
        let mut at = |revision: &str| {
            let model = json!({ "id": "o/m", "revision": revision, "precision": "f32" });
            folder.parts(&json!({ "model": model }))
        };
        let commit = "0123456789ABCDEF0123456789abcdef01234567";
        let known = at(commit);
        assert_eq!(known["model.revision"], commit.to_lowercase());
        assert_eq!(
            content_by_role(&known),
            BTreeMap::from([("model".to_owned(), commit.to_lowercase())])
        );
        let unknown = at("main");
        assert_eq!(
            unknown["model.revision"],
            "main, unknown until it is fetched"
        );
        assert!(content_by_role(&unknown).is_empty());
    }

    #[test]
    fn what_is_fetched_counts_by_its_content() {
        let mut folder = Folder::new();
        let (path, none) = (folder.path("x.csv"), folder.path("none.csv"));
        let mut of = |settings: Value| folder.parts(&settings);
        // A document is its hash, wherever it comes from.
        let hash = hex(&Sha256::digest("a"));
        let url = "http://x/y.txt";
        let known = of(json!({ "document": { "url": url, "sha256": hash } }));
        assert_eq!(known, of(json!({ "document": { "path": path } })));
        assert_eq!(
            known,
            of(json!({ "document": { "path": path, "sha256": hash } }))
        );
        let unknown = of(json!({ "document": { "url": url } }));
        assert_eq!(
            unknown["document.path"],
            "http://x/y.txt, unknown until it is fetched"
        );
        // Reviews are the file that they came to.
        let steam = json!({ "app": 1, "language": "english", "positive": 2, "negative": 2 });
        let here = of(json!({ "data": { "steam": steam, "path": path } }));
        assert_eq!(here, of(json!({ "data": { "path": path } })));
        for missing in [json!(none), Value::Null] {
            let mut data = json!({ "steam": steam, "path": missing });
            if missing.is_null() {
                data.as_object_mut().unwrap().remove("path");
            }
            let absent = of(json!({ "data": data }));
            assert!(absent["data.path"].ends_with("unknown until it is fetched"));
            assert!(content_by_role(&absent).is_empty());
        }
    }

    /// What may differ between two equal results, and why. All else that a TOML says counts.
    const UNCOUNTED: [(&str, &str); 7] = [
        ("data.path", "a path counts by the content that it leads to"),
        ("data.test_path", "the same"),
        ("data.evaluations.1.path", "the same"),
        (
            "model.random.config",
            "the same, with the tokeniser beside it",
        ),
        (
            "model.precision = \"auto\"",
            "what it came to counts: equal to that format when it is asked for by name",
        ),
        (
            "name, description, axes, seeds, compare",
            "names and order compute nothing; each run's own seed counts",
        ),
        (
            "--device, --jobs, threads, halvings",
            "change results by rounding alone; the record says what they were",
        ),
    ];

    /// Each leaf of a value, replaced by another value of its type, with its dotted key.
    fn altered(value: &Value, key: &str, whole: &Value, at: &str, all: &mut Vec<(String, Value)>) {
        let deeper = |inner: &str| match key {
            "" => inner.to_owned(),
            outer => format!("{outer}.{inner}"),
        };
        match value {
            Value::Object(table) => {
                for (inner, value) in table {
                    altered(value, &deeper(inner), whole, &format!("{at}/{inner}"), all);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let inner = index.to_string();
                    altered(item, &deeper(&inner), whole, &format!("{at}/{inner}"), all);
                }
            }
            leaf => {
                let mut other = whole.clone();
                *other.pointer_mut(at).unwrap() = match leaf {
                    Value::String(text) => json!(format!("{text}x")),
                    Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
                    Value::Bool(is) => json!(!is),
                    _ => json!("given now"),
                };
                all.push((key.to_owned(), other));
            }
        }
    }

    #[test]
    fn every_setting_counts_but_those_listed_and_so_does_the_seed() {
        let mut folder = Folder::new();
        let settings = folder.settings();
        let before = of_parts(&folder.parts(&settings));
        let mut all = Vec::new();
        altered(&settings, "", &settings, "", &mut all);
        assert!(all.len() > 12, "{all:?}");
        for (key, other) in all {
            let is_path = UNCOUNTED.iter().any(|(listed, _)| *listed == key);
            // A path that leads elsewhere cannot even be read; to the same content, it counts not.
            let now = parts(&other, 42, "f32", &mut Inputs::new(&mut folder.contents));
            assert_eq!(now.is_err(), is_path, "{key}");
            if let Ok(now) = now {
                assert_ne!(of_parts(&now), before, "{key}");
            }
        }
        let with = |seed, format: &str, folder: &mut Folder| {
            let inputs = &mut Inputs::new(&mut folder.contents);
            of_parts(&parts(&settings, seed, format, inputs).unwrap())
        };
        assert_eq!(with(42, "f32", &mut folder), before);
        assert_ne!(with(43, "f32", &mut folder), before);
        assert_ne!(with(42, "bf16", &mut folder), before);
        let mut by_name = settings.clone();
        by_name["model"]["precision"] = json!("bf16");
        let asked = of_parts(&folder.parts(&by_name));
        assert_eq!(asked, with(42, "bf16", &mut folder));
    }

    /// Dotted keys of all settings that a schema marks as paths.
    fn paths(schema: &Value, keys: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        if schema.get("x-path").is_some() {
            found.push(keys.clone());
        }
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            keys.push(key.clone());
            paths(schema, keys, found);
            keys.pop();
        }
        for word in ["items", "anyOf", "oneOf", "allOf"] {
            let schemas = schema.get(word).map_or(&[][..], |below| {
                below
                    .as_array()
                    .map_or(std::slice::from_ref(below), Vec::as_slice)
            });
            for schema in schemas {
                paths(schema, keys, found);
            }
        }
    }

    #[test]
    fn every_path_of_every_kind_counts_by_its_content() {
        let mut generator = schemars::generate::SchemaSettings::draft07()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let schema = generator
            .root_schema_for::<crate::config::Settings>()
            .to_value();
        let mut found = Vec::new();
        paths(&schema, &mut Vec::new(), &mut found);
        assert!(found.len() >= 6, "the schema marks its paths: {found:?}");
        for keys in found {
            assert!(input(&keys).is_some(), "{}", keys.join("."));
        }
    }

    #[test]
    fn the_hash_of_given_parts_never_changes() {
        let parts = BTreeMap::from([
            ("seed".to_owned(), "42".to_owned()),
            ("kind".to_owned(), "lora".to_owned()),
        ]);
        // printf '{"kind":"lora","seed":"42"}' | sha256sum
        assert_eq!(
            of_parts(&parts),
            "4bdc1e152348dbb72fb342d47b12ac14a9b8bd8e0f6846355e17311799821786"
        );
    }
}
