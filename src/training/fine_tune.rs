//! The loop over epochs and steps.

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use std::time::{Duration, Instant};
use thiserror::Error;

use super::adamw::{AdamW, AdamWOptions, clip, global_norm, scalar};
use super::evaluate::evaluate;
use super::loss::summed_cross_entropy;
use super::{Example, Schedule};
use crate::data::permutation;
use crate::models::adapter::{restore, snapshot};
use crate::models::{Classifier, trained};
use crate::nn::ops::{Noise, Operations, mix};
use crate::nn::{Tokens, token_keys};

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Passes over the examples.
    pub epochs: usize,
    /// Examples in one forward pass.
    pub batch_size: usize,
    /// Batches whose mean gradients are averaged into one step.
    pub gradient_accumulation: usize,
    /// Learning rate by step.
    pub schedule: Schedule,
    /// The optimiser's constants.
    pub adamw: AdamWOptions,
    /// Global norm above which gradients are scaled down; 0 for never.
    pub max_gradient_norm: f64,
    /// Steps between two rows of the log.
    pub logging_steps: usize,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// Whether to end with the epoch of the lowest validation loss instead of the last.
    pub keep_best: bool,
    /// Epochs without a lower validation loss after which to stop.
    pub early_stopping: Option<usize>,
    /// Seed of order and dropout.
    pub seed: u64,
}

/// Optimiser steps in one pass over `examples` texts.
#[must_use]
pub fn steps_per_epoch(examples: usize, batch_size: usize, gradient_accumulation: usize) -> usize {
    examples
        .div_ceil(batch_size)
        .div_ceil(gradient_accumulation)
}

/// One row of the training log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// Steps so far.
    pub step: usize,
    /// Epochs so far, with a fraction.
    pub epoch: f64,
    /// Mean loss over the steps since the row before.
    pub loss: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Global norm of the last step's gradients before clipping.
    pub gradient_norm: f64,
}

/// What is known at the end of an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Loss of the last row of the log, as Hugging Face's `Trainer` prints it; not a number before the first row.
    pub logged_loss: f64,
    /// Mean loss over the epoch's steps.
    pub mean_loss: f64,
    /// Mean loss on the validation examples.
    pub validation_loss: f64,
    /// Share of the validation examples that are classified right.
    pub accuracy: f64,
}

/// What a training leaves beside the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The log.
    pub log: Vec<LogRow>,
    /// The epochs.
    pub epochs: Vec<Epoch>,
    /// Optimiser steps taken.
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
}

/// How a training ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ended {
    /// After the last epoch.
    #[default]
    Complete,
    /// Before, since the validation loss no longer fell.
    Early,
    /// It was told to stop.
    Stopped,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop after the current step.
    Stop,
}

/// Is told how a training proceeds.
pub trait Observer {
    /// A step ended.
    fn step(&mut self, done: usize, total: usize, loss: f64) -> Control;
    /// A row of the log is complete.
    fn log(&mut self, row: &LogRow);
    /// Some of the validation examples have been evaluated.
    fn evaluated(&mut self, done: usize, total: usize) -> Control;
    /// An epoch ended.
    fn epoch(&mut self, epoch: &Epoch);
}

/// Why a training failed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrainError {
    /// The loss or its gradient became infinite or not a number.
    #[error(
        "the {what} is {value} at step {step}: training has diverged; try a lower training.learning_rate, or training.warmup_steps"
    )]
    Diverged {
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// The value.
        value: f64,
        /// The step, from 1.
        step: usize,
    },
}

