//! The `[grid]` table: axes, axes that move together, and points that are left out.

use std::collections::BTreeSet;

use super::experiment::{Axis, Exclude};
use super::reader::Reader;
use super::rules::Rule;
use super::source::Span;
use super::structure::dotted;
use super::suggest;
use super::tree::{Entry, Node, Table, Value};

/// What a `[grid]` says.
#[derive(Debug, Default)]
pub(super) struct Axes {
    /// Groups of axes that move together; a plain axis is a group of its own.
    pub groups: Vec<Vec<Axis>>,
    /// Points that are left out.
    pub excludes: Vec<Exclude>,
    /// Whether nothing was wrong, so that conclusions can be drawn from what is there.
    pub is_sound: bool,
}

/// Whether two dotted keys speak of the same setting, or one of a table that holds the other.
pub(super) fn overlap(one: &str, two: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    holds(one, two) || holds(two, one)
}

/// Reads the table.
pub(super) fn read(reader: &mut Reader<'_>, entry: Option<Entry>) -> Axes {
    let Some(entry) = entry else {
        return Axes {
            is_sound: true,
            ..Axes::default()
        };
    };
    let Value::Table(mut table) = entry.node.value else {
        let problem = reader.problem(format!("`grid` must be a table, not {}", entry.node.noun()));
        reader.push(problem.at(&entry.key_span, ""));
        return Axes::default();
    };
    let before = reader.problems.iter().count();
    let zips = table.remove("zip");
    let excludes = table.remove("exclude");
    let mut named = Named::default();
    let mut groups: Vec<Vec<Axis>> = Vec::new();
    for axis in read_axes(reader, &table, &mut named) {
        differ(reader, std::slice::from_ref(&axis));
        groups.push(vec![axis]);
    }
    for zip in tables(reader, zips, "zip") {
        let before = reader.problems.iter().count();
        let axes = read_axes(reader, &zip.1, &mut named);
        if reader.problems.iter().count() == before {
            groups.extend(zipped(reader, axes, &zip.0));
        } else if is_even(&axes) {
            // What is left of it still serves to check the values.
            groups.push(axes);
        }
    }
    // A zip stands among the plain axes where its first axis was written.
    groups.sort_by_key(|group| group.first().map(|axis| axis.span.start));
    let excludes = tables(reader, excludes, "exclude");
    let excludes = excludes
        .iter()
        .filter_map(|(span, table)| read_exclude(reader, table, span, &groups, &named))
        .collect();
    Axes {
        groups,
        excludes,
        is_sound: reader.problems.iter().count() == before,
    }
}

/// Keys of axes so far, sound or not.
#[derive(Default)]
struct Named(Vec<(String, Span)>);

fn tables(reader: &mut Reader<'_>, entry: Option<Entry>, name: &str) -> Vec<(Span, Table)> {
    let Some(entry) = entry else {
        return Vec::new();
    };
    let Value::List(list) = entry.node.value else {
        let problem = reader.problem(format!("`grid.{name}` must be a list of tables"));
        reader.push(problem.at(&entry.key_span, "").help(format!(
            "write its header with two brackets: [[grid.{name}]]"
        )));
        return Vec::new();
    };
    let mut found = Vec::new();
    for node in list {
        match node.value {
            Value::Table(table) => found.push((node.span, table)),
            _ => reader.push(
                reader
                    .problem(format!("`grid.{name}` must be a list of tables"))
                    .at(&node.span, node.noun()),
            ),
        }
    }
    found
}

