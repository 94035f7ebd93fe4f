//! Settings of a `kind = "lora"` run, after defaults, overrides and grid values have been laid
//! together.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Data, Model};

/// Everything that decides the result of one LoRA fine-tuning run, except its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoraSettings {
    /// The encoder that is fine-tuned.
    pub model: Model,
    /// The labelled texts.
    pub data: Data,
    /// The adapters.
    pub lora: Lora,
    /// The optimisation.
    #[serde(default)]
    pub training: Training,
}

pub(super) const FACTS: Facts = Facts {
    word: "lora",
    numerics: 2,
    classifies: true,
    schema: inlined::<LoraSettings>,
};

impl KindSettings for LoraSettings {
    fn rows_at_once(&self) -> Option<usize> {
        Some(self.training.rows_at_once())
    }

    fn models(&self) -> Vec<(&'static str, &Model)> {
        vec![("model", &self.model)]
    }

    fn models_mut(&mut self) -> Vec<&mut Model> {
        vec![&mut self.model]
    }
}

/// Low-rank adapters (arXiv 2106.09685) with PEFT's conventions and defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lora {
    /// Rank of the update, from 1 to the smaller dimension of every adapted layer.
    #[serde(default = "default_rank")]
    #[schemars(extend("minimum" = 1))]
    pub rank: usize,
    /// The update is scaled by `alpha / rank`.
    #[serde(default = "default_alpha")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub alpha: f64,
    /// Required unless `init` is set. Logical names (`query`, `key`, `value`, `attention_output`,
    /// `intermediate`, `output`) or the checkpoint's own module names. In place of the list, as
    /// PEFT has it: `"all-linear"`, every linear layer below the head; or a regular expression that
    /// has to match whole module names.
    #[serde(default)]
    #[schemars(extend("minItems" = 1, "type" = ["array", "string"]))]
    pub targets: Vec<String>,
    /// Dropout on the adapter's input, `0 <= dropout < 1`.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// A PEFT adapter folder to start from; rank, alpha, targets and dropout then come from its
    /// `adapter_config.json`.
    #[schemars(extend("x-path" = "folder"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
}

/// Optimisation, with the defaults of Hugging Face's `Trainer` as the study used it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Passes over the training rows; 0 only evaluates.
    pub epochs: usize,
    /// Rows whose mean loss counts as one, and that are evaluated together.
    #[schemars(extend("minimum" = 1))]
    pub batch_size: usize,
    /// Rows that go through the network at once, where that is fewer than `batch_size`: a batch is
    /// then taken in pieces, with the same result but for rounding. All of them when it is not
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1))]
    pub micro_batch_size: Option<usize>,
    /// Whether training keeps no more of each layer than its input and computes the rest again:
    /// less memory for more time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gradient_checkpointing: bool,
    /// Batches whose gradients are averaged into one optimiser step.
    #[schemars(extend("minimum" = 1))]
    pub gradient_accumulation: usize,
    /// Peak learning rate.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Decoupled weight decay, not applied to biases and norms.
    #[schemars(extend("minimum" = 0))]
    pub weight_decay: f64,
    /// `AdamW`'s first-moment decay.
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub adam_beta1: f64,
    /// `AdamW`'s second-moment decay.
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub adam_beta2: f64,
    /// `AdamW`'s denominator offset.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub adam_epsilon: f64,
    /// Global gradient norm above which gradients are scaled down; 0 switches clipping off.
    #[schemars(extend("minimum" = 0))]
    pub max_gradient_norm: f64,
    /// How the learning rate moves after warm-up.
    pub schedule: Schedule,
    /// Optimiser steps over which the learning rate rises from 0.
    pub warmup_steps: usize,
    /// Tokens after which a text is cut, special tokens included.
    #[schemars(extend("minimum" = 1))]
    pub max_length: usize,
    /// Optimiser steps between two rows of `training_log.csv`.
    #[schemars(extend("minimum" = 1))]
    pub logging_steps: usize,
    /// Whether each epoch sees the training rows in a new order.
    pub shuffle: bool,
    /// Which epoch's weights the run ends with.
    pub keep: Keep,
    /// Epochs without a better validation loss after which training stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1))]
    pub early_stopping: Option<usize>,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 8,
            micro_batch_size: None,
            gradient_checkpointing: false,
            gradient_accumulation: 1,
            learning_rate: 2e-4,
            weight_decay: 0.01,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            max_gradient_norm: 1.0,
            schedule: Schedule::Linear,
            warmup_steps: 0,
            max_length: 512,
            logging_steps: 50,
            shuffle: true,
            keep: Keep::Last,
            early_stopping: None,
        }
    }
}

impl Training {
    /// Rows that go through the network at once.
    #[must_use]
    pub fn rows_at_once(&self) -> usize {
        self.micro_batch_size
            .map_or(self.batch_size, |rows| rows.min(self.batch_size))
    }
}

fn default_rank() -> usize {
    8
}

fn default_alpha() -> f64 {
    8.0
}

/// How the learning rate moves after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Down to 0 in a straight line.
    Linear,
    /// Down to 0 along half a cosine.
    Cosine,
    /// Unchanged.
    Constant,
}

/// Which epoch's weights a run ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The last epoch's.
    Last,
    /// Those of the epoch with the lowest validation loss; needs `data.validation_size`.
    Best,
}
