//! Checks every table and value as it is written, before anything is laid over anything: unknown
//! keys, wrong types, values out of range.
//!
//! What is wrong is reported, taken out and remembered as tainted, so that later checks neither
//! stumble over it nor report its consequences.

use std::collections::BTreeSet;
use std::path::Path;

use super::Kind;
use super::problem::{Problem, Problems};
use super::rules::{Bounds, Fields, Rule};
use super::suggest;
use super::tree::{Node, Table, Value};

/// One pass over the texts of one experiment.
pub(super) struct Structure<'a> {
    /// The experiment's file.
    pub owner: &'a Path,
    /// All settings of the experiment's kind, for suggestions.
    pub root: &'a Fields,
    /// What was found.
    pub problems: &'a mut Problems,
    /// Dotted keys whose values cannot be relied on.
    pub tainted: &'a mut BTreeSet<String>,
}

impl Structure<'_> {
    /// Checks a table at a dotted key (empty for the whole file) that will be laid together with
    /// others: no key has to be there.
    pub fn table(&mut self, table: &mut Table, fields: &Fields, path: &str) {
        let mut kept = Vec::new();
        for mut entry in std::mem::take(&mut table.entries) {
            let key = dotted(path, &entry.key);
            let Some(field) = fields.keys.get(&entry.key) else {
                let problem = self
                    .unknown(&entry.key, path, fields)
                    .at(&entry.key_span, "not a setting");
                self.problems.push(problem);
                continue;
            };
            match (&mut entry.node.value, &field.rule) {
                (Value::Table(inner), Rule::Table(fields)) => self.table(inner, fields, &key),
                _ => {
                    if !self.node(&mut entry.node, &field.rule, &key) {
                        self.tainted.insert(key);
                        continue;
                    }
                }
            }
            kept.push(entry);
        }
        table.entries = kept;
    }

    /// Checks a value that stands as a whole; false if anything in it is wrong.
    pub fn node(&mut self, node: &mut Node, rule: &Rule, key: &str) -> bool {
        let fault = match (&mut node.value, rule) {
            (Value::Table(table), Rule::Table(fields)) => {
                return self.whole_table(table, &node.span, fields, key);
            }
            (
                Value::List(list),
                Rule::List {
                    items, at_least, ..
                },
            ) => {
                if (list.len() as u64) < *at_least {
                    Some((
                        format!("`{key}` is empty"),
                        "empty",
                        format!("it needs at least {at_least} element"),
                    ))
                } else {
                    let mut sound = true;
                    for element in list {
                        sound &= self.node(element, items, key);
                    }
                    return sound;
                }
            }
            (Value::Text(word), Rule::Word(words)) if !words.contains(word) => {
                let help = match suggest::nearest(word, words.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean \"{near}\"? It can be {}", quoted(words)),
                    None => format!("it can be {}", quoted(words)),
                };
                Some((
                    format!("`{key}` cannot be \"{word}\""),
                    "not one of the choices",
                    help,
                ))
            }
            (Value::Integer(_) | Value::Float(..), Rule::Number(bounds))
            | (Value::Integer(_), Rule::Integer(bounds)) => out_of_bounds(node, *bounds, key),
            (
                Value::Text(_),
                Rule::Text
                | Rule::Word(_)
                | Rule::Path(_)
                | Rule::IntegerOrText
                | Rule::List { or_text: true, .. },
            )
            | (Value::Boolean(_), Rule::Boolean)
            | (Value::Integer(_), Rule::IntegerOrText)
            | (_, Rule::Unread) => None,
            _ => Some((
                format!("`{key}` must be {}, not {}", expected(rule), node.noun()),
                node.noun(),
                mend(node, rule, key),
            )),
        };
        let Some((message, label, help)) = fault else {
            return true;
        };
        let mut problem = Problem::new(self.owner, message).at(&node.span, label);
        if !help.is_empty() {
            problem = problem.help(help);
        }
        self.problems.push(problem);
        false
    }

    /// A table that nothing is laid over, so that its required keys have to be there.
    fn whole_table(
        &mut self,
        table: &mut Table,
        header: &super::source::Span,
        fields: &Fields,
        path: &str,
    ) -> bool {
        let before = self.problems.iter().count();
        let present: BTreeSet<String> = table
            .entries
            .iter()
            .map(|entry| entry.key.clone())
            .collect();
        // Whether a key is only misspelt must be seen in this table, not in others of the same
        // list.
        let tainted = std::mem::take(self.tainted);
        self.table(table, fields, path);
        for (key, field) in &fields.keys {
            let inner = dotted(path, key);
            if field.required && !present.contains(key) && !self.tainted.contains(&inner) {
                let problem = Problem::new(self.owner, format!("`{inner}` is missing"));
                self.problems
                    .push(problem.at(header, format!("has no `{key}`")));
            }
        }
        self.tainted.extend(tainted);
        self.problems.iter().count() == before
    }

    fn unknown(&mut self, key: &str, path: &str, fields: &Fields) -> Problem {
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" in `[{path}]`")
        };
        let problem = Problem::new(self.owner, format!("unknown key `{key}`{place}"));
        let siblings = || fields.keys.keys().map(String::as_str);
        let settings = self.root.settings();
        let elsewhere = |name: &str| {
            settings
                .iter()
                .find(|setting| setting.rsplit('.').next() == Some(name))
                .cloned()
        };
        if path.is_empty() && settings.iter().any(|setting| setting == key) {
            self.tainted.insert(key.to_owned());
            return problem.help(format!("write the dotted key without quotes: {key} = …"));
        }
        let translated = suggest::translated(key);
        let sibling = translated
            .filter(|name| fields.keys.contains_key(*name))
            .or_else(|| suggest::nearest(key, siblings()));
        if let Some(near) = sibling {
            self.tainted.insert(dotted(path, near));
            return problem.help(format!("did you mean `{near}`?"));
        }
        let ends = settings
            .iter()
            .filter_map(|setting| setting.rsplit('.').next());
        let elsewhere = settings
            .iter()
            .find(|setting| *setting == key)
            .cloned()
            .or_else(|| elsewhere(key))
            .or_else(|| translated.and_then(elsewhere))
            .or_else(|| suggest::nearest(key, ends).and_then(elsewhere));
        let of_another_kind = path.is_empty()
            && Kind::ALL
                .into_iter()
                .any(|kind| kind.fields().keys.contains_key(key));
        if let Some(setting) = elsewhere.filter(|_| !of_another_kind) {
            self.tainted.insert(setting.clone());
            return problem.help(match setting.rsplit_once('.') {
                Some((table, name)) => format!("did you mean `{name}` in `[{table}]`?"),
                None => format!("did you mean `{setting}`?"),
            });
        }
        if path.is_empty() {
            let kinds: Vec<&str> = Kind::ALL
                .into_iter()
                .filter(|kind| kind.fields().keys.contains_key(key))
                .map(Kind::as_str)
                .collect();
            if !kinds.is_empty() {
                return problem.help(format!(
                    "it belongs to experiments of kind {}",
                    kinds.join(" and ")
                ));
            }
        }
        problem.help(format!(
            "known here: {}",
            siblings().collect::<Vec<_>>().join(", ")
        ))
    }
}

