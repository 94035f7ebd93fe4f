//! The modules of a network as a tree, layers that are alike told once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::commands::words;

/// The modules at the top of a network.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
}

/// A module: its own tensors, and the modules in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Module {
    name: String,
    /// The shape of its weight, or of whatever tensor comes first.
    shape: Option<Vec<usize>>,
    /// Of its own tensors and those below.
    parameters: u64,
    /// The name by which LoRA can target it.
    target: Option<String>,
    modules: Vec<Module>,
}

impl Tree {
    /// The tree of tensors by name and shape. `targets` are the names of modules that adapters can
    /// be put on.
    pub(super) fn of(tensors: &[(String, Vec<usize>)], targets: &BTreeMap<&str, &str>) -> Self {
        let mut root = Module::default();
        for (name, shape) in tensors {
            let (path, _) = name.rsplit_once('.').unwrap_or((name, ""));
            root.add(path, shape, targets.get(path).copied());
        }
        Self {
            modules: root.modules,
        }
    }

    /// A line a module: branches and name, shape, parameters, target.
    pub(super) fn rows(&self) -> Vec<[String; 4]> {
        let mut rows = Vec::new();
        push(&self.modules, "", &mut rows);
        rows
    }
}

impl Module {
    fn add(&mut self, path: &str, shape: &[usize], target: Option<&str>) {
        let mut module = self;
        let count: u64 = shape.iter().map(|&size| size as u64).product();
        for part in path.split('.') {
            let known = module.modules.iter().position(|module| module.name == part);
            let index = known.unwrap_or_else(|| {
                module.modules.push(Self {
                    name: part.to_owned(),
                    ..Self::default()
                });
                module.modules.len() - 1
            });
            module = &mut module.modules[index];
            module.parameters += count;
        }
        module.shape.get_or_insert_with(|| shape.to_vec());
        module.target = module.target.take().or(target.map(str::to_owned));
    }

    /// Whether both are the same but for their names.
    fn is_like(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.parameters == other.parameters
            && self.target == other.target
            && self.modules == other.modules
    }

    fn is_numbered(&self) -> bool {
        self.name.bytes().all(|byte| byte.is_ascii_digit())
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "shape": self.shape,
            "parameters": self.parameters,
            "lora_target": self.target,
            "modules": self.modules.iter().map(Self::json).collect::<Vec<_>>(),
        })
    }
}

fn push(modules: &[Module], indent: &str, rows: &mut Vec<[String; 4]>) {
    let alike =
        |one: &Module, next: &Module| one.is_numbered() && next.is_numbered() && one.is_like(next);
    let groups: Vec<&[Module]> = modules.chunk_by(alike).collect();
    for (index, group) in groups.iter().enumerate() {
        let is_last = index + 1 == groups.len();
        let (branch, below) = match (rows.is_empty() || indent.is_empty(), is_last) {
            (true, _) => ("", "  "),
            (false, true) => ("└ ", "  "),
            (false, false) => ("├ ", "│ "),
        };
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let count = words::grouped(&first.parameters.to_string());
        let (name, count) = match group.len() {
            1 => (first.name.clone(), count),
            times => (
                format!("{} … {}", first.name, last.name),
                format!("{times} x {count}"),
            ),
        };
        let shape = first.shape.as_deref().unwrap_or_default();
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        rows.push([
            format!("{indent}{branch}{name}"),
            shape.join(" x "),
            count,
            first.target.clone().unwrap_or_default(),
        ]);
        push(&first.modules, &format!("{indent}{below}"), rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_are_alike_are_told_once() {
        let tensors = [
            ("m.words.weight", vec![5, 2]),
            ("m.layer.0.query.weight", vec![2, 2]),
            ("m.layer.0.query.bias", vec![2]),
            ("m.layer.1.query.weight", vec![2, 2]),
            ("m.layer.1.query.bias", vec![2]),
            ("m.layer.2.query.weight", vec![2, 4]),
            ("head.weight", vec![3, 2]),
            ("scale", vec![1]),
        ];
        let tensors = tensors.map(|(name, shape)| (name.to_owned(), shape));
        let targets = ["m.layer.0.query", "m.layer.1.query", "m.layer.2.query"];
        let targets = targets
            .map(|module| (module, "query"))
            .into_iter()
            .collect();
        let rows = Tree::of(&tensors, &targets).rows();
        let rows: Vec<String> = rows.iter().map(|row| row.join("|")).collect();
        assert_eq!(
            rows,
            [
                "m||30|",
                "  ├ words|5 x 2|10|",
                "  └ layer||20|",
                "    ├ 0 … 1||2 x 6|",
                "    │ └ query|2 x 2|6|query",
                "    └ 2||8|",
                "      └ query|2 x 4|8|query",
                "head|3 x 2|6|",
                "scale|1|1|",
            ]
        );
    }
}
