//! `lora.init`: the adapter that a run starts from brings its own rank, alpha, targets and dropout.

use std::path::Path;

use engine::checkpoint::{AdapterConfig, TargetModules};

use super::targets;
use crate::config::draft::Draft;
use crate::config::tree::{Node, Value};

/// Fills rank, alpha, targets and dropout from the adapter, and reports where the experiment says otherwise.
pub(in crate::config) fn start_from(draft: &mut Draft<'_>) {
    const KEYS: [&str; 4] = ["lora.rank", "lora.alpha", "lora.targets", "lora.dropout"];
    let Some(node) = draft.table.at("lora.init").cloned() else {
        // With the right path, the adapter would have set them.
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
    let read = read(draft, Path::new(folder)).and_then(|config| {
        let targets = target_names(draft, &config.target_modules)?;
        Ok((config, targets))
    });
    match read {
        Ok((config, names)) => {
            let values = [
                (
                    "rank",
                    Value::Integer(config.r.try_into().unwrap_or(i64::MAX)),
                ),
                ("alpha", float(config.lora_alpha)),
                ("targets", targets::list(names, &node.span)),
                ("dropout", float(config.lora_dropout)),
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
    AdapterConfig::parse(&text).map_err(|problem| format!("`{}`: {problem}", path.display()))
}

/// Module names. PEFT also takes a regular expression, which only the model can answer.
fn target_names(draft: &Draft<'_>, targets: &TargetModules) -> Result<Vec<String>, String> {
    match targets {
        TargetModules::Names(names) => Ok(names.clone()),
        TargetModules::Expression(expression) => targets::names(draft, expression)
            .map_err(|problem| format!("in its target_modules, {problem}")),
    }
}

fn float(value: f64) -> Value {
    Value::Float(value, value.to_string())
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
        draft.push(problem.help(format!("leave `{key}` out: the adapter sets it")));
        return;
    }
    targets::put(draft, key, theirs);
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
