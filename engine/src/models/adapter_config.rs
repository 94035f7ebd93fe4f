//! PEFT's `adapter_config.json`: which modules it adapts, with which rank and scale, and what of it is not supported.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::adapter::AdapterError;
use super::checkpoint::CheckpointError;
use crate::shapes::whole_match;

/// The keys of `adapter_config.json` that ensayo writes and understands.
#[derive(Debug, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct AdapterConfig {
    #[serde(default)]
    pub(super) base_model_name_or_path: Option<String>,
    #[serde(default = "none")]
    pub(super) bias: String,
    #[serde(default)]
    pub(super) fan_in_fan_out: bool,
    #[serde(default)]
    pub(super) inference_mode: bool,
    pub(super) lora_alpha: f64,
    #[serde(default)]
    pub(super) lora_dropout: f64,
    #[serde(default)]
    pub(super) modules_to_save: Option<Vec<String>>,
    pub(super) peft_type: String,
    pub(super) r: usize,
    pub(super) target_modules: TargetModules,
    #[serde(default)]
    pub(super) task_type: Option<String>,
    #[serde(default)]
    pub(super) use_dora: bool,
    #[serde(default)]
    pub(super) use_rslora: bool,
    #[serde(default)]
    pub(super) rank_pattern: Patterns<usize>,
    #[serde(default)]
    pub(super) alpha_pattern: Patterns<f64>,
    /// Everything else; what asks for something is refused.
    #[serde(flatten)]
    pub(super) others: BTreeMap<String, Value>,
}

/// Which modules are adapted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum TargetModules {
    /// Full names, or their ends after a dot.
    Names(Vec<String>),
    /// A regular expression for full names.
    Expression(String),
}

/// A value for each module that an expression matches; the first match decides, so the order of the file counts.
#[derive(Debug)]
pub(super) struct Patterns<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Serialize for Patterns<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(pattern, value)| (pattern, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patterns<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Patterns<T>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a value for each pattern of module names, or null")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut patterns = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    patterns.push(entry);
                }
                Ok(Patterns(patterns))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Patterns::default())
            }
        }

        deserializer.deserialize_any(InOrder(std::marker::PhantomData))
    }
}

pub(super) fn none() -> String {
    "none".to_owned()
}

/// Keys that change nothing about an adapter that has been trained. How it was initialised is looked at separately.
const HARMLESS: [&str; 11] = [
    "auto_mapping",
    "corda_config",
    "eva_config",
    "init_lora_weights",
    "loftq_config",
    "lora_ga_config",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
];

/// Ways to initialise that leave the base as it was. The others move part of its weights into the adapter.
const BASE_KEPT: [&str; 4] = ["gaussian", "eva", "orthogonal", "true"];

impl AdapterConfig {
    /// Reads a file and refuses what is not supported.
    pub(super) fn read(path: &Path) -> Result<Self, AdapterError> {
        let text = std::fs::read_to_string(path).map_err(|source| CheckpointError::Read {
            path: path.to_owned(),
            source,
        })?;
        let refused = |problem: String| AdapterError::Config {
            path: path.to_owned(),
            problem,
        };
        let config: Self =
            serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        match config.problem() {
            Some(problem) => Err(refused(problem)),
            None => Ok(config),
        }
    }

