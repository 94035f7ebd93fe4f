//! What training and adapters need of a sequence classifier of any architecture.

use burn::tensor::Tensor;

use crate::nn::ops::{Noise, Operations};
use crate::nn::{Linear, Tokens};

/// An encoder with a classification head, in stages: embeddings, layers, head. With `noise`, each
/// applies its dropout.
pub trait Classifier<B: Operations> {
    /// What the first layer reads: `[tokens, hidden]`.
    fn embed(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2>;

    /// Number of layers.
    fn depth(&self) -> usize;

    /// One layer, counted from 0: `[tokens, hidden]` to the same shape.
    fn layer(
        &self,
        index: usize,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2>;

    /// The head, on the last layer's output `[tokens, hidden]`: `[texts, classes]`.
    fn classify(
        &self,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2>;

    /// The last layer's output for each token: `[tokens, hidden]`.
    fn hidden_states(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        (0..self.depth()).fold(self.embed(tokens, noise), |hidden, index| {
            self.layer(index, hidden, tokens, noise)
        })
    }

    /// `[texts, classes]`.
    fn logits(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        self.classify(self.hidden_states(tokens, noise), tokens, noise)
    }

    /// The linear layers below the head by module name, in the order of
    /// [`Shapes::linears`](crate::shapes::Shapes::linears).
    fn linears(&self) -> Vec<(String, &Linear<B>)>;

    /// The layers of the head by module name, which are trained in full.
    fn head(&self) -> Vec<(String, &Linear<B>)>;

    /// [`Classifier::linears`] and [`Classifier::head`], to be changed.
    fn parts_mut(&mut self) -> (NamedLinears<'_, B>, NamedLinears<'_, B>);
}

/// Linear layers by module name.
pub type NamedLinears<'a, B> = Vec<(String, &'a mut Linear<B>)>;
