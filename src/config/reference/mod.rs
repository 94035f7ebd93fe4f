//! The reference of all settings as Markdown: the page `docs/settings.md`. Made from the same schema
//! as the editors' and from the rules that the checks go by, so that it cannot say anything else.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::rules::{Bounds, Field, Fields, PathKind, Rule};
use super::schema::{self, keys};
use super::structure::dotted;
use super::{Compare, Kind};

/// What the page begins with.
const INTRODUCTION: &str = "\
# Settings

Every setting of every kind of experiment. This page is generated from the program's own schema: `ensayo check --reference`
prints it. For completion and checks in an editor, see [In an editor](experiments.md#in-an-editor).

Paths are relative to the experiment's file, and `${NAME}` in a path is the environment variable of that name. Unknown keys, wrong
types and values out of range are errors, reported all at once with their places. `--set training.epochs=1` changes a setting for
one call, and any setting can be an axis of `[grid]`.

";

/// How runs and axes are written; they take the settings of all tables.
const RUNS: &str = "\
Runs and axes, which take any of the settings below:

```toml
[[runs]]                             # a named run: settings laid over the tables
name = \"short\"
training.epochs = 1

[grid]                               # and a run for every combination of these
\"lora.rank\" = [4, 8]

[[grid.zip]]                         # axes that move together
\"lora.alpha\" = [16, 32]
\"training.learning_rate\" = [1e-4, 2e-4]

[[grid.exclude]]                     # combinations that are left out
\"lora.rank\" = 8
\"lora.alpha\" = 16
```

With neither `[[runs]]` nor `[grid]` the one run is called `base`.

";

const COMPARED: &str =
    "Other experiments whose best runs the report sets beside this one's. It decides no result.";

const HEADER: &str = "| setting | type | default | meaning | example |\n|---|---|---|---|---|\n";

/// The whole page.
#[must_use]
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("## Every experiment\n\n");
    page.push_str(HEADER);
    let frame = Value::Object(Map::from_iter([(
        "properties".to_owned(),
        Value::Object(schema::frame()),
    )]));
    for setting in settings(&frame, &Fields::read(&frame)) {
        setting.write(&mut page, "");
    }
    page.push('\n');
    page.push_str(RUNS);
    let mut tables = Vec::new();
    for kind in Kind::ALL {
        write_kind(kind, &mut page, &mut tables);
    }
    page.push_str("## The tables\n\n");
    for table in &tables {
        table.write(&mut page);
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// The kind's tables by name; their settings are added to `tables` where they are not there yet.
fn write_kind(kind: Kind, page: &mut String, tables: &mut Vec<Table>) {
    let of_kind = schema::of_kind(kind);
    let mut parts = settings(&of_kind, &Fields::read(&of_kind));
    if kind.classifies() {
        let mut schema = schema::of::<Compare>();
        schema["description"] = COMPARED.into();
        let rule = Rule::read(&schema);
        parts.push(Setting {
            key: "compare".to_owned(),
            schema,
            field: Field {
                rule,
                required: false,
            },
        });
    }
    let about = cell(&of_kind);
    let _ = writeln!(page, "## `kind = \"{kind}\"`\n\n{about}\n");
    page.push_str("| table | | meaning |\n|---|---|---|\n");
    for part in &parts {
        let required = if part.field.required { "required" } else { "" };
        let link = link(&title(&part.key, &part.field.rule));
        let _ = writeln!(page, "| {link} | {required} | {} |", cell(&part.schema));
        add(tables, kind, &part.key, part);
    }
    page.push('\n');
}

/// A key and what may stand at it.
#[derive(Clone, PartialEq)]
struct Setting {
    key: String,
    schema: Value,
    field: Field,
}

fn settings(schema: &Value, fields: &Fields) -> Vec<Setting> {
    let with_rule = |(key, schema): (String, Value)| {
        let field = fields.keys.get(&key)?.clone();
        Some(Setting { key, schema, field })
    };
    keys(schema).into_iter().filter_map(with_rule).collect()
}

/// A table, and the settings that stand right in it.
struct Table {
    title: String,
    kinds: Vec<Kind>,
    settings: Vec<Setting>,
    /// A table all of whose settings it has, too.
    includes: Option<String>,
    path: String,
}

/// Adds a setting that is a table, and the tables in it, each once.
fn add(tables: &mut Vec<Table>, kind: Kind, path: &str, setting: &Setting) {
    let (schema, rule) = inner(setting);
    let Rule::Table(fields) = rule else { return };
    let mut settings = settings(schema, fields);
    let same_elsewhere = tables.iter().find(|table| {
        let mut own = table.settings.iter();
        table.path != path
            && table.includes.is_none()
            && own.len() > 1
            && own.all(|setting| settings.contains(setting))
    });
    let includes = same_elsewhere.map(|table| table.title.clone());
    if let Some(table) = same_elsewhere {
        settings.retain(|setting| !table.settings.contains(setting));
    }
    let mut known = tables.iter_mut();
    if let Some(table) = known.find(|table| table.path == path && table.settings == settings) {
        if !table.kinds.contains(&kind) {
            table.kinds.push(kind);
        }
    } else {
        tables.push(Table {
            title: title(path, &setting.field.rule),
            kinds: vec![kind],
            settings: settings.clone(),
            includes,
            path: path.to_owned(),
        });
    }
    for inner in &settings {
        add(tables, kind, &dotted(path, &inner.key), inner);
    }
}

/// What a list consists of; anything else itself.
fn inner(setting: &Setting) -> (&Value, &Rule) {
    match &setting.field.rule {
        Rule::List { items, .. } => (&setting.schema["items"], items),
        rule => (&setting.schema, rule),
    }
}

impl Table {
    fn write(&self, page: &mut String) {
        let kinds: Vec<String> = self.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let _ = write!(
            page,
            "### {}\n\nIn experiments of kind {}.",
            self.title,
            kinds.join(" and ")
        );
        if let Some(other) = &self.includes {
            let _ = write!(page, " It takes every setting of {} as well.", link(other));
        }
        let _ = write!(page, "\n\n{HEADER}");
        for setting in &self.settings {
            setting.write(page, &self.path);
        }
        page.push('\n');
    }
}

impl Setting {
    fn write(&self, page: &mut String, path: &str) {
        let key = &self.key;
        let meaning = if is_table(inner(self).1) {
            let title = title(&dotted(path, key), &self.field.rule);
            format!("{} See {}.", cell(&self.schema), link(&title))
        } else {
            cell(&self.schema)
        };
        let kind = type_words(&self.field.rule, &self.schema);
        let example = self.example().map_or_else(String::new, |line| code(&line));
        let default = self.default_words();
        let _ = writeln!(
            page,
            "| `{key}` | {kind} | {default} | {meaning} | {example} |"
        );
    }

    fn default_words(&self) -> String {
        if self.field.required {
            return "required".to_owned();
        }
        match &self.schema["default"] {
            Value::Null | Value::Object(_) => "–".to_owned(),
            Value::Array(list) if list.is_empty() => "–".to_owned(),
            value => code(&toml(value)),
        }
    }

    /// A line that sets it: to what the struct gives as an example, or to something else than the
    /// default where that is a choice.
    fn example(&self) -> Option<String> {
        let default = &self.schema["default"];
        let value = match (&self.schema["examples"][0], &self.field.rule) {
            (Value::Null, Rule::Table(_)) => return None,
            (Value::Null, Rule::Boolean) => Value::Bool(default.as_bool() != Some(true)),
            (Value::Null, Rule::Word(words)) => {
                let other = |word: &&String| default.as_str() != Some(word.as_str());
                words.iter().find(other).map(String::as_str).into()
            }
            (Value::Null, _) => default.clone(),
            (example, _) => example.clone(),
        };
        (!value.is_null()).then(|| format!("{} = {}", self.key, toml(&value)))
    }
}

fn is_table(rule: &Rule) -> bool {
    matches!(rule, Rule::Table(_))
}

/// As the table's header is written.
fn title(path: &str, rule: &Rule) -> String {
    match rule {
        Rule::List { .. } => format!("`[[{path}]]`"),
        _ => format!("`[{path}]`"),
    }
}

/// A link to a heading, whose anchor keeps letters, digits, hyphens and underscores.
fn link(title: &str) -> String {
    let keep = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let anchor: String = title.to_lowercase().chars().filter(keep).collect();
    format!("[{title}](#{anchor})")
}

/// A description, and those of the choices below it.
fn cell(schema: &Value) -> String {
    let text = |schema: &Value| {
        schema["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut lines = vec![text(schema)];
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        lines.push(format!("`{}`: {}", choice["const"], text(choice)));
    }
    lines.retain(|line| !line.is_empty());
    lines
        .join("<br>")
        .replace("\n\n", "<br>")
        .replace('|', "\\|")
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn type_words(rule: &Rule, schema: &Value) -> String {
    let bounded = |noun: &str, bounds: &Bounds| {
        if *bounds == Bounds::default() {
            noun.to_owned()
        } else {
            format!("{noun}, {}", bounds.words())
        }
    };
    match rule {
        Rule::Table(_) => "table".to_owned(),
        Rule::List { items, or_text, .. } => {
            let items = match items.as_ref() {
                Rule::Table(_) => "tables".to_owned(),
                Rule::Integer(bounds) => bounded("integers", bounds),
                Rule::Number(bounds) => bounded("numbers", bounds),
                _ => "strings".to_owned(),
            };
            let or_text = if *or_text { ", or a string" } else { "" };
            format!("list of {items}{or_text}")
        }
        Rule::Word(_) => "choice".to_owned(),
        Rule::Text if schema["minLength"].as_u64() > Some(0) => "string, not empty".to_owned(),
        Rule::Text => "string".to_owned(),
        Rule::Path(PathKind::File) => "path of a file".to_owned(),
        Rule::Path(PathKind::Folder) => "path of a folder".to_owned(),
        Rule::Path(PathKind::Any) => "path of a file or folder".to_owned(),
        Rule::Integer(bounds) => bounded("integer", bounds),
        Rule::Number(bounds) => bounded("number", bounds),
        Rule::Boolean => "true or false".to_owned(),
        Rule::IntegerOrText => "integer or string".to_owned(),
        Rule::Unread => String::new(),
    }
}

/// A value as TOML has it on one line. JSON's escapes are TOML's, too.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(toml).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", toml(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
