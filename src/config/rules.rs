//! What may stand at each key, read from the JSON Schema of the settings structs, so that the
//! checks, the editor's schema and the structs cannot come to differ.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;

use super::kind::inlined;

/// What may stand at a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// A table with these keys only.
    Table(Fields),
    /// A list.
    List {
        /// What its elements are.
        items: Box<Rule>,
        /// How many it needs.
        at_least: u64,
        /// Whether a string may stand in its place.
        or_text: bool,
    },
    /// One of these words.
    Word(Vec<String>),
    /// Any string.
    Text,
    /// A string that names a file or folder.
    Path(PathKind),
    /// An integer within bounds.
    Integer(Bounds),
    /// An integer or float within bounds.
    Number(Bounds),
    /// `true` or `false`.
    Boolean,
    /// An integer or a string: a label.
    IntegerOrText,
    /// Something the schema says in a way that this file does not read; serde alone decides.
    Unread,
}

/// What a path must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Either.
    Any,
}

/// The keys of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// Each key's rule, and whether it must be there.
    pub keys: BTreeMap<String, Field>,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What may stand there.
    pub rule: Rule,
    /// Whether it must be there.
    pub required: bool,
}

/// Limits of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// The smallest value allowed.
    pub minimum: Option<f64>,
    /// Values must be above this.
    pub above: Option<f64>,
    /// The largest value allowed.
    pub maximum: Option<f64>,
    /// Values must be below this.
    pub below: Option<f64>,
}

impl Bounds {
    /// Whether a value is within them; NaN and infinities never are.
    pub fn contain(&self, value: f64) -> bool {
        value.is_finite()
            && self.minimum.is_none_or(|limit| value >= limit)
            && self.above.is_none_or(|limit| value > limit)
            && self.maximum.is_none_or(|limit| value <= limit)
            && self.below.is_none_or(|limit| value < limit)
    }

    /// In words, to follow `must be`.
    pub fn words(&self) -> String {
        let parts = [
            self.minimum.map(|limit| format!("at least {limit}")),
            self.above.map(|limit| format!("above {limit}")),
            self.maximum.map(|limit| format!("at most {limit}")),
            self.below.map(|limit| format!("below {limit}")),
        ];
        let words: Vec<String> = parts.into_iter().flatten().collect();
        if words.is_empty() {
            "finite".to_owned()
        } else {
            words.join(" and ")
        }
    }
}

impl Fields {
    /// The rule at a dotted key.
    pub fn at(&self, dotted: &str) -> Option<&Rule> {
        let (first, rest) = dotted
            .split_once('.')
            .map_or((dotted, None), |(first, rest)| (first, Some(rest)));
        let rule = &self.keys.get(first)?.rule;
        match (rest, rule) {
            (None, rule) => Some(rule),
            (Some(rest), Rule::Table(fields)) => fields.at(rest),
            _ => None,
        }
    }

    /// The dotted keys of all settings, without the tables that hold them.
    pub fn settings(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for (key, field) in &self.keys {
            match &field.rule {
                Rule::Table(fields) => keys.extend(
                    fields
                        .settings()
                        .iter()
                        .map(|inner| format!("{key}.{inner}")),
                ),
                _ => keys.push(key.clone()),
            }
        }
        keys
    }
}

impl Rule {
    /// What may stand where this struct is read.
    pub(super) fn of<T: JsonSchema>() -> Self {
        Self::read(inlined::<T>().as_value())
    }

    pub(super) fn read(schema: &Value) -> Self {
        if let Some(words) = words(schema) {
            return Self::Word(words);
        }
        if let Some(variants) = schema["anyOf"].as_array() {
            return Self::read_any_of(variants);
        }
        match type_name(schema) {
            Some("object") => Self::Table(Fields::read(schema)),
            Some("array") => Self::List {
                items: Box::new(Self::read(&schema["items"])),
                at_least: schema["minItems"].as_u64().unwrap_or(0),
                or_text: schema["type"]
                    .as_array()
                    .is_some_and(|names| names.iter().any(|name| name == "string")),
            },
            Some("string") => match schema["x-path"].as_str() {
                Some("folder") => Self::Path(PathKind::Folder),
                Some("any") => Self::Path(PathKind::Any),
                Some(_) => Self::Path(PathKind::File),
                None => Self::Text,
            },
            Some("integer") => Self::Integer(bounds(schema)),
            Some("number") => Self::Number(bounds(schema)),
            Some("boolean") => Self::Boolean,
            _ => Self::Unread,
        }
    }

