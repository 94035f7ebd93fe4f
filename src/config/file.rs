//! One experiment's file, from its text to an [`Experiment`]. Collects everything that is wrong
//! with the text itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::overrides::Override;
use super::problem::{Problem, Problems};
use super::reader::Reader;
use super::rules::{Bounds, Field, Rule};
use super::source::{Source, Span};
use super::tree::{Node, Origin, Table, Value};
use super::{Experiment, Kind, axes, names, suggest};

/// Keys at the top of a file that are not settings.
const FRAME: [&str; 7] = [
    "name",
    "kind",
    "description",
    "seeds",
    "runs",
    "grid",
    "compare",
];

/// The seed of an experiment that gives none.
const DEFAULT_SEED: u64 = 42;

/// Reads a file's text. Nothing comes back if it is so wrong that no cell can be looked at; what is
/// wrong is added to `problems`.
pub(super) fn read(
    path: &Path,
    text: &str,
    sets: &[Override],
    problems: &mut Problems,
) -> Option<Experiment> {
    let source = Arc::new(Source {
        name: path.display().to_string(),
        text: text.to_owned(),
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
    });
    let origin = Origin { source, offset: 0 };
    let parsed = match DeTable::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            problems.push(syntax_problem(path, &origin, &error));
            return None;
        }
    };
    let mut table = origin.table(parsed.get_ref());
    let top = origin.span(0..0);
    let name = read_name(path, &table, &top, problems);
    let name_span = table
        .entry("name")
        .map_or(top.clone(), |entry| entry.node.span.clone());
    let kind_span = table
        .entry("kind")
        .map_or(top.clone(), |entry| entry.node.span.clone());
    let kind = read_kind(path, &table, &top, problems)?;
    let fields = kind.fields();
    let mut reader = Reader {
        path,
        fields: &fields,
        problems,
        tainted: BTreeSet::new(),
    };
    let description = reader.read_description(table.get("description"));
    let mut seeds = reader.read_seeds(table.get("seeds"));
    let runs = reader.read_runs(table.remove("runs"));
    let compare = table.remove("compare");
    let grid = axes::read(&mut reader, table.remove("grid"));
    table
        .entries
        .retain(|entry| !FRAME.contains(&entry.key.as_str()));
    reader.read_base(&mut table);
    let compared = reader.read_compare(compare, kind, &table, &runs);
    let mut layers = Vec::new();
    let mut overrides = Vec::new();
    for set in sets {
        if set.key == "seeds" {
            seeds = reader.read_seeds(Some(&set.value(&Rule::Unread)));
        } else if let Some(rule) = fields.at(&set.key) {
            layers.extend(reader.read_override(set, rule, &grid));
        } else {
            continue;
        }
        overrides.push(set.text.clone());
    }
    let tainted = reader.tainted;
    Some(Experiment {
        name,
        path: path.to_owned(),
        kind,
        description,
        seeds,
        overrides,
        runs,
        groups: grid.groups,
        excludes: grid.excludes,
        grid_is_sound: grid.is_sound,
        base: table,
        sets: layers,
        compared,
        name_span,
        kind_span,
        fields,
        tainted,
    })
}

/// The parser's own words, except where they do not say what is wrong.
pub(super) fn syntax_problem(path: &Path, origin: &Origin, error: &toml::de::Error) -> Problem {
    let text = &origin.source.text;
    let range = error.span().unwrap_or(0..0);
    // At the end of the text there is nothing to underline, so the last character stands for what
    // is missing.
    let last = text
        .trim_end()
        .char_indices()
        .next_back()
        .map_or(0, |(index, _)| index);
    let range = if range.start > last {
        last..text.trim_end().len()
    } else {
        range
    };
    let span = origin.span(range.clone());
    let before = text
        .get(..range.end)
        .unwrap_or_default()
        .trim_end_matches([' ', '\t', '\n', '\r']);
    let at_line_end = text.get(range.end..).is_none_or(|rest| {
        rest.trim_start_matches([' ', '\t']).is_empty() || rest.starts_with(['\n', '\r'])
    });
    if before.ends_with('=') && at_line_end {
        let end = before.len();
        return Problem::new(path, "the value is missing")
            .at(&origin.span(end - 1..end), "nothing after this");
    }
    if error.message() == "duplicate key" {
        return Problem::new(path, format!("the key `{}` appears twice", span.text()))
            .at(&span, "again");
    }
    Problem::new(path, error.message()).at(&span, "not TOML")
}