/// The axes of a table, whose keys may be written with or without quotes: `"lora.rank" = …` and
/// `lora.rank = …` are the same.
fn read_axes(reader: &mut Reader<'_>, table: &Table, named: &mut Named) -> Vec<Axis> {
    let mut axes = Vec::new();
    for (key, span, node) in flat(reader, table, "") {
        let Some(rule) = reader.fields.at(&key).cloned() else {
            unknown(reader, &key, &span);
            named.0.push((key, span));
            continue;
        };
        if let Some((known, first)) = named.0.iter().find(|(known, _)| overlap(known, &key)) {
            let message = if *known == key {
                format!("`{key}` has two axes")
            } else {
                format!("the axes `{known}` and `{key}` set the same setting")
            };
            let problem = reader.problem(message);
            let problem = problem.at(&span, "the second").at(first, "the first");
            reader.push(problem.help("axes that move together belong in one [[grid.zip]]"));
            continue;
        }
        named.0.push((key.clone(), span.clone()));
        match read_values(reader, &key, node, &rule) {
            Some(values) => axes.push(Axis {
                is_path: matches!(rule, Rule::Path(_)),
                key,
                span,
                values,
            }),
            // Cells will lack the setting because the axis is broken, not because nobody gave it.
            None => {
                reader.tainted.insert(key);
            }
        }
    }
    axes
}

fn read_values(reader: &mut Reader<'_>, key: &str, node: Node, rule: &Rule) -> Option<Vec<Node>> {
    let noun = node.noun();
    let span = node.span.clone();
    let short = node.short_text();
    let Value::List(list) = node.value else {
        let problem = reader
            .problem(format!("the axis `{key}` must be a list, not {noun}"))
            .at(&span, noun);
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        reader.push(problem.help(format!(
            "for one value, write `{name} = {short}` in `[{table}]`"
        )));
        return None;
    };
    if list.is_empty() {
        reader.push(
            reader
                .problem(format!("the axis `{key}` is empty"))
                .at(&span, "nothing would run"),
        );
        return None;
    }
    let wants_lists = matches!(rule, Rule::List { .. });
    if wants_lists && list.iter().all(|value| value.as_list().is_none()) {
        let problem = reader
            .problem(format!("the axis `{key}` must be a list of lists"))
            .at(&span, "a list");
        reader.push(problem.help(format!(
            "each value is a list: \"{key}\" = [{}]",
            span.text()
        )));
        return None;
    }
    let mut sound = Vec::new();
    for mut value in list {
        if reader.structure().node(&mut value, rule, key) {
            sound.push(value);
        }
    }
    (!sound.is_empty()).then_some(sound)
}

/// Whether there are axes, all equally long.
fn is_even(axes: &[Axis]) -> bool {
    let mut lengths = axes.iter().map(|axis| axis.values.len());
    lengths
        .next()
        .is_some_and(|first| lengths.all(|length| length == first))
}

fn zipped(reader: &mut Reader<'_>, axes: Vec<Axis>, header: &Span) -> Option<Vec<Axis>> {
    let [first, others @ ..] = axes.as_slice() else {
        let problem = reader
            .problem("an empty [[grid.zip]] moves nothing together")
            .at(header, "");
        reader.push(problem.help("give it two axes or more"));
        return None;
    };
    if others.is_empty() {
        let problem = reader
            .problem("a [[grid.zip]] with one axis moves nothing together")
            .at(header, "");
        reader.push(problem.help(format!(
            "write `{}` in `[grid]`, or add the other axes",
            first.key
        )));
    }
    if let Some(other) = others
        .iter()
        .find(|axis| axis.values.len() != first.values.len())
    {
        let values = |axis: &Axis| {
            if axis.values.len() == 1 {
                "1 value".to_owned()
            } else {
                format!("{} values", axis.values.len())
            }
        };
        let problem = reader.problem("axes that move together must be equally long");
        reader.push(
            problem
                .at(&other.span, values(other))
                .at(&first.span, values(first)),
        );
        return None;
    }
    differ(reader, &axes);
    Some(axes)
}

/// Reports values of a group that come twice: their runs would be equal.
fn differ(reader: &mut Reader<'_>, group: &[Axis]) {
    let Some(first) = group.first() else { return };
    for later in 1..first.values.len() {
        let twice = |earlier: usize| {
            group.iter().all(|axis| {
                matches!((axis.values.get(earlier), axis.values.get(later)), (Some(one), Some(two)) if one.same_value(two))
            })
        };
        if let Some(earlier) = (0..later).find(|&earlier| twice(earlier)) {
            let value = &first.values[later];
            let keys = group
                .iter()
                .map(|axis| format!("`{}`", axis.key))
                .collect::<Vec<_>>()
                .join(" and ");
            let problem = reader.problem(format!("the same value of {keys} appears twice"));
            let problem = problem
                .at(&value.span, "again")
                .at(&first.values[earlier].span, "the first time");
            reader.push(problem.help(
                "leave one out: their runs would be identical; to repeat a run, use `seeds`",
            ));
        }
    }
}