    fn problem(&self) -> Option<String> {
        let init = self.others.get("init_lora_weights").and_then(Value::as_str);
        let moves_base = init.is_some_and(|init| !BASE_KEPT.contains(&init));
        let all_linear =
            matches!(&self.target_modules, TargetModules::Expression(text) if text == "all-linear");
        let unsupported = [
            (self.peft_type != "LORA", "`peft_type` other than LORA"),
            (self.bias != "none", "`bias` other than none"),
            (self.fan_in_fan_out, "`fan_in_fan_out`"),
            (self.use_dora, "`use_dora`"),
            (moves_base, "`init_lora_weights` that changes the base"),
            (
                all_linear,
                "`target_modules` all-linear, which PEFT writes out when it saves,",
            ),
        ];
        if let Some((_, what)) = unsupported.iter().find(|(found, _)| *found) {
            return Some(format!("{what} is not supported"));
        }
        let asks = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(items) => !items.is_empty(),
            _ => true,
        };
        if let Some((key, _)) = self
            .others
            .iter()
            .find(|(key, value)| !HARMLESS.contains(&key.as_str()) && asks(value))
        {
            return Some(format!("`{key}` is not supported"));
        }
        let ranks = self.rank_pattern.0.iter().map(|(_, rank)| *rank);
        if ranks.chain([self.r]).any(|rank| rank == 0) {
            return Some("a rank is 0".to_owned());
        }
        let alphas = self.alpha_pattern.0.iter().map(|(_, alpha)| *alpha);
        if alphas
            .chain([self.lora_alpha])
            .any(|alpha| !alpha.is_finite())
        {
            return Some("an alpha is not a finite number".to_owned());
        }
        (!(0.0..1.0).contains(&self.lora_dropout))
            .then(|| "`lora_dropout` is not at least 0 and less than 1".to_owned())
    }

    /// The expressions, compiled.
    pub(super) fn rules(&self, path: &Path) -> Result<Rules, AdapterError> {
        let saved = self.modules_to_save.as_deref().unwrap_or_default();
        let count = 1 + saved.len() + self.rank_pattern.0.len() + self.alpha_pattern.0.len();
        let compile = |expression: String| {
            whole_match(&expression, count).map_err(|error| AdapterError::Config {
                path: path.to_owned(),
                problem: error.to_string(),
            })
        };
        // A pattern may begin behind any dot.
        let patterns = |pattern: &String| compile(format!(r"(?:.*\.)?(?:{pattern})"));
        Ok(Rules {
            targets: match &self.target_modules {
                TargetModules::Names(names) => Targets::Names(names.clone()),
                TargetModules::Expression(expression) => {
                    Targets::Expression(compile(expression.clone())?)
                }
            },
            saved: saved
                .iter()
                .map(|name| compile(format!(r"(?:.*\.)?(?:{name})(?:\..*)?")))
                .collect::<Result<_, _>>()?,
            ranks: self
                .rank_pattern
                .0
                .iter()
                .map(|(pattern, rank)| Ok((patterns(pattern)?, *rank)))
                .collect::<Result<_, AdapterError>>()?,
            alphas: self
                .alpha_pattern
                .0
                .iter()
                .map(|(pattern, alpha)| Ok((patterns(pattern)?, *alpha)))
                .collect::<Result<_, AdapterError>>()?,
            rank: self.r,
            alpha: self.lora_alpha,
            rank_stabilised: self.use_rslora,
        })
    }
}

/// What an adapter does to each module, as PEFT decides it.
#[derive(Debug)]
pub(super) struct Rules {
    targets: Targets,
    saved: Vec<Regex>,
    ranks: Vec<(Regex, usize)>,
    alphas: Vec<(Regex, f64)>,
    rank: usize,
    alpha: f64,
    rank_stabilised: bool,
}

#[derive(Debug)]
enum Targets {
    Names(Vec<String>),
    Expression(Regex),
}

impl Rules {
    /// Whether a module is adapted. One that is saved whole is not.
    pub(super) fn targets(&self, module: &str) -> bool {
        let targeted = match &self.targets {
            Targets::Names(names) => names.iter().any(|name| {
                module
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }),
            Targets::Expression(expression) => expression.is_match(module),
        };
        targeted && !self.saves(module)
    }

    /// Whether a module is saved whole.
    pub(super) fn saves(&self, module: &str) -> bool {
        self.saved.iter().any(|name| name.is_match(module))
    }

    /// The rank of a module's adapter.
    pub(super) fn rank(&self, module: &str) -> usize {
        first_match(&self.ranks, module).unwrap_or(self.rank)
    }

