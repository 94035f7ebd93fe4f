//! Gradient checkpointing (arXiv 1604.06174) by layer: the way forward keeps each layer's input
//! alone, the way back computes one layer at a time again. Dropout is a function of step and token,
//! so the second time repeats the first.

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::step::{Gradients, add, take};
use crate::models::Classifier;
use crate::nn::Tokens;
use crate::nn::ops::{Noise, Operations};

/// What a training that checkpoints has learnt of its model.
#[derive(Debug, Default)]
pub(super) struct Checkpointed {
    /// The lowest layer that anything is trained in, as the first way back finds out. Below it
    /// nothing needs a gradient, and the input of no layer is kept.
    lowest: Option<usize>,
}

impl Checkpointed {
    /// The gradients of a piece of a batch. `backward` makes the loss of the logits and runs its
    /// backward pass.
    ///
    /// `inner` and `tokens` are the same texts, outside and under `Autodiff`.
    pub(super) fn gradients<B, M>(
        &mut self,
        model: &mut M,
        inner: &Tokens<B>,
        tokens: &Tokens<Autodiff<B>>,
        noise: &Noise,
        backward: impl FnOnce(Tensor<Autodiff<B>, 2>) -> <Autodiff<B> as AutodiffBackend>::Gradients,
    ) -> Gradients<B>
    where
        B: Operations,
        M: Classifier<Autodiff<B>> + AutodiffModule<Autodiff<B>>,
        M::InnerModule: Classifier<B>,
    {
        let lowest = self.lowest.unwrap_or(0);
        let (mut inputs, last) = inputs(&model.valid(), inner, noise, lowest);

        let last: Tensor<Autodiff<B>, 2> = Tensor::from_inner(last).require_grad();
        let mut gradients = backward(model.classify(last.clone(), tokens, Some(noise)));
        let mut summed = take(model, &mut gradients);
        // Every layer but the last is asked for the gradient of its input, which is that of the
        // output of the one below.
        let mut upstream = last.grad_remove(&mut gradients);
        let mut trained_in = model.depth();
        for index in (lowest..model.depth()).rev() {
            let (Some(input), Some(gradient)) = (inputs.pop(), upstream.take()) else {
                break;
            };
            let mut input = Tensor::from_inner(input);
            if self.lowest != Some(index) {
                input = input.require_grad();
            }
            let output = model.layer(index, input.clone(), tokens, Some(noise));
            let mut gradients = (output * Tensor::from_inner(gradient)).sum().backward();
            let taken = take(model, &mut gradients);
            if taken.iter().any(Option::is_some) {
                trained_in = index;
            }
            add(&mut summed, taken);
            upstream = input.grad_remove(&mut gradients);
        }
        self.lowest.get_or_insert(trained_in);
        summed
    }
}

/// The inputs of the layers from `lowest` on, and the output of the last, without any history.
fn inputs<B: Operations, M: Classifier<B>>(
    model: &M,
    tokens: &Tokens<B>,
    noise: &Noise,
    lowest: usize,
) -> (Vec<Tensor<B, 2>>, Tensor<B, 2>) {
    let mut inputs = Vec::new();
    let mut hidden = model.embed(tokens, Some(noise));
    for index in 0..model.depth() {
        if index >= lowest {
            inputs.push(hidden.clone());
        }
        hidden = model.layer(index, hidden, tokens, Some(noise));
    }
    (inputs, hidden)
}
