//! From a cell's tables to its settings: layers are laid together, paths resolved, the result read
//! into the strict structs and checked.

use std::path::Path;

use serde::Deserialize;

use super::checks;
use super::draft::{Draft, Inspector};
use super::environment::{ExpandError, expand, join};
use super::names::is_hub_id;
use super::overlay::{ALTERNATIVES, Alternatives, lay};
use super::problem::Problem;
use super::rules::{Fields, PathKind, Rule};
use super::source::Span;
use super::structure::dotted;
use super::tree::{Entry, Node, Table, Value};
use super::{Experiment, Point, Settings};

impl Experiment {
    /// The settings of one cell: the base, the cell's own values laid over it, then the command
    /// line's; read and checked.
    ///
    /// # Errors
    /// With everything that is wrong with the cell.
    pub fn settings(
        &self,
        point: Point<'_>,
        inspector: &Inspector<'_>,
    ) -> Result<Settings, Vec<Problem>> {
        let layers = match point {
            Point::Base => Vec::new(),
            Point::Run(run) => vec![run.layer.clone()],
            Point::Axes(values) => values
                .iter()
                .map(|(axis, value)| Table::with(&axis.key, &axis.span, (*value).clone()))
                .collect(),
        };
        let mut table = self.base.clone();
        for layer in layers.iter().chain(&self.sets) {
            lay(&mut table, layer, "");
        }
        let draft = Draft {
            path: &self.path,
            kind: self.kind.as_str(),
            kind_span: &self.kind_span,
            fields: &self.fields,
            inspector,
            table,
            tainted: self.tainted.clone(),
            problems: Vec::new(),
        };
        draft.settings()
    }
}

