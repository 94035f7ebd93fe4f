//! What a training knows of itself: log, epochs, and the state it can go on from.

use std::time::Duration;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Deserializer, Serialize};

use super::LossScale;

/// One row of the training log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Steps so far.
    pub step: usize,
    /// Epochs so far, with a fraction.
    pub epoch: f64,
    /// Mean loss over the steps since the row before.
    pub loss: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Global norm of the last step's gradients before clipping; not a number where they overflowed
    /// and the step was skipped.
    #[serde(deserialize_with = "null_is_nan")]
    pub gradient_norm: f64,
}

/// JSON has no number for what is not a number.
fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::deserialize(deserializer).map(|value| value.unwrap_or(f64::NAN))
}

/// What is known at the end of an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Loss of the last row of the log, as Hugging Face's `Trainer` prints it; none before the
    /// first row.
    pub logged_loss: Option<f64>,
    /// Mean loss over the epoch's steps.
    pub mean_loss: f64,
    /// Mean loss on the validation examples.
    pub validation_loss: f64,
    /// Share of the validation examples that are classified right.
    pub accuracy: f64,
}

/// The results of a training apart from the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The log.
    pub log: Vec<LogRow>,
    /// The epochs.
    pub epochs: Vec<Epoch>,
    /// Optimiser steps, the skipped ones included.
    pub steps: usize,
    /// Examples seen.
    pub examples: usize,
    /// Tokens seen, all of them real.
    pub tokens: usize,
    /// Mean loss over all steps.
    pub mean_loss: f64,
    /// Time spent in steps, without evaluation.
    pub step_time: Duration,
    /// The epoch whose weights were kept, from 1; 0 without training.
    pub kept_epoch: usize,
    /// How it ended.
    pub ended: Ended,
    /// The loss's scale, where it is scaled.
    #[serde(default)]
    pub loss_scale: Option<LossScale>,
    /// Examples that went through the network at once, at the end.
    #[serde(default)]
    pub micro_batch_size: usize,
}

impl History {
    /// Steps by which optimiser and schedule have advanced.
    #[must_use]
    pub fn steps_taken(&self) -> usize {
        let skipped = self
            .loss_scale
            .as_ref()
            .map_or(0, |scale| scale.skipped_steps);
        self.steps - skipped
    }
}

/// How a training ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// After the last epoch.
    #[default]
    Complete,
    /// Before, since the validation loss no longer fell.
    Early,
    /// The observer asked to stop.
    Stopped,
}

/// A training between two steps: enough to go on as if nothing had happened.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What has been.
    pub history: History,
    /// The loss of every step.
    pub losses: Vec<f64>,
    /// The values of each trained parameter.
    pub parameters: Vec<Vec<f32>>,
    /// The optimiser's two moments of each; none before the first step.
    pub moments: Vec<[Vec<f32>; 2]>,
    /// The trained values after the best epoch, where they are to be kept.
    pub kept: Option<Vec<Vec<f32>>>,
}

/// A tensor's values.
pub(super) fn to_values<B: Backend>(tensor: Tensor<B, 1>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// A tensor of the given values.
pub(super) fn from_values<B: Backend>(values: Vec<f32>, device: &B::Device) -> Tensor<B, 1> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}