    /// What a module's update is multiplied by.
    pub(super) fn scaling(&self, module: &str) -> f64 {
        let alpha = first_match(&self.alphas, module).unwrap_or(self.alpha);
        alpha / divisor(self.rank(module), self.rank_stabilised)
    }
}

/// What alpha is divided by: the rank, or its root (arXiv 2312.03732).
#[allow(clippy::cast_precision_loss)]
pub(super) fn divisor(rank: usize, rank_stabilised: bool) -> f64 {
    if rank_stabilised {
        (rank as f64).sqrt()
    } else {
        rank as f64
    }
}

fn first_match<T: Copy>(patterns: &[(Regex, T)], module: &str) -> Option<T> {
    patterns
        .iter()
        .find(|(pattern, _)| pattern.is_match(module))
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        r#""peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["query"]"#;

    fn config(more: &str) -> AdapterConfig {
        let comma = if more.is_empty() { "" } else { ", " };
        serde_json::from_str(&format!("{{{PLAIN}{comma}{more}}}")).unwrap()
    }

    fn rules(more: &str) -> Rules {
        config(more)
            .rules(Path::new("adapter_config.json"))
            .unwrap()
    }

    #[test]
    fn the_first_pattern_of_the_file_decides() {
        let rules = rules(
            r#""rank_pattern": {"z.query": 2, "query": 6, "a.query": 3}, "alpha_pattern": {"a\\.query": 5}"#,
        );
        assert_eq!(
            ["z.query", "x.z.query", "a.query", "xz.query", "value"]
                .map(|module| rules.rank(module)),
            [2, 2, 6, 6, 4]
        );
        assert!((rules.scaling("a.query") - 5.0 / 6.0).abs() < 1e-12);
        assert!((rules.scaling("z.query") - 8.0 / 2.0).abs() < 1e-12);
    }

    #[test]
    fn saved_modules_are_not_adapted() {
        let rules = rules(r#""modules_to_save": ["self"]"#);
        assert!(rules.targets("layer.0.query") && rules.targets("query"));
        assert!(!rules.targets("layer.0.self.query") && !rules.targets("xquery"));
        assert!(rules.saves("self") && !rules.saves("myself"));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (more, named) in [
            (r#""use_qalora": true"#, "use_qalora"),
            (r#""layers_to_transform": [1]"#, "layers_to_transform"),
            (r#""layer_replication": [[0, 1]]"#, "layer_replication"),
            (r#""exclude_modules": "x""#, "exclude_modules"),
            (r#""lora_bias": true"#, "lora_bias"),
            (r#""target_parameters": ["x"]"#, "target_parameters"),
            (
                r#""trainable_token_indices": [1]"#,
                "trainable_token_indices",
            ),
            (r#""something_of_tomorrow": 1"#, "something_of_tomorrow"),
            (r#""init_lora_weights": "pissa""#, "init_lora_weights"),
            (r#""use_dora": true"#, "use_dora"),
            (r#""bias": "lora_only""#, "bias"),
            (r#""fan_in_fan_out": true"#, "fan_in_fan_out"),
            (r#""rank_pattern": {"a": 0}"#, "rank"),
            (r#""lora_dropout": 1.0"#, "lora_dropout"),
        ] {
            let problem = config(more).problem().unwrap_or_default();
            assert!(problem.contains(named), "{more}: {problem}");
        }
        assert_eq!(config("").problem(), None);
        let harmless = r#""init_lora_weights": true, "layers_pattern": null, "loftq_config": {}, "peft_version": "0.21.2", "rank_pattern": null"#;
        assert_eq!(config(harmless).problem(), None);
    }

    #[test]
    fn expressions_that_look_around_are_refused() {
        let error = config(r#""rank_pattern": {"(?=query)": 2}"#)
            .rules(Path::new("adapter_config.json"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("(?=query)") && error.contains("look-around"),
            "{error}"
        );
    }
}
