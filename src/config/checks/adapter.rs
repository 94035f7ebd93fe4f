//! `lora.init`: the adapter a run starts from says its rank, alpha and targets itself.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::config::draft::Draft;
use crate::config::source::Span;
use crate::config::tree::{Entry, Node, Value};

/// PEFT's `adapter_config.json`, as far as it concerns a configuration.
#[derive(Deserialize)]
struct AdapterConfig {
    r: i64,
    lora_alpha: f64,
    target_modules: Json,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    use_rslora: Option<bool>,
    #[serde(default)]
    use_dora: Option<bool>,
    #[serde(default)]
    rank_pattern: Option<Json>,
    #[serde(default)]
    alpha_pattern: Option<Json>,
}

/// Fills rank, alpha and targets from the adapter, and reports where the experiment says otherwise.
pub(in crate::config) fn start_from(draft: &mut Draft<'_>) {
    const KEYS: [&str; 3] = ["lora.rank", "lora.alpha", "lora.targets"];
    let Some(node) = draft.table.at("lora.init").cloned() else {
        // The adapter would have said them, had its path been right.
        if draft.is_tainted(&["lora.init"]) {
            draft.taint("lora");
        }
        return;
    };
    if draft.is_tainted(&["lora.init"]) {
        for key in KEYS {
            draft.taint(key);
        }
        return;
    }
    let Some(folder) = node.as_text() else { return };
    let read = read(draft, Path::new(folder));
    match read {
        Ok(config) => {
            let values = [
                ("rank", Value::Integer(config.r)),
                (
                    "alpha",
                    Value::Float(config.lora_alpha, config.lora_alpha.to_string()),
                ),
                ("targets", targets(&config.target_modules, &node.span)),
            ];
            for (key, value) in values {
                take_over(
                    draft,
                    key,
                    Node {
                        value,
                        span: node.span.clone(),
                    },
                );
            }
        }
        Err(message) => {
            draft.push(
                draft
                    .problem(format!("`lora.init`: {message}"))
                    .at(&node.span, "cannot start from this adapter"),
            );
            for key in KEYS {
                draft.taint(key);
            }
        }
    }
}

fn read(draft: &Draft<'_>, folder: &Path) -> Result<AdapterConfig, String> {
    let path = folder.join("adapter_config.json");
    let text = draft
        .inspector
        .environment()
        .read(&path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let config: AdapterConfig = serde_json::from_str(&text)
        .map_err(|error| format!("`{}` is not an adapter's: {error}", path.display()))?;
    let patterned = |pattern: &Option<Json>| {
        pattern
            .as_ref()
            .and_then(Json::as_object)
            .is_some_and(|map| !map.is_empty())
    };
    let unsupported = [
        (config.r < 1, "its rank is below 1"),
        (
            config.use_rslora == Some(true),
            "rank-stabilised scaling (use_rslora) is not supported",
        ),
        (
            config.use_dora == Some(true),
            "DoRA (use_dora) is not supported",
        ),
        (
            patterned(&config.rank_pattern),
            "ranks by module (rank_pattern) are not supported",
        ),
        (
            patterned(&config.alpha_pattern),
            "alphas by module (alpha_pattern) are not supported",
        ),
        (
            config.bias.as_deref().is_some_and(|bias| bias != "none"),
            "trained biases (bias) are not supported",
        ),
        (
            names(&config.target_modules).is_none(),
            "target_modules has to be a list of names",
        ),
    ];
    match unsupported.into_iter().find(|(found, _)| *found) {
        Some((_, message)) => Err(message.to_owned()),
        None => Ok(config),
    }
}

/// Module names; PEFT also writes patterns and `all-linear` as one string, which a list of names cannot express.
fn names(targets: &Json) -> Option<Vec<&str>> {
    targets.as_array()?.iter().map(Json::as_str).collect()
}

fn targets(targets: &Json, span: &Span) -> Value {
    let node = |name: &str| Node {
        value: Value::Text(name.to_owned()),
        span: span.clone(),
    };
    // PEFT writes a set, in an order that means nothing.
    let mut names = names(targets).unwrap_or_default();
    names.sort_unstable();
    Value::List(names.into_iter().map(node).collect())
}

fn take_over(draft: &mut Draft<'_>, key: &str, theirs: Node) {
    let dotted = format!("lora.{key}");
    if let Some(ours) = draft.table.at(&dotted)
        && !same(ours, &theirs)
    {
        let message = format!(
            "`{dotted}` is {}, but the adapter this starts from has {}",
            ours.short_text(),
            theirs.short_text()
        );
        let problem = draft
            .problem(message)
            .at(&ours.span, "differs")
            .at(&theirs.span, "this adapter's");
        draft.push(problem.help(format!("leave `{key}` out: the adapter says it itself")));
        return;
    }
    if let Some(Value::Table(lora)) = draft
        .table
        .entries
        .iter_mut()
        .find(|entry| entry.key == "lora")
        .map(|entry| &mut entry.node.value)
    {
        lora.put(Entry {
            key: key.to_owned(),
            key_span: theirs.span.clone(),
            node: theirs,
        });
    }
}

fn same(ours: &Node, theirs: &Node) -> bool {
    match (ours.as_list(), theirs.as_list()) {
        (Some(ours), Some(theirs)) => {
            let sorted = |list: &[Node]| {
                let mut names: Vec<String> = list.iter().map(Node::short_text).collect();
                names.sort_unstable();
                names
            };
            sorted(ours) == sorted(theirs)
        }
        _ => ours.same_value(theirs),
    }
}
