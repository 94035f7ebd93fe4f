//! The loop over epochs and steps.

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use std::time::{Duration, Instant};
use thiserror::Error;

use super::adamw::{AdamW, AdamWOptions, clip, global_norm, scalar};
use super::diagnosis::{Stage, first_not_finite};
use super::evaluate::evaluate;
use super::history::{Ended, Epoch, History, LogRow, State, from_values, to_values};
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
    /// A good moment to keep the training's state, which costs something to make.
    fn checkpoint(&mut self, state: &mut dyn FnMut() -> State);
}

/// Lets a training run unobserved.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn step(&mut self, _: usize, _: usize, _: f64) -> Control {
        Control::Continue
    }

    fn log(&mut self, _: &LogRow) {}

    fn evaluated(&mut self, _: usize, _: usize) -> Control {
        Control::Continue
    }

    fn epoch(&mut self, _: &Epoch) {}

    fn checkpoint(&mut self, _: &mut dyn FnMut() -> State) {}
}

/// Why a training failed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TrainError {
    /// A loss or the gradient became infinite or not a number.
    #[error(
        "the {what} is {value} at step {step}{}: training has diverged; try a lower training.learning_rate, or training.warmup_steps",
        stage.map(|stage| format!(", first not finite in {stage}")).unwrap_or_default()
    )]
    Diverged {
        /// `loss`, `gradient norm` or `validation loss`.
        what: &'static str,
        /// The value.
        value: f64,
        /// The step, from 1.
        step: usize,
        /// Where the forward pass first gave something that is not finite, if it did.
        stage: Option<Stage>,
    },
}

/// Trains the unfrozen parameters of a model, from the beginning or from a [`State`] of the same training.
///
/// A training that goes on from a state ends like one that was never interrupted: order and dropout depend on seed and step alone.
///
/// # Errors
/// When training diverges.
pub fn fine_tune<B, M>(
    model: &mut M,
    examples: &[Example],
    validation: &[Example],
    options: &Options,
    device: &B::Device,
    resume: Option<State>,
    observer: &mut dyn Observer,
) -> Result<History, TrainError>
where
    B: Operations,
    M: Classifier<Autodiff<B>> + AutodiffModule<Autodiff<B>>,
    M::InnerModule: Classifier<B>,
{
    let mut trainer = Trainer::<B, M>::new(model, examples, validation, options, device);
    if let Some(state) = resume {
        trainer.restore(state);
    }
    trainer.run(observer)?;
    Ok(trainer.history)
}

/// Time between two checkpoints within an epoch.
const CHECKPOINT_INTERVAL: Duration = Duration::from_mins(1);

struct Trainer<'a, B: Operations, M> {
    model: &'a mut M,
    examples: &'a [Example],
    validation: &'a [Example],
    options: &'a Options,
    device: &'a B::Device,
    optimiser: AdamW<B>,
    per_epoch: usize,
    history: History,
    /// The loss of every step.
    losses: Vec<f64>,
    /// The trained values after the best epoch, where they are to be kept.
    kept: Option<Vec<Tensor<Autodiff<B>, 1>>>,
    /// Where a forward pass first gave something that is not finite.
    not_finite: Option<Stage>,
}

