//! PEFT's `adapter_config.json`: which modules it adapts, with which rank and scale, and what of it
//! is not supported.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::patterns::Patterns;
use super::rules::Rules;
use super::{AdapterError, CONFIG_FILE};
use crate::checkpoint::CheckpointError;
use crate::shapes::ExpressionError;

/// The keys of `adapter_config.json` that ensayo writes and understands.
#[derive(Debug, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct AdapterConfig {
    /// The base model's folder or id.
    #[serde(default)]
    pub base_model_name_or_path: Option<String>,
    /// Which biases are trained; only `none` is supported.
    #[serde(default = "none")]
    pub bias: String,
    /// Whether weights are stored `[inputs, outputs]`; not supported.
    #[serde(default)]
    pub fan_in_fan_out: bool,
    /// Whether it is for use rather than for training; without effect here.
    #[serde(default)]
    pub inference_mode: bool,
    /// What the update is multiplied by, before it is divided by the rank.
    pub lora_alpha: f64,
    /// Dropout on the adapter's input.
    #[serde(default)]
    pub lora_dropout: f64,
    /// Modules that the adapter holds whole.
    #[serde(default)]
    pub modules_to_save: Option<Vec<String>>,
    /// The method; only `LORA` is supported.
    pub peft_type: String,
    /// Rank of the update.
    pub r: usize,
    /// Which modules are adapted.
    pub target_modules: TargetModules,
    /// What the model is for; without effect here.
    #[serde(default)]
    pub task_type: Option<String>,
    /// Whether magnitude and direction are trained apart; not supported.
    #[serde(default)]
    pub use_dora: bool,
    /// Whether alpha is divided by the root of the rank.
    #[serde(default)]
    pub use_rslora: bool,
    /// Ranks that differ from `r`.
    #[serde(default)]
    pub rank_pattern: Patterns<usize>,
    /// Alphas that differ from `lora_alpha`.
    #[serde(default)]
    pub alpha_pattern: Patterns<f64>,
    /// Everything else; what asks for something is refused.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// Which modules are adapted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetModules {
    /// Full names, or their ends after a dot.
    Names(Vec<String>),
    /// A regular expression for full names, or [`ALL_LINEAR`].
    Expression(String),
}

/// PEFT's word for every linear layer below the head, in place of an expression.
pub const ALL_LINEAR: &str = "all-linear";

fn none() -> String {
    "none".to_owned()
}

/// Keys that change nothing about an adapter that has been trained. How it was initialised is
/// looked at separately.
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

/// Ways to initialise that leave the base as it was. The others move part of its weights into the
/// adapter.
const BASE_KEPT: [&str; 4] = ["gaussian", "eva", "orthogonal", "true"];

impl AdapterConfig {
    /// Reads the text of a file and refuses what is not supported.
    ///
    /// # Errors
    /// When the text is not such a configuration, or asks for something that is not supported: what
    /// is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match config.problem() {
            Some(problem) => Err(problem),
            None => Ok(config),
        }
    }

    /// Reads the file in an adapter's folder, as [`AdapterConfig::parse`].
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub fn read(folder: &Path) -> Result<Self, AdapterError> {
        let path = folder.join(CONFIG_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| CheckpointError::Read {
            path: path.clone(),
            source,
        })?;
        Self::parse(&text).map_err(|problem| AdapterError::Config { path, problem })
    }

    fn problem(&self) -> Option<String> {
        let init = self.others.get("init_lora_weights").and_then(Value::as_str);
        let moves_base = init.is_some_and(|init| !BASE_KEPT.contains(&init));
        let unsupported = [
            (self.peft_type != "LORA", "`peft_type` other than LORA"),
            (self.bias != "none", "`bias` other than none"),
            (self.fan_in_fan_out, "`fan_in_fan_out`"),
            (self.use_dora, "`use_dora`"),
            (moves_base, "`init_lora_weights` that changes the base"),
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
        if !(0.0..1.0).contains(&self.lora_dropout) {
            return Some("`lora_dropout` is not at least 0 and less than 1".to_owned());
        }
        self.rules().err().map(|error| error.to_string())
    }

    /// What it does to each module.
    ///
    /// # Errors
    /// When one of its expressions cannot be used.
    pub fn rules(&self) -> Result<Rules, ExpressionError> {
        Rules::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(more: &str) -> Option<String> {
        let comma = if more.is_empty() { "" } else { ", " };
        AdapterConfig::parse(&format!(
            r#"{{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["query"]{comma}{more}}}"#
        ))
        .err()
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
            let problem = problem(more).unwrap_or_default();
            assert!(problem.contains(named), "{more}: {problem}");
        }
        assert_eq!(problem(""), None);
        let harmless = r#""init_lora_weights": true, "layers_pattern": null, "loftq_config": {}, "peft_version": "0.21.2", "rank_pattern": null"#;
        assert_eq!(problem(harmless), None);
    }

    #[test]
    fn expressions_that_look_around_are_refused() {
        let problem = problem(r#""rank_pattern": {"(?=query)": 2}"#).unwrap_or_default();
        assert!(
            problem.contains("(?=query)") && problem.contains("look-around"),
            "{problem}"
        );
    }
}
