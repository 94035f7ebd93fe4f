//! One cell on its way from tables to settings: layers are laid together, paths resolved, the result read into the strict structs and checked.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use engine::shapes::Shapes;
use serde::Deserialize;

use super::environment::{Environment, ExpandError, expand, join};
use super::overlay::{ALTERNATIVES, lay};
use super::problem::Problem;
use super::rules::{Fields, PathKind, Rule};
use super::source::Span;
use super::structure::dotted;
use super::tree::{Entry, Node, Table, Value};
use super::{Experiment, Settings, checks};

/// Looks at the files that configurations refer to, each checkpoint once.
pub struct Inspector<'a> {
    environment: &'a dyn Environment,
    shapes: RefCell<BTreeMap<PathBuf, Rc<Result<Shapes, String>>>>,
}

impl<'a> Inspector<'a> {
    /// An inspector that has seen nothing yet.
    #[must_use]
    pub fn new(environment: &'a dyn Environment) -> Self {
        Self {
            environment,
            shapes: RefCell::default(),
        }
    }

    pub(super) fn environment(&self) -> &dyn Environment {
        self.environment
    }

    /// What the network of a `config.json` consists of, or why that cannot be told.
    pub(super) fn shapes(&self, config: &Path) -> Rc<Result<Shapes, String>> {
        if let Some(known) = self.shapes.borrow().get(config) {
            return Rc::clone(known);
        }
        // The number of classes is only known once the data is read; nothing that is checked here depends on it.
        let read = match self.environment.read(config) {
            Ok(text) => Shapes::read(&text, 2).map_err(|error| error.to_string()),
            Err(error) => Err(format!("cannot read `{}`: {error}", config.display())),
        };
        let read = Rc::new(read);
        self.shapes
            .borrow_mut()
            .insert(config.to_owned(), Rc::clone(&read));
        read
    }
}

/// A cell that is being put together.
pub(super) struct Draft<'a> {
    pub experiment: &'a Experiment,
    pub inspector: &'a Inspector<'a>,
    pub table: Table,
    tainted: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl<'a> Draft<'a> {
    pub fn new(experiment: &'a Experiment, layers: &[Table], inspector: &'a Inspector<'a>) -> Self {
        let mut table = experiment.base.clone();
        for layer in layers.iter().chain(&experiment.sets) {
            lay(&mut table, layer, "");
        }
        Self {
            experiment,
            inspector,
            table,
            tainted: experiment.tainted.clone(),
            problems: Vec::new(),
        }
    }

    pub fn settings(mut self) -> Result<Settings, Vec<Problem>> {
        self.resolve_paths();
        checks::adapter::start_from(&mut self);
        let experiment = self.experiment;
        self.find_missing(
            &self.table.clone(),
            &experiment.fields,
            "",
            &experiment.kind_span,
        );
        self.find_conflicts();
        let mut plain = self.table.plain();
        plain.insert(
            "kind".to_owned(),
            toml::Value::String(experiment.kind.as_str().to_owned()),
        );
        let settings = match Settings::deserialize(plain) {
            Ok(settings) => checks::run(&mut self, settings),
            Err(error) => {
                // The rules should have found the fault, with its place. If they did not, serde's word for it must do.
                if self.problems.is_empty() && self.tainted.is_empty() {
                    self.push(
                        self.problem(error.message())
                            .at(&experiment.kind_span, "in this experiment"),
                    );
                }
                return Err(self.problems);
            }
        };
        if self.problems.is_empty() {
            Ok(settings)
        } else {
            Err(self.problems)
        }
    }

    /// A problem of the cell's experiment.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(&self.experiment.path, message)
    }

    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Declares that nothing may be concluded from a setting, since something is wrong with it.
    pub fn taint(&mut self, key: &str) {
        self.tainted.insert(key.to_owned());
    }

    /// Whether something is known to be wrong with one of the settings, a table that holds it, or a setting in it.
    pub fn is_tainted(&self, keys: &[&str]) -> bool {
        let holds = |outer: &str, inner: &str| {
            inner == outer
                || inner
                    .strip_prefix(outer)
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        self.tainted.iter().any(|tainted| {
            keys.iter()
                .any(|key| holds(tainted, key) || holds(key, tainted))
        })
    }

    /// Where a setting is written; if it is not, where the table that would hold it is, or else the experiment's kind.
    pub fn span(&self, key: &str) -> Span {
        match (self.table.at(key), key.rsplit_once('.')) {
            (Some(node), _) => node.span.clone(),
            (None, Some((outer, _))) => self.span(outer),
            (None, None) => self.experiment.kind_span.clone(),
        }
    }

    fn resolve_paths(&mut self) {
        let mut table = std::mem::take(&mut self.table);
        let experiment = self.experiment;
        self.resolve_table(&mut table, &experiment.fields, "");
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
                .at(span, format!("`{key}` needs it"))
                .help(format!(
                    "set it for this command: {name}=/path/to/it ensayo …"
                )),
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
            (true, "file") => "a folder, not a file",
            (true, _) => "a file, not a folder",
            _ => "not found",
        };
        let start = if span.source.folder.as_os_str().is_empty() {
            "the current folder"
        } else {
            "this file's folder"
        };
        let problem = self
            .problem(format!("`{key}`: no {noun} `{}`", path.display()))
            .at(span, label);
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
                    let kind = self.experiment.kind;
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
            let Some(node) = self.table.get(alternatives.table) else {
                continue;
            };
            let Some(table) = node.as_table() else {
                continue;
            };
            let name = alternatives.table;
            let given: Vec<&Entry> = alternatives
                .keys
                .iter()
                .filter_map(|(key, _)| table.entry(key))
                .collect();
            let known: Vec<String> = alternatives
                .keys
                .iter()
                .filter(|(key, _)| self.experiment.fields.at(&dotted(name, key)).is_some())
                .map(|(key, _)| format!("`{key}`"))
                .collect();
            let problem = match given.as_slice() {
                [] if alternatives.required && !known.is_empty() => {
                    let keys: Vec<String> = alternatives
                        .keys
                        .iter()
                        .map(|(key, _)| dotted(name, key))
                        .collect();
                    if keys.iter().any(|key| self.is_tainted(&[key])) {
                        continue;
                    }
                    self.problem(format!("`[{name}]` needs one of {}", known.join(", ")))
                        .at(&node.span, "has none of them")
                }
                [] => continue,
                [one] => match alternatives.stray(table, &one.key) {
                    Some(stray) => self
                        .problem(format!(
                            "`{name}.{}` means nothing beside `{}`",
                            stray.key, one.key
                        ))
                        .at(&stray.key_span, "leave this out")
                        .at(&one.key_span, ""),
                    None => continue,
                },
                [first, second, ..] => self
                    .problem(format!(
                        "`[{name}]` has both `{}` and `{}`",
                        first.key, second.key
                    ))
                    .at(&second.key_span, "these exclude each other")
                    .at(&first.key_span, "")
                    .help("keep one of them"),
            };
            self.push(problem);
            self.taint(name);
        }
    }
}