impl<'a, B, M> Trainer<'a, B, M>
where
    B: Operations,
    M: Classifier<Autodiff<B>> + AutodiffModule<Autodiff<B>>,
    M::InnerModule: Classifier<B>,
{
    fn new(
        model: &'a mut M,
        examples: &'a [Example],
        validation: &'a [Example],
        options: &'a Options,
        device: &'a B::Device,
    ) -> Self {
        // Weight decay spares biases and norms, as `Trainer`'s groups do.
        let decayed: Vec<bool> = trained(model)
            .iter()
            .map(|(_, parameter)| parameter.shape().len() > 1)
            .collect();
        Self {
            optimiser: AdamW::new(options.adamw, decayed),
            per_epoch: steps_per_epoch(
                examples.len(),
                options.batch_size,
                options.gradient_accumulation,
            ),
            history: History::default(),
            losses: Vec::new(),
            kept: None,
            not_finite: None,
            model,
            examples,
            validation,
            options,
            device,
        }
    }

    fn state(&mut self) -> State {
        State {
            history: self.history.clone(),
            losses: self.losses.clone(),
            parameters: snapshot(self.model).into_iter().map(to_values).collect(),
            moments: self.optimiser.moments(),
            kept: self
                .kept
                .as_ref()
                .map(|kept| kept.iter().cloned().map(to_values).collect()),
        }
    }

    fn restore(&mut self, state: State) {
        let tensors = |values: Vec<Vec<f32>>| -> Vec<Tensor<Autodiff<B>, 1>> {
            let device = self.device;
            values
                .into_iter()
                .map(|values| from_values(values, device))
                .collect()
        };
        let parameters = tensors(state.parameters);
        self.kept = state.kept.map(tensors);
        restore(self.model, parameters);
        self.optimiser
            .resume(state.history.steps, state.moments, self.device);
        self.history = state.history;
        self.losses = state.losses;
    }

    fn run(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        for epoch in self.history.epochs.len() + 1..=self.options.epochs {
            if self.ended_early() {
                break;
            }
            if self.steps(epoch, observer)? == Control::Stop
                || self.judge(epoch, observer) == Control::Stop
            {
                self.history.ended = Ended::Stopped;
                observer.checkpoint(&mut || self.state());
                return Ok(());
            }
            self.is_finite()?;
            observer.checkpoint(&mut || self.state());
        }
        self.history.ended = if self.ended_early() {
            Ended::Early
        } else {
            Ended::Complete
        };
        if let Some(kept) = self.kept.take() {
            restore(self.model, kept);
        }
        Ok(())
    }

    /// Fails after an epoch whose last step left weights that give no finite loss: no later step may be there to notice.
    fn is_finite(&self) -> Result<(), TrainError> {
        let loss = self
            .history
            .epochs
            .last()
            .map(|epoch| epoch.validation_loss);
        match loss.filter(|value| !value.is_finite()) {
            None => Ok(()),
            Some(value) => Err(TrainError::Diverged {
                what: "validation loss",
                value,
                step: self.history.steps,
                stage: None,
            }),
        }
    }

    /// Whether the validation loss has not fallen for long enough, with epochs left.
    fn ended_early(&self) -> bool {
        let epochs = &self.history.epochs;
        let patience = self.options.early_stopping.unwrap_or(usize::MAX);
        let since_lowest = epochs.len().saturating_sub(1 + lowest(epochs));
        !epochs.is_empty() && epochs.len() < self.options.epochs && since_lowest >= patience
    }

    /// Takes the steps of an epoch that are still to be taken.
    fn steps(&mut self, epoch: usize, observer: &mut dyn Observer) -> Result<Control, TrainError> {
        let options = self.options;
        let order = order(self.examples.len(), options.shuffle, options.seed, epoch);
        let done = self.history.steps - (epoch - 1) * self.per_epoch;
        let total = self.per_epoch * self.options.epochs;
        let mut last_checkpoint = Instant::now();
        let rows_per_step = self.options.batch_size * self.options.gradient_accumulation;
        for rows in order.chunks(rows_per_step).skip(done) {
            let loss = self.step(rows, observer)?;
            if observer.step(self.history.steps, total, loss) == Control::Stop {
                return Ok(Control::Stop);
            }
            if last_checkpoint.elapsed() >= CHECKPOINT_INTERVAL {
                observer.checkpoint(&mut || self.state());
                last_checkpoint = Instant::now();
            }
        }
        Ok(Control::Continue)
    }

    /// One optimiser step over `rows`, and its row in the log if it is due; returns the loss.
    fn step(&mut self, rows: &[usize], observer: &mut dyn Observer) -> Result<f64, TrainError> {
        let begun = Instant::now();
        let rate = self.options.schedule.at(self.history.steps);
        let (loss, norm) = self.update(rows, rate);
        let history = &mut self.history;
        history.steps += 1;
        history.step_time += begun.elapsed();
        for (what, value) in [("loss", loss), ("gradient norm", norm)] {
            if !value.is_finite() {
                let step = history.steps;
                return Err(TrainError::Diverged {
                    what,
                    value,
                    step,
                    stage: self.not_finite,
                });
            }
        }
        self.losses.push(loss);
        history.mean_loss = mean(&self.losses);
        history.examples += rows.len();
        let tokens = rows.iter().map(|&row| self.examples[row].tokens.len());
        history.tokens += tokens.sum::<usize>();
        if history.steps.is_multiple_of(self.options.logging_steps) {
            #[allow(clippy::cast_precision_loss)]
            let row = LogRow {
                step: history.steps,
                epoch: history.steps as f64 / self.per_epoch as f64,
                loss: mean(&self.losses[history.steps - self.options.logging_steps..]),
                learning_rate: rate,
                gradient_norm: norm,
            };
            observer.log(&row);
            history.log.push(row);
        }
        Ok(loss)
    }

    /// Evaluates the validation examples at the end of an epoch.
    fn judge(&mut self, epoch: usize, observer: &mut dyn Observer) -> Control {
        let total = self.validation.len();
        let evaluated = evaluate(
            &self.model.valid(),
            self.validation,
            self.options.batch_size,
            self.device,
            |done| observer.evaluated(done, total) == Control::Continue,
        );
        let Some(predictions) = evaluated else {
            return Control::Stop;
        };
        let classes = predictions.classes();
        let right = classes
            .iter()
            .zip(self.validation)
            .filter(|(class, example)| **class == example.label);
        let history = &mut self.history;
        #[allow(clippy::cast_precision_loss)]
        let ended = Epoch {
            epoch,
            logged_loss: history.log.last().map(|row| row.loss),
            mean_loss: mean(&self.losses[(epoch - 1) * self.per_epoch..]),
            validation_loss: predictions.loss(),
            accuracy: right.count() as f64 / total as f64,
        };
        observer.epoch(&ended);
        history.epochs.push(ended);
        let is_lowest = lowest(&history.epochs) + 1 == epoch;
        if is_lowest || !self.options.keep_best {
            history.kept_epoch = epoch;
        }
        if is_lowest && self.options.keep_best {
            self.kept = Some(snapshot(self.model));
        }
        Control::Continue
    }

    /// Changes the trained values by one optimiser step over `rows`; returns the loss and the gradients' norm before clipping.
    ///
    /// The loss is the mean over the step's batches of their means over texts, as `Trainer` has it for models of this kind.
    fn update(&mut self, rows: &[usize], learning_rate: f64) -> (f64, f64) {
        let batches = rows.chunks(self.options.batch_size);
        let count = batches.len();
        let mut loss = 0.0;
        let mut summed: Vec<Option<Tensor<B, 1>>> = Vec::new();
        for batch in batches {
            let (share, gradients) = self.gradients(batch, count);
            loss += share;
            summed = if summed.is_empty() {
                gradients
            } else {
                summed.into_iter().zip(gradients).map(add).collect()
            };
        }
        let parameters: Vec<Tensor<B, 1>> = trained(self.model)
            .iter()
            .map(|(_, parameter)| parameter.inner())
            .collect();
        let gradients: Vec<Tensor<B, 1>> = summed
            .into_iter()
            .zip(&parameters)
            .map(|(gradient, parameter)| gradient.unwrap_or_else(|| parameter.zeros_like()))
            .collect();
        let norm = global_norm(&gradients);
        let gradients = clip(gradients, norm, self.options.max_gradient_norm);
        let updated = self.optimiser.step(learning_rate, parameters, gradients);
        for ((_, mut parameter), values) in trained(self.model).into_iter().zip(updated) {
            parameter.set(Tensor::from_inner(values));
        }
        (loss, norm)
    }

    /// One of `count` batches of a step: its share of the loss and of each gradient.
    fn gradients(&mut self, batch: &[usize], count: usize) -> (f64, Vec<Option<Tensor<B, 1>>>) {
        let examples: Vec<&Example> = batch.iter().map(|&row| &self.examples[row]).collect();
        let texts: Vec<&[u32]> = examples
            .iter()
            .map(|example| example.tokens.as_slice())
            .collect();
        let labels: Vec<usize> = examples.iter().map(|example| example.label).collect();
        let rows: Vec<usize> = examples.iter().map(|example| example.row).collect();
        let step = self.history.steps as u64;
        let noise = Noise::new(self.options.seed, step, token_keys(&texts, &rows));
        let logits = self
            .model
            .logits(&Tokens::new(&texts, self.device), Some(&noise));
        #[allow(clippy::cast_precision_loss)]
        let share = summed_cross_entropy(logits, &labels) / (batch.len() * count) as f64;
        let value = scalar(share.clone().inner());
        if !value.is_finite() && self.not_finite.is_none() {
            // Before the step spoils the weights.
            let tokens = Tokens::new(&texts, self.device);
            self.not_finite = first_not_finite(&self.model.valid(), &tokens, &noise);
        }
        let mut gradients = share.backward();
        let taken = trained(self.model)
            .into_iter()
            .map(|(_, parameter)| parameter.take_gradient(&mut gradients));
        (value, taken.collect())
    }
}

fn add<B: Operations>(
    (total, gradient): (Option<Tensor<B, 1>>, Option<Tensor<B, 1>>),
) -> Option<Tensor<B, 1>> {
    match (total, gradient) {
        (Some(total), Some(gradient)) => Some(total + gradient),
        (total, gradient) => total.or(gradient),
    }
}

/// Index of the epoch with the lowest validation loss, the first of equals.
fn lowest(epochs: &[Epoch]) -> usize {
    (0..epochs.len()).fold(0, |lowest, index| {
        if epochs[index].validation_loss < epochs[lowest].validation_loss {
            index
        } else {
            lowest
        }
    })
}

/// The order in which an epoch, from 1, sees its examples.
#[must_use]
pub fn order(count: usize, shuffle: bool, seed: u64, epoch: usize) -> Vec<usize> {
    if shuffle {
        permutation(count, mix(seed ^ mix(epoch as u64)))
    } else {
        (0..count).collect()
    }
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
