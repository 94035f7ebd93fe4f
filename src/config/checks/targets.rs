//! `lora.targets` as one string, which means what it means to PEFT: the model's own layers take its
//! place.

use std::path::{Path, PathBuf};

use engine::checkpoint::ALL_LINEAR;

use crate::config::draft::Draft;
use crate::config::source::Span;
use crate::config::tree::{Entry, Node, Value};

/// Puts the layers that a string means in its place, and reports where it means none.
pub(in crate::config) fn resolve(draft: &mut Draft<'_>) {
    let Some(node) = draft.table.at("lora.targets").cloned() else {
        return;
    };
    let Some(expression) = node.as_text() else {
        return;
    };
    let usable = match config(draft) {
        Some(config) => draft.inspector.shapes(&config).is_ok(),
        // Resolved as soon as the model is fetched.
        None => draft.table.at("model.id").is_none(),
    };
    if !usable || draft.is_tainted(&["model", "model.path", "model.random.config"]) {
        // Said of the model.
        nothing(draft, &node.span);
        return;
    }
    match names(draft, expression) {
        Ok(names) => {
            let value = list(names, &node.span);
            let span = node.span;
            put(draft, "targets", Node { value, span });
        }
        Err(message) => {
            let problem = draft.problem(format!("`lora.targets`: {message}"));
            let problem = problem.at(&node.span, "means no layers");
            draft.push(problem.help(format!(
                "a string is {ALL_LINEAR:?} or an expression for whole module names; a list names layers: [\"query\", \"value\"]"
            )));
            nothing(draft, &node.span);
        }
    }
}

/// Leaves no targets, of which nothing more is said.
fn nothing(draft: &mut Draft<'_>, span: &Span) {
    let value = list(Vec::new(), span);
    let span = span.clone();
    put(draft, "targets", Node { value, span });
    draft.taint("lora.targets");
}

/// The layers that a string means.
pub(super) fn names(draft: &Draft<'_>, expression: &str) -> Result<Vec<String>, String> {
    let Some(config) = config(draft) else {
        return Err(format!(
            "`{expression}` needs a model in a folder (model.path), whose layers it tells apart"
        ));
    };
    match draft.inspector.shapes(&config).as_ref() {
        Ok(shapes) if expression == ALL_LINEAR => Ok(shapes.logical_names()),
        Ok(shapes) => shapes
            .resolve_expression(expression)
            .map_err(|error| error.to_string()),
        Err(_) => Err(format!("`{expression}` needs a model that can be used")),
    }
}

/// The model's `config.json`, where it lies on this machine.
fn config(draft: &Draft<'_>) -> Option<PathBuf> {
    let text = |key: &str| draft.table.at(key).and_then(Node::as_text);
    let of_hub = |id: &str| {
        let revision = text("model.revision").unwrap_or("main");
        draft.inspector.environment().hub_model(id, revision)
    };
    match (text("model.path"), text("model.random.config")) {
        (Some(folder), _) => Some(Path::new(folder).join("config.json")),
        (None, Some(config)) => Some(config.into()),
        (None, None) => Some(text("model.id").and_then(of_hub)?.join("config.json")),
    }
}

/// Puts a value into `[lora]`.
pub(super) fn put(draft: &mut Draft<'_>, key: &str, node: Node) {
    let tables = draft.table.entries.iter_mut();
    let mut lora = tables.filter(|entry| entry.key == "lora");
    if let Some(Value::Table(lora)) = lora.next().map(|entry| &mut entry.node.value) {
        lora.put(Entry {
            key: key.to_owned(),
            key_span: node.span.clone(),
            node,
        });
    }
}

/// Names as a list that stands where `span` is.
pub(super) fn list(mut names: Vec<String>, span: &Span) -> Value {
    let node = |name: String| Node {
        value: Value::Text(name),
        span: span.clone(),
    };
    // PEFT writes a set, in an order that means nothing.
    names.sort_unstable();
    Value::List(names.into_iter().map(node).collect())
}
