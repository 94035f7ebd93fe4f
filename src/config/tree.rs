//! A TOML document in which every key and value knows where it was written, so that a value laid
//! over another still points home.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::source::{Source, Span};

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its place; a table's is its header.
    pub span: Span,
}

/// What a TOML value can be.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// An integer beyond 64 bits, as written.
    Huge(String),
    /// A float, and as written.
    Float(f64, String),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time, which no setting is.
    Datetime(String),
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table, its entries in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The entries; keys are unique.
    pub entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key without quotes.
    pub key: String,
    /// The key's place.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Table {
    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The table that a key holds.
    #[must_use]
    pub fn table(&self, key: &str) -> Option<&Table> {
        self.get(key).and_then(Node::as_table)
    }

    /// The value at a dotted key.
    #[must_use]
    pub fn at(&self, dotted: &str) -> Option<&Node> {
        match dotted.split_once('.') {
            Some((first, rest)) => self.table(first)?.at(rest),
            None => self.get(dotted),
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(index))
    }

    /// Puts an entry in, in place of one with the same key.
    pub fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }

    /// A table that has only `node`, at a dotted key.
    #[must_use]
    pub fn with(dotted: &str, key_span: &Span, node: Node) -> Self {
        let (key, node) = match dotted.split_once('.') {
            Some((first, rest)) => (
                first,
                Node {
                    span: key_span.clone(),
                    value: Value::Table(Self::with(rest, key_span, node)),
                },
            ),
            None => (dotted, node),
        };
        Self {
            entries: vec![Entry {
                key: key.to_owned(),
                key_span: key_span.clone(),
                node,
            }],
        }
    }

    /// The same without places, for serde.
    #[must_use]
    pub fn plain(&self) -> toml::Table {
        self.entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.node.plain()))
            .collect()
    }
}

impl Node {
    /// The table, if it is one.
    #[must_use]
    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// What it is, for a message.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Huge(_) => "one beyond 64 bits",
            Value::Float(..) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The value as a run's name shows it: strings bare, lists joined with `+`, numbers as written.
    #[must_use]
    pub fn short_text(&self) -> String {
        let joined = |parts: Vec<String>| parts.join("+");
        match &self.value {
            Value::Text(text)
            | Value::Huge(text)
            | Value::Float(_, text)
            | Value::Datetime(text) => text.clone(),
            Value::Integer(integer) => integer.to_string(),
            Value::Boolean(boolean) => boolean.to_string(),
            Value::List(list) if list.is_empty() => "none".to_owned(),
            Value::List(list) => joined(list.iter().map(Self::short_text).collect()),
            Value::Table(table) => joined(
                table
                    .entries
                    .iter()
                    .map(|entry| format!("{}-{}", entry.key, entry.node.short_text()))
                    .collect(),
            ),
        }
    }

    /// Whether two values are the same setting: places do not count, `8` equals `8.0`, and tables
    /// have no order.
    #[expect(
        clippy::float_cmp,
        reason = "both are as written; nothing was computed"
    )]
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::List(one), Value::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same_value(two))
            }
            (Value::Table(one), Value::Table(two)) => {
                one.entries.len() == two.entries.len()
                    && one.entries.iter().all(|entry| {
                        two.get(&entry.key)
                            .is_some_and(|node| node.same_value(&entry.node))
                    })
            }
            _ => match (self.number(), other.number()) {
                (Some(one), Some(two)) => one == two,
                _ => self.plain() == other.plain(),
            },
        }
    }

    /// The value as a float, if it is a number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "settings beyond 2^53 are seeds, which are not compared as floats"
    )]
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Integer(integer) if integer.unsigned_abs() < 1 << 53 => Some(integer as f64),
            Value::Float(float, _) => Some(float),
            _ => None,
        }
    }

    /// The same without places, for serde.
    #[must_use]
    pub fn plain(&self) -> toml::Value {
        match &self.value {
            Value::Text(text) | Value::Huge(text) | Value::Datetime(text) => {
                toml::Value::String(text.clone())
            }
            Value::Integer(integer) => toml::Value::Integer(*integer),
            Value::Float(float, _) => toml::Value::Float(*float),
            Value::Boolean(boolean) => toml::Value::Boolean(*boolean),
            Value::List(list) => toml::Value::Array(list.iter().map(Self::plain).collect()),
            Value::Table(table) => toml::Value::Table(table.plain()),
        }
    }
}

/// Where a parsed text stands in its source.
pub struct Origin {
    /// The source.
    pub source: Arc<Source>,
    /// Byte of the source at which the parsed text begins.
    pub offset: usize,
}

impl Origin {
    /// A range of the parsed text as a range of the source.
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span {
            source: Arc::clone(&self.source),
            start: range.start + self.offset,
            end: range.end + self.offset,
        }
    }

    /// Takes over a parsed table.
    #[must_use]
    pub fn table(&self, table: &DeTable<'_>) -> Table {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_span: self.span(key.span()),
                node: self.node(value.get_ref(), value.span()),
            })
            .collect();
        // The parser sorts by key; axes need the order in which they were written.
        entries.sort_by_key(|entry| entry.key_span.start);
        Table { entries }
    }

    /// Takes over a parsed value.
    pub fn node(&self, value: &DeValue<'_>, range: std::ops::Range<usize>) -> Node {
        let value = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(integer) => Value::Integer(integer),
                    Err(_) => Value::Huge(integer.to_string()),
                }
            }
            // A float too large to parse is infinite, which no setting allows.
            DeValue::Float(float) => Value::Float(
                float.as_str().parse().unwrap_or(f64::INFINITY),
                float.as_str().to_owned(),
            ),
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
            DeValue::Array(list) => Value::List(
                list.iter()
                    .map(|element| self.node(element.get_ref(), element.span()))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        Node {
            value,
            span: self.span(range),
        }
    }
}