fn read_exclude(
    reader: &mut Reader<'_>,
    table: &Table,
    span: &Span,
    groups: &[Vec<Axis>],
    named: &Named,
) -> Option<Exclude> {
    let mut conditions = Vec::new();
    let mut sound = true;
    for (key, key_span, node) in flat(reader, table, "") {
        let Some(axis) = groups.iter().flatten().find(|axis| axis.key == key) else {
            sound = false;
            if !named.0.iter().any(|(known, _)| *known == key) {
                let keys: Vec<&str> = named.0.iter().map(|(known, _)| known.as_str()).collect();
                let problem = reader
                    .problem(format!("`{key}` is not an axis"))
                    .at(&key_span, "excludes nothing");
                reader.push(
                    problem.help(match suggest::nearest(&key, keys.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the axes are {}", keys.join(", ")),
                    }),
                );
            }
            continue;
        };
        if !axis.values.iter().any(|value| value.same_value(&node)) {
            sound = false;
            let problem = reader.problem(format!(
                "the axis `{key}` has no value {}",
                node.span.text()
            ));
            let values: Vec<&str> = axis.values.iter().map(|value| value.span.text()).collect();
            let problem = problem.at(&node.span, "excludes nothing");
            reader.push(problem.help(format!("its values are {}", values.join(", "))));
            continue;
        }
        conditions.push((key, node));
    }
    if sound && conditions.is_empty() {
        reader.push(
            reader
                .problem("an empty [[grid.exclude]] excludes everything")
                .at(span, ""),
        );
        return None;
    }
    sound.then(|| Exclude {
        span: span.clone(),
        conditions,
    })
}

/// A table's entries under dotted keys, with tables opened as far as the settings have tables
/// there.
fn flat(reader: &Reader<'_>, table: &Table, path: &str) -> Vec<(String, Span, Node)> {
    let mut found = Vec::new();
    for Entry {
        key,
        key_span,
        node,
    } in &table.entries
    {
        let key = dotted(path, key);
        match (&node.value, reader.fields.at(&key)) {
            (Value::Table(inner), Some(Rule::Table(_))) => found.extend(flat(reader, inner, &key)),
            _ => found.push((key, key_span.clone(), node.clone())),
        }
    }
    found
}

fn unknown(reader: &mut Reader<'_>, key: &str, span: &Span) {
    let settings = reader.fields.settings();
    let last = key.rsplit('.').next().unwrap_or(key);
    let ours = suggest::translated(last).unwrap_or(last);
    let ends: BTreeSet<&str> = settings
        .iter()
        .filter_map(|setting| setting.rsplit('.').next())
        .collect();
    let ending = |name: &str| {
        settings
            .iter()
            .find(|setting| setting.rsplit('.').next() == Some(name))
            .cloned()
    };
    let near = ending(ours)
        .or_else(|| {
            suggest::nearest(
                key,
                settings
                    .iter()
                    .map(String::as_str)
                    .chain(["zip", "exclude"]),
            )
            .map(str::to_owned)
        })
        .or_else(|| suggest::nearest(last, ends).and_then(ending));
    reader.tainted.extend(near.clone());
    let problem = reader
        .problem(format!("the axis `{key}` names no setting"))
        .at(span, "not a setting");
    reader.push(match near {
        Some(near) if near.contains('.') => problem.help(format!("did you mean \"{near}\"?")),
        Some(near) => problem.help(format!("did you mean [[grid.{near}]]?")),
        None => problem.help("an axis is a dotted key such as \"lora.rank\""),
    });
}