impl Draft<'_> {
    fn settings(mut self) -> Result<Settings, Vec<Problem>> {
        self.resolve_paths();
        checks::targets::resolve(&mut self);
        checks::adapter::start_from(&mut self);
        let fields = self.fields;
        self.find_missing(&self.table.clone(), fields, "", self.kind_span);
        self.find_conflicts();
        let mut plain = self.table.plain();
        plain.insert("kind".to_owned(), toml::Value::String(self.kind.to_owned()));
        let mut settings = match Settings::deserialize(plain) {
            Ok(settings) => settings,
            Err(error) => {
                // The rules should have found the fault, with its place. If they did not, serde's
                // word for it must do.
                if self.problems.is_empty() && self.tainted.is_empty() {
                    self.push(
                        self.problem(error.message())
                            .at(self.kind_span, "in this experiment"),
                    );
                }
                return Err(self.problems);
            }
        };
        settings.as_check().check(&mut self);
        if self.problems.is_empty() {
            Ok(settings)
        } else {
            Err(self.problems)
        }
    }

    fn resolve_paths(&mut self) {
        let mut table = std::mem::take(&mut self.table);
        let fields = self.fields;
        self.resolve_table(&mut table, fields, "");
        self.table = table;
    }

    fn resolve_table(&mut self, table: &mut Table, fields: &Fields, path: &str) {
        for Entry { key, node, .. } in &mut table.entries {
            if let Some(field) = fields.keys.get(key) {
                self.resolve_node(node, &field.rule, &dotted(path, key));
            }
        }
    }

    fn resolve_node(&mut self, node: &mut Node, rule: &Rule, key: &str) {
        match (&mut node.value, rule) {
            (Value::Table(table), Rule::Table(fields)) => self.resolve_table(table, fields, key),
            (Value::List(list), Rule::List { items, .. }) => {
                for element in list {
                    self.resolve_node(element, items, key);
                }
            }
            (Value::Text(text), Rule::Path(kind)) => {
                match self.resolve(text, *kind, &node.span, key) {
                    Ok(path) => *text = path,
                    Err(problem) => {
                        self.push(problem);
                        self.taint(key);
                    }
                }
            }
            _ => {}
        }
    }

    fn resolve(
        &self,
        text: &str,
        kind: PathKind,
        span: &Span,
        key: &str,
    ) -> Result<String, Problem> {
        let environment = self.inspector.environment();
        let expanded = expand(text, environment).map_err(|error| match error {
            ExpandError::Unset(name) => self
                .problem(format!("the environment variable `{name}` is not set"))
                .unset(&name)
                .at(span, format!("`{key}` needs it"))
                .help(format!(
                    "set it for this command: {name}=/path/to/it ensayo …"
                )),
            ExpandError::Garbled(name) => self
                .problem(format!("the environment variable `{name}` is not UTF-8"))
                .at(span, format!("`{key}` needs it"))
                .help("paths in experiments are UTF-8: give the file or folder such a name, or a link to it"),
            ExpandError::Open => self
                .problem(format!("`{key}` has a `${{` without its `}}`"))
                .at(span, "never closed"),
        })?;
        if expanded.is_empty() {
            return Err(self
                .problem(format!("`{key}` is empty"))
                .at(span, "names nothing"));
        }
        let path = join(&span.source.folder, &expanded);
        let (there, noun, other) = match kind {
            PathKind::File => (
                environment.is_file(&path),
                "file",
                environment.is_folder(&path),
            ),
            PathKind::Folder => (
                environment.is_folder(&path),
                "folder",
                environment.is_file(&path),
            ),
            PathKind::Any => (
                environment.is_file(&path) || environment.is_folder(&path),
                "file or folder",
                false,
            ),
        };
        if there {
            return Ok(path.display().to_string());
        }
        let label = match (other, noun) {
            _ if environment.is_special(&path) => "a pipe or a device, not a file",
            (true, "file") => "a folder, not a file",
            (true, _) => "a file, not a folder",
            _ => "not found",
        };
        let start = if span.source.folder.as_os_str().is_empty() {
            "the current folder"
        } else {
            "this file's folder"
        };
        let mut problem = self
            .problem(format!("`{key}`: no {noun} `{}`", path.display()))
            .at(span, label);
        let of_model = ["model.path", "embedder.path", "generator.path"].contains(&key);
        if of_model && !other && is_hub_id(&expanded) {
            problem = problem.help(format!("a model of the hub is `id = \"{expanded}\"`"));
        }
        Err(if Path::new(&expanded).is_absolute() {
            problem
        } else {
            problem.help(format!("paths start from {start}"))
        })
    }

    fn find_missing(&mut self, table: &Table, fields: &Fields, path: &str, holder: &Span) {
        for (key, field) in &fields.keys {
            let inner = dotted(path, key);
            match (table.get(key), &field.rule) {
                (Some(node), Rule::Table(fields)) => {
                    if let Value::Table(table) = &node.value {
                        self.find_missing(table, fields, &inner, &node.span);
                    }
                }
                (None, rule) if field.required && !self.is_tainted(&[&inner]) => {
                    let kind = self.kind;
                    let problem = match rule {
                        Rule::Table(_) => self
                            .problem(format!("`[{inner}]` is missing"))
                            .at(holder, format!("kind \"{kind}\" needs it")),
                        Rule::List { items, .. } if matches!(**items, Rule::Table(_)) => self
                            .problem(format!("`[[{inner}]]` is missing"))
                            .at(holder, format!("kind \"{kind}\" needs it")),
                        _ => self
                            .problem(format!("`{inner}` is missing"))
                            .at(holder, format!("has no `{key}`")),
                    };
                    self.push(problem);
                    self.taint(&inner);
                }
                _ => {}
            }
        }
    }

    fn find_conflicts(&mut self) {
        for alternatives in ALTERNATIVES {
            let Some(table) = self.table.get(alternatives.table).and_then(Node::as_table) else {
                continue;
            };
            let given: Vec<String> = alternatives
                .keys
                .iter()
                .filter(|(key, _)| table.entry(key).is_some())
                .map(|(key, _)| (*key).to_owned())
                .collect();
            if let Some(problem) = self.conflict(alternatives, table) {
                self.push(problem);
                self.taint(alternatives.table);
            }
            self.settle(alternatives, &given);
        }
    }

    /// What is wrong with the settings of a table that exclude each other.
    fn conflict(&self, alternatives: &Alternatives, table: &Table) -> Option<Problem> {
        let name = alternatives.table;
        let given: Vec<&Entry> = alternatives
            .keys
            .iter()
            .filter_map(|(key, _)| table.entry(key))
            .collect();
        match given.as_slice() {
            [] => {
                let keys = alternatives.keys.iter().map(|(key, _)| dotted(name, key));
                let (known, keys) = (self.known(alternatives), keys.collect::<Vec<_>>());
                let tainted = keys.iter().any(|key| self.is_tainted(&[key]));
                if !alternatives.required || known.is_empty() || tainted {
                    return None;
                }
                let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
                let problem = self.problem(format!("`[{name}]` needs one of {}", known.join(", ")));
                let span = self.span(name);
                Some(problem.at(&span, "has none of them"))
            }
            [one] => {
                let stray = alternatives.stray(table, &one.key)?;
                let message = format!("`{name}.{}` has no effect beside `{}`", stray.key, one.key);
                let problem = self.problem(message).at(&stray.key_span, "leave this out");
                Some(problem.at(&one.key_span, ""))
            }
            [first, second, ..] => Some(
                self.problem(format!(
                    "`[{name}]` has both `{}` and `{}`",
                    first.key, second.key
                ))
                .at(&second.key_span, "these exclude each other")
                .at(&first.key_span, "")
                .help("keep one of them"),
            ),
        }
    }

    /// The alternatives that the experiment's kind has.
    fn known(&self, alternatives: &Alternatives) -> Vec<&'static str> {
        let keys = alternatives.keys.iter().map(|(key, _)| *key);
        keys.filter(|key| self.fields.at(&dotted(alternatives.table, key)).is_some())
            .collect()
    }

    /// Leaves one of the settings that exclude each other, so that the others can still be read and
    /// checked. What is wrong with them has been reported.
    fn settle(&mut self, alternatives: &Alternatives, given: &[String]) {
        let known = self.known(alternatives);
        let span = self.span(alternatives.table);
        let mut entries = self.table.entries.iter_mut();
        let entry = entries.find(|entry| entry.key == alternatives.table);
        let Some(Value::Table(table)) = entry.map(|entry| &mut entry.node.value) else {
            return;
        };
        match (given, known.first()) {
            ([], Some(first)) if alternatives.required => table.put(Entry {
                key: (*first).to_owned(),
                key_span: span.clone(),
                node: Node {
                    value: Value::Text(String::new()),
                    span,
                },
            }),
            ([_, others @ ..], _) => {
                for key in others {
                    table.remove(key);
                }
            }
            _ => {}
        }
    }
}
