//! The gradients of one optimiser step: batches in pieces of a few rows, each forwards and
//! backwards, by one of two ways.

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::Tensor;

use super::Example;
use super::adamw::scalar;
use super::checkpointed::Checkpointed;
use super::loss::summed_cross_entropy;
use crate::models::{Classifier, trained};
use crate::nn::ops::{Noise, Operations, alone_with_gradients};
use crate::nn::{Tokens, token_keys};

/// A gradient for each trained parameter; none where the loss does not depend on it.
pub(super) type Gradients<B> = Vec<Option<Tensor<B, 1>>>;

/// How the gradients of a step are computed.
pub(super) struct Step<'a, B: Operations> {
    pub(super) device: &'a B::Device,
    /// Rows that go through the network at once, at least 1.
    pub(super) micro_batch_size: usize,
    /// Remembers layer inputs alone, where gradient checkpointing is on.
    pub(super) checkpointed: Option<&'a mut Checkpointed>,
    /// What the loss is multiplied by before the backward pass; the gradients are so many times too
    /// large.
    pub(super) loss_scale: f64,
    /// Seed of dropout.
    pub(super) seed: u64,
    /// Number of the step, by which dropout knows it.
    pub(super) number: u64,
}

impl<B: Operations> Step<'_, B> {
    /// The loss and the gradients of a step over `batches`: the mean over the batches of their
    /// means over texts, as `Trainer` has it for models of this kind.
    ///
    /// A piece of a batch counts by its rows and dropout knows tokens by their texts, so the size
    /// of the pieces changes nothing but rounding.
    pub(super) fn gradients<'e, M>(
        &mut self,
        model: &mut M,
        batches: impl ExactSizeIterator<Item = Vec<&'e Example>>,
    ) -> (f64, Gradients<B>)
    where
        M: Classifier<Autodiff<B>> + AutodiffModule<Autodiff<B>>,
        M::InnerModule: Classifier<B>,
    {
        let count = batches.len();
        let mut loss = 0.0;
        let mut summed = Gradients::new();
        for batch in batches {
            for rows in batch.chunks(self.micro_batch_size) {
                let (share, gradients) = self.piece(model, rows, batch.len() * count);
                loss += share;
                add(&mut summed, gradients);
            }
        }
        (loss, summed)
    }

    /// The share of some rows in the loss and in each gradient, where a row weighs `1 / weight`.
    fn piece<M>(&mut self, model: &mut M, rows: &[&Example], weight: usize) -> (f64, Gradients<B>)
    where
        M: Classifier<Autodiff<B>> + AutodiffModule<Autodiff<B>>,
        M::InnerModule: Classifier<B>,
    {
        let texts: Vec<&[u32]> = rows.iter().map(|row| row.tokens.as_slice()).collect();
        let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
        let numbers: Vec<usize> = rows.iter().map(|row| row.row).collect();
        let noise = Noise::new(self.seed, self.number, token_keys(&texts, &numbers));
        let tokens = Tokens::new(&texts, self.device);
        let _turn = alone_with_gradients();
        let mut share = 0.0;
        let scale = self.loss_scale;
        let mut backward = |logits| {
            #[allow(clippy::cast_precision_loss)]
            let loss = summed_cross_entropy(logits, &labels) / weight as f64;
            share = scalar(loss.clone().inner());
            // A factor of 1 would be one more operation.
            #[allow(clippy::float_cmp)]
            let scaled = if scale == 1.0 { loss } else { loss * scale };
            scaled.backward()
        };
        let gradients = if let Some(checkpointed) = &mut self.checkpointed {
            let inner = Tokens::new(&texts, self.device);
            checkpointed.gradients(model, &inner, &tokens, &noise, backward)
        } else {
            let mut gradients = backward(model.logits(&tokens, Some(&noise)));
            take(model, &mut gradients)
        };
        (share, gradients)
    }
}

/// Takes the gradients of all trained parameters.
pub(super) fn take<B: Operations, M: Classifier<Autodiff<B>>>(
    model: &mut M,
    gradients: &mut <Autodiff<B> as burn::tensor::backend::AutodiffBackend>::Gradients,
) -> Gradients<B> {
    trained(model)
        .into_iter()
        .map(|(_, parameter)| parameter.take_gradient(gradients))
        .collect()
}

/// Adds gradients to a sum of others.
pub(super) fn add<B: Operations>(total: &mut Gradients<B>, gradients: Gradients<B>) {
    total.resize(total.len().max(gradients.len()), None);
    for (total, gradient) in total.iter_mut().zip(gradients) {
        *total = match (total.take(), gradient) {
            (Some(total), Some(gradient)) => Some(total + gradient),
            (total, gradient) => total.or(gradient),
        };
    }
}