/// `path.key`, or `key` at the top.
pub(super) fn dotted(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn out_of_bounds(node: &Node, bounds: Bounds, key: &str) -> Option<(String, &'static str, String)> {
    let value = match node.value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "bounds are small, and only the order matters"
        )]
        Value::Integer(integer) => integer as f64,
        Value::Float(float, _) => float,
        _ => return None,
    };
    if bounds.contain(value) {
        return None;
    }
    let message = format!(
        "`{key}` is {}, but must be {}",
        node.short_text(),
        bounds.words()
    );
    Some((message, "out of range", String::new()))
}

fn expected(rule: &Rule) -> String {
    match rule {
        Rule::Table(_) => "a table".to_owned(),
        Rule::List { items, or_text, .. } => match items.as_ref() {
            Rule::Table(_) => "a list of tables".to_owned(),
            Rule::Text if *or_text => "a list of strings or a string".to_owned(),
            Rule::Text => "a list of strings".to_owned(),
            _ => "a list".to_owned(),
        },
        Rule::Word(words) => format!("one of {}", quoted(words)),
        Rule::Text => "a string".to_owned(),
        Rule::Path(_) => "a path in quotes".to_owned(),
        Rule::Integer(_) => "an integer".to_owned(),
        Rule::Number(_) => "a number".to_owned(),
        Rule::Boolean => "true or false".to_owned(),
        Rule::IntegerOrText => "an integer or a string".to_owned(),
        Rule::Unread => "something else".to_owned(),
    }
}

/// The change that most likely makes the value right, or nothing.
fn mend(node: &Node, rule: &Rule, key: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    match (&node.value, rule) {
        (Value::Huge(_), _) => "integers go up to 9223372036854775807".to_owned(),
        (Value::Text(text), Rule::Integer(_)) if text.parse::<i64>().is_ok() => {
            format!("write it without quotes: {name} = {text}")
        }
        (Value::Text(text), Rule::Number(_)) if text.parse::<f64>().is_ok() => {
            format!("write it without quotes: {name} = {text}")
        }
        (Value::Text(text), Rule::Boolean) if matches!(text.as_str(), "true" | "false") => {
            format!("write it without quotes: {name} = {text}")
        }
        (Value::Float(float, _), Rule::Integer(_)) if float.fract() == 0.0 => {
            format!("write it without a fraction: {name} = {float}")
        }
        (Value::Text(text), Rule::List { items, .. }) if **items == Rule::Text => {
            format!("write a list: {name} = [\"{text}\"]")
        }
        (
            Value::Integer(_) | Value::Float(..) | Value::Boolean(_),
            Rule::Text | Rule::Path(_) | Rule::Word(_),
        ) => {
            format!("write it in quotes: {name} = \"{}\"", node.short_text())
        }
        (Value::List(_), rule) if !matches!(rule, Rule::List { .. } | Rule::Table(_)) => {
            format!("to try several values, put `\"{key}\" = [ … ]` into `[grid]`")
        }
        _ => String::new(),
    }
}

fn quoted(words: &[String]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}