    /// Tables that may stand in for each other become one whose keys are all optional: which keys
    /// exclude each other is checked apart.
    fn read_any_of(variants: &[Value]) -> Self {
        let rules: Vec<Self> = variants
            .iter()
            .filter(|variant| variant["type"] != "null")
            .map(Self::read)
            .collect();
        match rules.as_slice() {
            [one] => one.clone(),
            [Self::Integer(_), Self::Text] => Self::IntegerOrText,
            many => {
                let mut merged = Fields::default();
                for rule in many {
                    let Self::Table(fields) = rule else {
                        return Self::Unread;
                    };
                    for (key, field) in &fields.keys {
                        merged.keys.insert(
                            key.clone(),
                            Field {
                                rule: field.rule.clone(),
                                required: false,
                            },
                        );
                    }
                }
                Self::Table(merged)
            }
        }
    }
}

impl Fields {
    pub(super) fn read(schema: &Value) -> Self {
        let required = |key: &str| {
            schema["required"]
                .as_array()
                .is_some_and(|keys| keys.iter().any(|required| required == key))
        };
        let keys = schema["properties"].as_object().into_iter().flatten();
        Self {
            keys: keys
                .map(|(key, schema)| {
                    (
                        key.clone(),
                        Field {
                            rule: Rule::read(schema),
                            required: required(key),
                        },
                    )
                })
                .collect(),
        }
    }
}

fn words(schema: &Value) -> Option<Vec<String>> {
    let from_const = |variant: &Value| variant["const"].as_str().map(str::to_owned);
    if let Some(list) = schema["enum"].as_array() {
        return list
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect();
    }
    schema["oneOf"].as_array()?.iter().map(from_const).collect()
}

/// The type, leaving aside the `null` that an optional key has in JSON and cannot have in TOML.
fn type_name(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|&name| name != "null"),
        _ => None,
    }
}

fn bounds(schema: &Value) -> Bounds {
    Bounds {
        minimum: schema["minimum"].as_f64(),
        above: schema["exclusiveMinimum"].as_f64(),
        maximum: schema["maximum"].as_f64(),
        below: schema["exclusiveMaximum"].as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Kind;

    fn has_unread(rule: &Rule) -> bool {
        match rule {
            Rule::Unread => true,
            Rule::Table(fields) => {
                fields.keys.is_empty() || fields.keys.values().any(|field| has_unread(&field.rule))
            }
            Rule::List { items, .. } => has_unread(items),
            _ => false,
        }
    }

    #[test]
    fn every_setting_of_every_kind_has_a_rule() {
        for kind in Kind::ALL {
            let rule = Rule::Table(kind.fields());
            assert!(!has_unread(&rule), "{kind}: {rule:#?}");
        }
    }

    #[test]
    fn the_structs_limits_arrive_as_bounds() {
        let fields = Kind::Lora.fields();
        let dropout = Bounds {
            minimum: Some(0.0),
            below: Some(1.0),
            ..Bounds::default()
        };
        assert_eq!(fields.at("lora.dropout"), Some(&Rule::Number(dropout)));
        let rank = Bounds {
            minimum: Some(1.0),
            ..Bounds::default()
        };
        assert_eq!(fields.at("lora.rank"), Some(&Rule::Integer(rank)));
        assert_eq!(dropout.words(), "at least 0 and below 1");
        assert!(dropout.contain(0.0) && !dropout.contain(1.0) && !dropout.contain(f64::NAN));
    }

    #[test]
    fn optional_keys_paths_words_and_labels_are_told_apart() {
        let fields = Kind::Lora.fields();
        assert_eq!(fields.at("data.path"), Some(&Rule::Path(PathKind::File)));
        assert_eq!(fields.at("model.path"), Some(&Rule::Path(PathKind::Folder)));
        assert_eq!(
            fields.at("training.keep"),
            Some(&Rule::Word(vec!["last".to_owned(), "best".to_owned()]))
        );
        let Some(Rule::List { items, .. }) = fields.at("data.evaluations") else {
            panic!("evaluations are a list")
        };
        let Rule::Table(evaluation) = items.as_ref() else {
            panic!("an evaluation is a table")
        };
        assert!(evaluation.keys["name"].required && !evaluation.keys["rows"].required);
        let Some(Rule::List { items, .. }) = evaluation.at("rows") else {
            panic!("rows are a list")
        };
        let Rule::Table(row) = items.as_ref() else {
            panic!("a row is a table")
        };
        assert_eq!(row.at("label"), Some(&Rule::IntegerOrText));
    }

    #[test]
    fn an_embedder_may_be_a_model_or_lexical() {
        let fields = Kind::Rag.fields();
        assert!(
            fields.at("embedder.kind").is_some() && fields.at("embedder.random.config").is_some()
        );
        assert!(
            fields
                .settings()
                .contains(&"generator.precision".to_owned())
        );
    }
}