fn read_name(path: &Path, table: &Table, top: &Span, problems: &mut Problems) -> String {
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let problem = match table.get("name") {
        None => Some(
            Problem::new(path, "`name` is missing")
                .at(top, "")
                .help(format!("add `name = \"{stem}\"`")),
        ),
        Some(node) => match node.as_text() {
            Some(name) if name == stem => names::experiment_fault(name).map(|fault| {
                Problem::new(path, format!("the experiment's name {fault}")).at(&node.span, "")
            }),
            Some(name) => Some(
                Problem::new(
                    path,
                    format!("the experiment is called `{name}`, but its file `{stem}.toml`"),
                )
                .at(&node.span, "differs from the file")
                .help(format!("write `name = \"{stem}\"`, or rename the file")),
            ),
            None => Some(
                Problem::new(
                    path,
                    format!("`name` must be a string, not {}", node.noun()),
                )
                .at(&node.span, ""),
            ),
        },
    };
    problems.extend(problem);
    stem
}

fn read_kind(path: &Path, table: &Table, top: &Span, problems: &mut Problems) -> Option<Kind> {
    let choices = || {
        let words = Kind::ALL.map(|kind| format!("\"{kind}\""));
        format!("it can be {}", words.join(", "))
    };
    let Some(node) = table.get("kind") else {
        problems.push(
            Problem::new(path, "`kind` is missing")
                .at(top, "")
                .help(choices()),
        );
        return None;
    };
    let word = node.as_text().unwrap_or_default();
    if let Some(kind) = Kind::from_word(word) {
        return Some(kind);
    }
    let problem = Problem::new(path, format!("`kind` cannot be {}", node.span.text()))
        .at(&node.span, "not a kind");
    let near = suggest::nearest(word, Kind::ALL.into_iter().map(Kind::as_str));
    problems.push(problem.help(match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => choices(),
    }));
    None
}

impl Reader<'_> {
    fn read_description(&mut self, node: Option<&Node>) -> String {
        let Some(node) = node else {
            return String::new();
        };
        if let Some(text) = node.as_text() {
            return text.to_owned();
        }
        self.push(
            self.problem(format!(
                "`description` must be a string, not {}",
                node.noun()
            ))
            .at(&node.span, ""),
        );
        String::new()
    }

    fn read_seeds(&mut self, node: Option<&Node>) -> Vec<u64> {
        let Some(node) = node else {
            return vec![DEFAULT_SEED];
        };
        let Some(list) = node.as_list() else {
            let problem = self.problem(format!(
                "`seeds` must be a list of integers, not {}",
                node.noun()
            ));
            self.push(
                problem
                    .at(&node.span, "")
                    .help(format!("write `seeds = [{}]`", node.short_text())),
            );
            return vec![DEFAULT_SEED];
        };
        if list.is_empty() {
            let problem = self
                .problem("`seeds` is empty")
                .at(&node.span, "nothing would run");
            self.push(problem.help("leave it out for `seeds = [42]`"));
        }
        let rule = Rule::Integer(Bounds {
            minimum: Some(0.0),
            ..Bounds::default()
        });
        let mut seeds = Vec::new();
        for (index, element) in list.iter().enumerate() {
            if !self
                .structure()
                .node(&mut element.clone(), &rule, &format!("seeds[{index}]"))
            {
                continue;
            }
            let Value::Integer(seed) = element.value else {
                continue;
            };
            let seed = seed.unsigned_abs();
            if seeds.contains(&seed) {
                self.push(
                    self.problem(format!("`seeds` has {seed} twice"))
                        .at(&element.span, "again"),
                );
            } else {
                seeds.push(seed);
            }
        }
        seeds
    }

    fn read_base(&mut self, table: &mut Table) {
        let mut top = self.fields.clone();
        for key in FRAME {
            top.keys.insert(
                key.to_owned(),
                Field {
                    rule: Rule::Unread,
                    required: false,
                },
            );
        }
        self.structure().table(table, &top, "");
    }

    fn read_override(&mut self, set: &Override, rule: &Rule, grid: &axes::Axes) -> Option<Table> {
        let overlapping = grid
            .groups
            .iter()
            .flatten()
            .find(|axis| axes::overlap(&axis.key, &set.key));
        if let Some(axis) = overlapping {
            let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
            let message = format!(
                "`--set {}` would make runs of `{stem}`'s grid equal",
                set.key
            );
            let problem = self.problem(message);
            let problem = problem.at(&set.key_span, "an axis of that grid");
            self.push(problem.help(format!(
                "the axis is at {}; name one of its runs instead",
                axis.span
            )));
            return None;
        }
        let mut node = set.value(rule);
        let sound = match (&mut node.value, rule) {
            (Value::Table(table), Rule::Table(fields)) => {
                self.structure().table(table, fields, &set.key);
                true
            }
            _ => self.structure().node(&mut node, rule, &set.key),
        };
        if !sound {
            self.tainted.insert(set.key.clone());
            return None;
        }
        Some(Table::with(&set.key, &set.key_span, node))
    }
}