/// Trains the unfrozen parameters of a model.
///
/// # Errors
/// When training diverges.
pub fn fine_tune<B, M>(
    model: &mut M,
    examples: &[Example],
    validation: &[Example],
    options: &Options,
    device: &B::Device,
    observer: &mut dyn Observer,
) -> Result<History, TrainError>
where
    B: Operations,
    M: Classifier<Autodiff<B>> + AutodiffModule<Autodiff<B>>,
    M::InnerModule: Classifier<B>,
{
    // Weight decay spares biases and norms, as `Trainer`'s groups do.
    let decayed = trained(model)
        .iter()
        .map(|(name, _)| !name.ends_with(".bias"))
        .collect::<Vec<_>>();
    let mut optimiser = AdamW::<B>::new(options.adamw, decayed);
    let per_epoch = steps_per_epoch(
        examples.len(),
        options.batch_size,
        options.gradient_accumulation,
    );
    let total_steps = per_epoch * options.epochs;
    let mut history = History::default();
    let (mut losses, mut unlogged): (Vec<f64>, usize) = (Vec::new(), 0);
    let mut best: Option<(f64, Vec<Tensor<Autodiff<B>, 1>>)> = None;

    for epoch in 1..=options.epochs {
        let order = order(examples.len(), options, epoch);
        let first = losses.len();
        for rows in order.chunks(options.batch_size * options.gradient_accumulation) {
            let begun = Instant::now();
            let step = history.steps;
            let rate = options.schedule.at(step);
            let (loss, norm) = one_step(
                model,
                &mut optimiser,
                examples,
                rows,
                options,
                step,
                rate,
                device,
            );
            history.steps += 1;
            history.step_time += begun.elapsed();
            for (what, value) in [("loss", loss), ("gradient norm", norm)] {
                if !value.is_finite() {
                    return Err(TrainError::Diverged {
                        what,
                        value,
                        step: history.steps,
                    });
                }
            }
            losses.push(loss);
            history.examples += rows.len();
            history.tokens += rows
                .iter()
                .map(|&row| examples[row].tokens.len())
                .sum::<usize>();
            unlogged += 1;
            if history.steps.is_multiple_of(options.logging_steps) {
                #[allow(clippy::cast_precision_loss)]
                let row = LogRow {
                    step: history.steps,
                    epoch: history.steps as f64 / per_epoch as f64,
                    loss: mean(&losses[losses.len() - unlogged..]),
                    learning_rate: rate,
                    gradient_norm: norm,
                };
                observer.log(&row);
                history.log.push(row);
                unlogged = 0;
            }
            if observer.step(history.steps, total_steps, loss) == Control::Stop {
                history.ended = Ended::Stopped;
                return Ok(history);
            }
        }
        history.mean_loss = mean(&losses);
        let total = validation.len();
        let evaluated = evaluate(
            &model.valid(),
            validation,
            options.batch_size,
            device,
            |done| observer.evaluated(done, total) == Control::Continue,
        );
        let Some(predictions) = evaluated else {
            history.ended = Ended::Stopped;
            return Ok(history);
        };
        let classes = predictions.classes();
        let right = classes
            .iter()
            .zip(validation)
            .filter(|(class, example)| **class == example.label);
        #[allow(clippy::cast_precision_loss)]
        let ended = Epoch {
            epoch,
            logged_loss: history.log.last().map_or(f64::NAN, |row| row.loss),
            mean_loss: mean(&losses[first..]),
            validation_loss: predictions.loss(),
            accuracy: right.count() as f64 / total as f64,
        };
        observer.epoch(&ended);
        let lowest = best
            .as_ref()
            .is_none_or(|(lowest, _)| ended.validation_loss < *lowest);
        if lowest || !options.keep_best {
            history.kept_epoch = epoch;
        }
        if lowest && (options.keep_best || options.early_stopping.is_some()) {
            let kept = if options.keep_best {
                snapshot(model)
            } else {
                Vec::new()
            };
            best = Some((ended.validation_loss, kept));
        }
        history.epochs.push(ended);
        let patience = options.early_stopping.unwrap_or(usize::MAX);
        if epoch < options.epochs && epochs_since_lowest(&history.epochs) >= patience {
            history.ended = Ended::Early;
            break;
        }
    }
    if let Some((_, kept)) = best.filter(|_| options.keep_best) {
        restore(model, kept);
    }
    Ok(history)
}

/// Epochs since the one with the lowest validation loss.
fn epochs_since_lowest(epochs: &[Epoch]) -> usize {
    let lowest = (0..epochs.len()).fold(0, |lowest, index| {
        if epochs[index].validation_loss < epochs[lowest].validation_loss {
            index
        } else {
            lowest
        }
    });
    epochs.len() - 1 - lowest
}

/// The order in which an epoch sees its examples.
fn order(count: usize, options: &Options, epoch: usize) -> Vec<usize> {
    if options.shuffle {
        permutation(count, mix(options.seed ^ mix(epoch as u64)))
    } else {
        (0..count).collect()
    }
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// One optimiser step over `rows`; returns the loss and the gradients' norm before clipping.
///
/// The loss is the mean over the step's batches of their means over texts, as `Trainer` has it for models of this kind.
#[allow(clippy::too_many_arguments)]
fn one_step<B, M>(
    model: &mut M,
    optimiser: &mut AdamW<B>,
    examples: &[Example],
    rows: &[usize],
    options: &Options,
    step: usize,
    learning_rate: f64,
    device: &B::Device,
) -> (f64, f64)
where
    B: Operations,
    M: Classifier<Autodiff<B>>,
{
    let batches = rows.chunks(options.batch_size);
    let count = batches.len();
    let mut loss = 0.0;
    let mut summed: Vec<Option<Tensor<B, 1>>> = Vec::new();
    for batch in batches {
        let texts: Vec<&[u32]> = batch
            .iter()
            .map(|&row| examples[row].tokens.as_slice())
            .collect();
        let labels: Vec<usize> = batch.iter().map(|&row| examples[row].label).collect();
        let ids: Vec<usize> = batch.iter().map(|&row| examples[row].row).collect();
        let noise = Noise::new(options.seed, step as u64, token_keys(&texts, &ids));
        let logits = model.logits(&Tokens::new(&texts, device), Some(&noise));
        #[allow(clippy::cast_precision_loss)]
        let share = summed_cross_entropy(logits, &labels) / (batch.len() * count) as f64;
        let mut gradients = share.backward();
        loss += scalar(share.inner());
        for (index, (_, parameter)) in trained(model).into_iter().enumerate() {
            let gradient = parameter.take_gradient(&mut gradients);
            match summed.get_mut(index) {
                None => summed.push(gradient),
                Some(total) => {
                    *total = match (total.take(), gradient) {
                        (Some(total), Some(gradient)) => Some(total + gradient),
                        (total, gradient) => total.or(gradient),
                    };
                }
            }
        }
    }
    let parameters: Vec<Tensor<B, 1>> = trained(model)
        .iter()
        .map(|(_, parameter)| parameter.inner())
        .collect();
    let gradients: Vec<Tensor<B, 1>> = summed
        .into_iter()
        .zip(&parameters)
        .map(|(gradient, parameter)| gradient.unwrap_or_else(|| parameter.zeros_like()))
        .collect();
    let norm = global_norm(&gradients);
    let gradients = clip(gradients, norm, options.max_gradient_norm);
    let updated = optimiser.step(learning_rate, parameters, gradients);
    for ((_, mut parameter), values) in trained(model).into_iter().zip(updated) {
        parameter.set(Tensor::from_inner(values));
    }
    (loss, norm)
}
