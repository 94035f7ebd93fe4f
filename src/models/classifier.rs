//! What training and adapters need of a sequence classifier, whatever its architecture.

use burn::tensor::Tensor;

use crate::nn::ops::{Noise, Operations};
use crate::nn::{Linear, Tokens};

/// An encoder with a classification head.
pub trait Classifier<B: Operations> {
    /// `[texts, classes]`; with `noise`, dropout is applied.
    fn logits(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2>;

    /// The linear layers below the head by module name, in the order of [`Shapes::linears`](crate::shapes::Shapes::linears).
    fn linears(&self) -> Vec<(String, &Linear<B>)>;

    /// The layers of the head by module name, which are trained in full.
    fn head(&self) -> Vec<(String, &Linear<B>)>;

    /// [`Classifier::linears`] and [`Classifier::head`], to be changed.
    fn parts_mut(&mut self) -> (NamedLinears<'_, B>, NamedLinears<'_, B>);
}

/// Linear layers by module name.
pub type NamedLinears<'a, B> = Vec<(String, &'a mut Linear<B>)>;
