//! What MPNet and Jina BERT share: layers whose attention scores carry a bias by relative position,
//! with norms after each block. Forward only.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::nn::ops::{self, AttentionOptions, Operations, RelativeBias};
use crate::nn::{LayerNorm, Linear, Tokens};

/// A layer: attention with a relative bias, then a feed-forward block, each with a residual
/// connection and a norm after it.
#[derive(Debug)]
pub(super) struct RelativeLayer<B: Backend, F> {
    pub(super) query: Linear<B>,
    pub(super) key: Linear<B>,
    pub(super) value: Linear<B>,
    pub(super) attention_output: Linear<B>,
    pub(super) attention_norm: LayerNorm<B>,
    pub(super) feed_forward: F,
    pub(super) output_norm: LayerNorm<B>,
    pub(super) heads: usize,
}

/// The part of a layer between its two norms.
pub(super) trait FeedForward<B: Backend> {
    /// `[tokens, hidden]` to the same shape, without the residual connection.
    fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2>;
}

impl<B: Operations, F: FeedForward<B>> RelativeLayer<B, F> {
    /// `[tokens, hidden]` to the same shape.
    pub(super) fn forward(
        &self,
        input: Tensor<B, 2>,
        tokens: &Tokens<B>,
        bias: &RelativeBias,
    ) -> Tensor<B, 2> {
        let [query, key, value] =
            [&self.query, &self.key, &self.value].map(|linear| linear.forward(input.clone(), None));
        let options = AttentionOptions::full(self.heads, query.dims()[1], None);
        let context = ops::biased_attention(query, key, value, &tokens.ragged, bias, &options);
        let attended = self.attention_output.forward(context, None) + input;
        let attended = self.attention_norm.forward(attended);
        let output = self.feed_forward.forward(attended.clone());
        self.output_norm.forward(output + attended)
    }
}
