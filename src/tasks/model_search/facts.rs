//! What a model is made of, as the rows of a table.

use engine::shapes::{Architecture, Role};
use serde_json::Value;

use crate::hub::Inspection;
use crate::record::ModelFactRow;

/// Keys of configurations by what they say; architectures call the same differently.
const KEYS: [(&str, &[&str]); 8] = [
    ("type", &["model_type"]),
    (
        "layers",
        &["num_hidden_layers", "n_layer", "num_layers", "n_layers"],
    ),
    (
        "heads",
        &["num_attention_heads", "n_head", "num_heads", "n_heads"],
    ),
    ("hidden size", &["hidden_size", "n_embd", "d_model", "dim"]),
    (
        "feed-forward size",
        &["intermediate_size", "n_inner", "d_ff", "hidden_dim"],
    ),
    ("vocabulary", &["vocab_size"]),
    ("positions", &["max_position_embeddings", "n_positions"]),
    ("activation", &["hidden_act", "activation_function"]),
];

/// Everything that is known of a model.
pub(super) fn rows(seen: &Inspection) -> Vec<ModelFactRow> {
    let row = |fact: &str, value: String| ModelFactRow {
        model: seen.id.clone(),
        fact: fact.to_owned(),
        value,
    };
    let facts = &seen.facts;
    let day = |time: &Option<String>| {
        let day = time.as_deref().and_then(|time| time.split('T').next());
        day.map(str::to_owned)
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let bytes = |bytes: u64| (bytes > 0).then(|| bytes.to_string());
    let tags = (!facts.tags.is_empty()).then(|| facts.tags.join(", "));
    let known = [
        ("author", facts.author.clone()),
        ("task", facts.task.clone()),
        ("created", day(&facts.created)),
        ("modified", day(&facts.modified)),
        ("downloads", number(facts.downloads)),
        ("likes", number(facts.likes)),
        ("licence", facts.licence.clone()),
        ("library", facts.library.clone()),
        ("architecture", architecture(seen)),
        ("parameters", number(parameters(seen))),
        ("dtype", dtype(seen)),
        ("bytes", bytes(seen.weight_bytes())),
        ("bytes of all files", bytes(seen.total_bytes())),
        ("commit", seen.commit.clone()),
        ("tags", tags),
    ];
    let config = seen.config.as_ref();
    let configured = KEYS.into_iter().filter_map(|(fact, keys)| {
        let value = keys.iter().find_map(|key| match config?.get(*key) {
            None | Some(Value::Null) => None,
            found => found,
        })?;
        Some((fact, text(value)))
    });
    let known = known
        .into_iter()
        .filter_map(|(fact, value)| Some((fact, value?)));
    let modules = modules(&tensors(seen)).into_iter();
    let modules = modules.map(|module| ("modules", module));
    known
        .chain(configured)
        .chain(modules)
        .map(|(fact, value)| row(fact, value))
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn architecture(seen: &Inspection) -> Option<String> {
    let names = seen.config.as_ref()?.get("architectures")?.as_array()?;
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// As the headers of the weights have it, else as the configuration says.
fn dtype(seen: &Inspection) -> Option<String> {
    let counts = seen.parameters_by_dtype();
    if !counts.is_empty() {
        return Some(counts.keys().copied().collect::<Vec<_>>().join(", "));
    }
    let config = seen.config.as_ref()?;
    let written = ["dtype", "torch_dtype"]
        .iter()
        .find_map(|key| config.get(*key));
    written.and_then(Value::as_str).map(str::to_owned)
}

/// Of the weights' headers; where they cannot be read, of the network that the configuration
/// describes, without a head.
fn parameters(seen: &Inspection) -> Option<u64> {
    let computed = || {
        let config = seen.config.as_ref()?.to_string();
        let read = |role| Architecture::read(&config, role).ok();
        let network = read(Role::Embedder).or_else(|| read(Role::Decoder))?;
        Some(network.shapes().total_parameters())
    };
    seen.parameters().or_else(computed)
}

/// Names and shapes of the weights; where they cannot be read, of the network that the
/// configuration describes.
fn tensors(seen: &Inspection) -> Vec<(String, Vec<u64>)> {
    if let Some(tensors) = &seen.tensors {
        let named = tensors.iter();
        return named
            .map(|tensor| (tensor.name.clone(), tensor.shape.clone()))
            .collect();
    }
    let config = seen
        .config
        .as_ref()
        .map(Value::to_string)
        .unwrap_or_default();
    let read = |role| Architecture::read(&config, role).ok();
    let Some(network) = read(Role::Embedder).or_else(|| read(Role::Decoder)) else {
        return Vec::new();
    };
    let shapes = network.shapes();
    let named = shapes.tensors.iter().map(|tensor| {
        let shape = tensor.shape.iter().map(|&size| size as u64);
        (tensor.name.clone(), shape.collect())
    });
    named.collect()
}

/// A line for each module that has weights, layers that are alike told once: `layer.*.output 768 x
/// 768 (12)`.
fn modules(tensors: &[(String, Vec<u64>)]) -> Vec<String> {
    let mut lines: Vec<(String, u64)> = Vec::new();
    for (name, shape) in tensors {
        let Some(module) = name.strip_suffix(".weight") else {
            continue;
        };
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = module.split('.');
        let parts: Vec<&str> = parts
            .map(|part| if is_number(part) { "*" } else { part })
            .collect();
        let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
        let line = format!("{} {}", parts.join("."), shape.join(" x "));
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => lines.push((line, 1)),
        }
    }
    let lines = lines.into_iter().map(|(line, count)| match count {
        1 => line,
        count => format!("{line} ({count})"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_are_alike_are_told_once() {
        let tensor = |name: &str, shape: &[u64]| (name.to_owned(), shape.to_vec());
        let tensors = [
            tensor("embeddings.weight", &[100, 8]),
            tensor("layer.0.query.weight", &[8, 8]),
            tensor("layer.0.query.bias", &[8]),
            tensor("layer.1.query.weight", &[8, 8]),
            tensor("layer.1.query.bias", &[8]),
        ];
        assert_eq!(
            modules(&tensors),
            ["embeddings 100 x 8", "layer.*.query 8 x 8 (2)"]
        );
    }
}
