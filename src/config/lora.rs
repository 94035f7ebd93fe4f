//! Settings of a `kind = "lora"` run, after defaults, overrides and grid values have been laid
//! together.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Data, Model};

/// Fine-tunes an encoder with a classification head on labelled texts, with LoRA.
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
    /// Rank of the update: at most the smaller dimension of every adapted layer.
    #[serde(default = "default_rank")]
    #[schemars(extend("minimum" = 1))]
    pub rank: usize,
    /// The update is scaled by `alpha / rank`.
    #[serde(default = "default_alpha")]
    #[schemars(extend("exclusiveMinimum" = 0, "examples" = [32]))]
    pub alpha: f64,
    /// The layers that are adapted; required unless `init` is set. A list of logical names
    /// (`query`, `key`, `value`, `attention_output`, `intermediate`, `output`) or of the
    /// checkpoint's own module names. Instead of the list, as in PEFT: `"all-linear"` for every
    /// linear layer below the head, or a regular expression that has to match whole module names.
    #[serde(default)]
    #[schemars(extend("minItems" = 1, "type" = ["array", "string"], "examples" = [["query", "value"]]))]
    pub targets: Vec<String>,
    /// Probability of dropout on the adapter's input during training.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "examples" = [0.1]))]
    pub dropout: f64,
    /// Folder of an adapter, written by PEFT or ensayo, to start from. Rank, alpha, targets and
    /// dropout then come from its `adapter_config.json` and are left out here. By default adapters
    /// are new.
    #[schemars(extend("x-path" = "folder", "examples" = ["../adapters/first"]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<PathBuf>,
}

/// Optimisation, with the defaults of Hugging Face's `Trainer` as the study used it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Passes over the training rows; 0 only evaluates.
    pub epochs: usize,
    /// Rows in a batch, in training and in evaluation.
    #[schemars(extend("minimum" = 1))]
    pub batch_size: usize,
    /// Rows that go through the network at once, to save memory: a batch is split into pieces of
    /// at most so many rows, whose gradients add up to those of the batch but for rounding. By
    /// default the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "examples" = [2]))]
    pub micro_batch_size: Option<usize>,
    /// Keep only each layer's input during the forward pass, and compute the layer again in the
    /// backward pass: less memory, more time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub gradient_checkpointing: bool,
    /// Batches whose gradients are averaged into one optimiser step.
    #[schemars(extend("minimum" = 1, "examples" = [4]))]
    pub gradient_accumulation: usize,
    /// Learning rate at its peak, which is after the warm-up.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// Weight decay of `AdamW`; not applied to biases and norms.
    #[schemars(extend("minimum" = 0))]
    pub weight_decay: f64,
    /// Decay of `AdamW`'s mean of the gradients.
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub adam_beta1: f64,
    /// Decay of `AdamW`'s mean of the squared gradients.
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub adam_beta2: f64,
    /// What `AdamW` adds to the denominator, so that it is never 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub adam_epsilon: f64,
    /// Norm of all gradients together above which they are scaled down to it; 0 turns clipping
    /// off.
    #[schemars(extend("minimum" = 0))]
    pub max_gradient_norm: f64,
    /// What the learning rate does after the warm-up.
    pub schedule: Schedule,
    /// Optimiser steps over which the learning rate rises from 0 to its peak.
    pub warmup_steps: usize,
    /// Tokens after which a text is cut, special tokens included; at most what the model and its
    /// tokeniser take.
    #[schemars(extend("minimum" = 1))]
    pub max_length: usize,
    /// Optimiser steps between two rows of `training_log.csv`, and the steps over which
    /// `train_loss` in `epochs.csv` is averaged.
    #[schemars(extend("minimum" = 1))]
    pub logging_steps: usize,
    /// Take the training rows in a new order in each epoch, drawn from the run's seed.
    pub shuffle: bool,
    /// The epoch whose weights are evaluated and saved.
    pub keep: Keep,
    /// Stop after so many epochs in a row without a better validation loss. Needs
    /// `data.validation_size`. By default training never stops early.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "examples" = [2]))]
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

/// What the learning rate does after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Falls to 0 in a straight line.
    Linear,
    /// Falls to 0 along half a cosine.
    Cosine,
    /// Stays at its peak.
    Constant,
}

/// Which epoch's weights a run ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The last one.
    Last,
    /// The one with the lowest validation loss; needs `data.validation_size`.
    Best,
}
