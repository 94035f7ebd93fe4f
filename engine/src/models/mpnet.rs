//! MPNet (arXiv 2004.09297) without a head, as transformers' `MPNetModel`
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/mpnet/modeling_mpnet.py>).
//!
//! BERT's layers without segments, with positions that begin after the padding's id and, in every
//! layer's attention, a bias that one table gives for relative positions, in buckets as T5 has them
//! (arXiv 1910.10683).

use burn::module::Param;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::block::activate;
use super::encoder::rows;
use super::relative_encoder::{FeedForward, RelativeLayer};
use super::weights::{Initial, Weights};
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{Operations, RelativeBias};
use crate::nn::{LayerNorm, Linear, Tokens, in_format_of};
use crate::shapes::bert::Activation;
use crate::shapes::mpnet::{BUCKETS, MpnetConfig, PADDING};

/// Distance from which on all are one bucket.
const FARTHEST: f32 = 128.0;

/// MPNet without a head.
#[derive(Debug)]
pub(super) struct Mpnet<B: Backend> {
    words: Param<Tensor<B, 2>>,
    positions: Param<Tensor<B, 2>>,
    norm: LayerNorm<B>,
    layers: Vec<RelativeLayer<B, Plain<B>>>,
    /// `[buckets, heads]`, on the host.
    relative: Vec<f32>,
    heads: usize,
}

/// Two linear layers with an activation between them.
#[derive(Debug)]
struct Plain<B: Backend> {
    intermediate: Linear<B>,
    output: Linear<B>,
    activation: Activation,
}

impl<B: Operations> FeedForward<B> for Plain<B> {
    fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let inner = activate(self.intermediate.forward(input, None), self.activation);
        self.output.forward(inner, None)
    }
}

impl<B: Operations> Mpnet<B> {
    /// Builds it from its weights.
    pub(super) fn new(
        config: &MpnetConfig,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let bucket_rows = config.bucket_rows();
        let config = config.encoder();
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        let relative = weights.values(
            "mpnet.encoder.relative_attention_bias.weight",
            bucket_rows * heads,
            Initial::Normal(weights.deviation),
        )?;
        let layer = |index: usize| {
            let name = |part: &str| format!("mpnet.encoder.layer.{index}.{part}");
            let linear = |part: &str, inputs, outputs| weights.linear(&name(part), inputs, outputs);
            let norm = |part: &str| weights.norm(&name(part), hidden, config.layer_norm_eps);
            let inner = config.intermediate_size;
            Ok::<_, CheckpointError>(RelativeLayer {
                query: linear("attention.attn.q", hidden, hidden)?,
                key: linear("attention.attn.k", hidden, hidden)?,
                value: linear("attention.attn.v", hidden, hidden)?,
                attention_output: linear("attention.attn.o", hidden, hidden)?,
                attention_norm: norm("attention.LayerNorm")?,
                feed_forward: Plain {
                    intermediate: linear("intermediate.dense", hidden, inner)?,
                    output: linear("output.dense", inner, hidden)?,
                    activation: config.hidden_act,
                },
                output_norm: norm("output.LayerNorm")?,
                heads,
            })
        };
        Ok(Self {
            words: Param::from_tensor(weights.embedding(
                "mpnet.embeddings.word_embeddings",
                [config.vocab_size, hidden],
            )?),
            positions: Param::from_tensor(weights.embedding(
                "mpnet.embeddings.position_embeddings",
                [config.max_position_embeddings, hidden],
            )?),
            norm: weights.norm("mpnet.embeddings.LayerNorm", hidden, config.layer_norm_eps)?,
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<Result<_, _>>()?,
            relative,
            heads,
        })
    }

    /// The last layer's output: `[tokens, hidden]`.
    pub(super) fn hidden_states(&self, tokens: &Tokens<B>) -> Tensor<B, 2> {
        let positions = tokens.positions_after(PADDING);
        let sum = rows(&self.words, &tokens.ids) + rows(&self.positions, &positions);
        let longest = tokens.ragged.segments.longest();
        let bias = RelativeBias::new(self.heads, longest, |head, distance| {
            self.relative[bucket(distance) * self.heads + head]
        });
        let embedded = in_format_of(self.norm.forward(sum), &self.words.val());
        self.layers.iter().fold(embedded, |hidden, layer| {
            layer.forward(hidden, tokens, &bias)
        })
    }
}

/// The row of the table for a key's position minus the query's: half of the rows for each
/// direction; in each, one for every short distance, then wider and wider ones.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn bucket(distance: isize) -> usize {
    let half = BUCKETS / 2;
    let exact = half / 2;
    let size = distance.unsigned_abs();
    let within = if size < exact {
        size
    } else {
        // In 32-bit floats, as PyTorch has it: the rounding decides where distances such as 16 and
        // 32 fall.
        let growth = (size as f32 / exact as f32).ln() / (FARTHEST / exact as f32).ln();
        (exact + (growth * (half - exact) as f32) as usize).min(half - 1)
    };
    within + if distance > 0 { half } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_transformers() {
        // MPNetEncoder.relative_position_bucket: the first distance of each bucket.
        let firsts: [isize; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];
        for distance in 0..2000_isize {
            let expected = firsts.iter().rposition(|&first| first <= distance).unwrap();
            assert_eq!(bucket(-distance), expected, "{distance}");
            let expected = if distance == 0 { 0 } else { expected + 16 };
            assert_eq!(bucket(distance), expected, "{distance}");
        }
    }
}
