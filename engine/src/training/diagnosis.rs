//! Where in the network numbers stopped being finite.

use std::fmt;

use burn::tensor::Tensor;

use crate::models::Classifier;
use crate::nn::Tokens;
use crate::nn::ops::{Noise, Operations};

/// A stage of a classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// What the first layer reads.
    Embeddings,
    /// A layer, counted from 0 as in the names of its tensors.
    Layer(usize),
    /// From the last layer to the logits.
    Head,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embeddings => formatter.write_str("the embeddings"),
            Self::Layer(index) => write!(formatter, "layer {index}, counted from 0"),
            Self::Head => formatter.write_str("the head"),
        }
    }
}

/// The first stage whose output is not finite everywhere, if there is one.
pub(super) fn first_not_finite<B: Operations, M: Classifier<B>>(
    model: &M,
    tokens: &Tokens<B>,
    noise: &Noise,
) -> Option<Stage> {
    let noise = Some(noise);
    let mut hidden = model.embed(tokens, noise);
    if !is_finite(&hidden) {
        return Some(Stage::Embeddings);
    }
    for index in 0..model.depth() {
        hidden = model.layer(index, hidden, tokens, noise);
        if !is_finite(&hidden) {
            return Some(Stage::Layer(index));
        }
    }
    (!is_finite(&model.classify(hidden, tokens, noise))).then_some(Stage::Head)
}

fn is_finite<B: Operations>(values: &Tensor<B, 2>) -> bool {
    values.clone().into_data().iter::<f32>().all(f32::is_finite)
}
