//! The loop over epochs and steps.

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use std::time::{Duration, Instant};
use thiserror::Error;

use super::adamw::{AdamW, AdamWOptions, clip, global_norm};
use super::checkpointed::Checkpointed;
use super::diagnosis::{Stage, first_not_finite};
use super::evaluate::evaluate;
use super::history::{Ended, Epoch, History, LogRow, State, from_values, to_values};
use super::observer::{Control, Observer};
use super::step::Step;
use super::{Example, LossScale, Schedule};
use crate::models::adapter::{restore, snapshot};
use crate::models::{Classifier, trained};
use crate::nn::ops::{Noise, Operations, mix, watch_kernels};
use crate::nn::{Tokens, token_keys};
use crate::pcg64::permutation;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Passes over the examples.
    pub epochs: usize,
    /// Examples whose mean loss counts as one.
    pub batch_size: usize,
    /// Examples in one forward pass, in training and evaluation: a batch of more is taken in
    /// pieces, with the same result but for rounding.
    pub micro_batch_size: usize,
    /// Whether the forward pass keeps the layers' inputs alone, and the backward pass computes each
    /// layer again.
    pub gradient_checkpointing: bool,
    /// What the loss's scale begins with, where it is scaled, as gradients in f16 need it.
    pub loss_scale: Option<LossScale>,
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

/// Trains the unfrozen parameters of a model, from the beginning or from a [`State`] of the same
/// training.
///
/// A training that goes on from a state ends like one that was never interrupted: order and dropout
/// depend on seed and step alone.
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

/// Steps after which a device's kernels have shown that they work; see [`watch_kernels`].
const WATCHED_STEPS: usize = 2;
/// Time between two checkpoints within an epoch.
const CHECKPOINT_INTERVAL: Duration = Duration::from_mins(1);

struct Trainer<'a, B: Operations, M> {
    model: &'a mut M,
    examples: &'a [Example],
    validation: &'a [Example],
    options: &'a Options,
    device: &'a B::Device,
    optimiser: AdamW<B>,
    checkpointed: Option<Checkpointed>,
    per_epoch: usize,
    history: History,
    /// The loss of every step.
    losses: Vec<f64>,
    /// The trained values after the best epoch, where they are to be kept.
    kept: Option<Vec<Tensor<Autodiff<B>, 1>>>,
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
            checkpointed: options.gradient_checkpointing.then(Checkpointed::default),
            history: History {
                loss_scale: options.loss_scale.clone(),
                micro_batch_size: options.micro_batch_size,
                ..History::default()
            },
            losses: Vec::new(),
            kept: None,
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
            .resume(state.history.steps_taken(), state.moments, self.device);
        let fresh = std::mem::replace(&mut self.history, state.history);
        self.history.loss_scale = self.history.loss_scale.take().or(fresh.loss_scale);
        self.history.micro_batch_size = fresh.micro_batch_size;
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

    /// Fails after an epoch whose last step left weights that give no finite loss: no later step
    /// may be there to notice.
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
        let mut taken = 0;
        let mut last_checkpoint = Instant::now();
        let rows_per_step = self.options.batch_size * self.options.gradient_accumulation;
        for rows in order.chunks(rows_per_step).skip(done) {
            let loss = self.step(rows, observer)?;
            taken += 1;
            if taken == WATCHED_STEPS {
                watch_kernels(false);
            }
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
        let rate = self.options.schedule.at(self.history.steps_taken());
        let (loss, norm) = self.update(rows, rate)?;
        let history = &mut self.history;
        history.steps += 1;
        history.step_time += begun.elapsed();
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
            self.options.micro_batch_size.max(1),
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

    /// Where in the network the rows of a step, whose loss is not finite, first give a number that
    /// is not.
    fn first_not_finite(&self, rows: &[usize]) -> Option<Stage> {
        let model = self.model.valid();
        let step = self.history.steps as u64;
        rows.chunks(self.options.micro_batch_size.max(1))
            .find_map(|rows| {
                let examples = rows.iter().map(|&row| &self.examples[row]);
                let texts: Vec<&[u32]> = examples
                    .clone()
                    .map(|text| text.tokens.as_slice())
                    .collect();
                let numbers: Vec<usize> = examples.map(|example| example.row).collect();
                let noise = Noise::new(self.options.seed, step, token_keys(&texts, &numbers));
                first_not_finite(&model, &Tokens::new(&texts, self.device), &noise)
            })
    }

    /// Changes the trained values by one optimiser step over `rows`; returns the loss and the
    /// gradients' norm before clipping.
    ///
    /// Where the scaled loss overflowed, nothing changes but the scale, and the norm is not a
    /// number.
    fn update(&mut self, rows: &[usize], learning_rate: f64) -> Result<(f64, f64), TrainError> {
        let examples = self.examples;
        let batches = rows.chunks(self.options.batch_size);
        let batches = batches.map(|batch| batch.iter().map(|&row| &examples[row]).collect());
        let scale = self.history.loss_scale.as_ref();
        let scale = scale.map_or(1.0, |scale| scale.factor);
        let mut step = Step {
            device: self.device,
            micro_batch_size: self.options.micro_batch_size.max(1),
            checkpointed: self.checkpointed.as_mut(),
            loss_scale: scale,
            seed: self.options.seed,
            number: self.history.steps as u64,
        };
        let (loss, gradients) = step.gradients(self.model, batches);
        let parameters: Vec<Tensor<B, 1>> = trained(self.model)
            .iter()
            .map(|(_, parameter)| parameter.inner())
            .collect();
        let gradients: Vec<Tensor<B, 1>> = gradients
            .into_iter()
            .zip(&parameters)
            .map(|(gradient, parameter)| match gradient {
                // A factor of 1 would be one more operation.
                #[allow(clippy::float_cmp)]
                Some(gradient) if scale == 1.0 => gradient,
                Some(gradient) => gradient * scale.recip(),
                None => parameter.zeros_like(),
            })
            .collect();
        let norm = global_norm(&gradients);
        let number = self.history.steps + 1;
        let diverged = |what, value, stage| TrainError::Diverged {
            what,
            value,
            step: number,
            stage,
        };
        if !loss.is_finite() {
            // The weights are still those that the loss came from.
            return Err(diverged("loss", loss, self.first_not_finite(rows)));
        }
        let taken = match &mut self.history.loss_scale {
            Some(scale) => scale.heed(norm.is_finite()),
            None => norm.is_finite().then_some(true),
        };
        match taken {
            None => return Err(diverged("gradient norm", norm, None)),
            Some(false) => return Ok((loss, f64::NAN)),
            Some(true) => {}
        }
        let gradients = clip(gradients, norm, self.options.max_gradient_norm);
        let updated = self.optimiser.step(learning_rate, parameters, gradients);
        for ((_, mut parameter), values) in trained(self.model).into_iter().zip(updated) {
            parameter.set(Tensor::from_inner(values));
        }
        Ok((loss, norm))
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
