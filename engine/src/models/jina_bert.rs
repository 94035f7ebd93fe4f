//! Jina BERT v2 (arXiv 2310.19923) without a head, in the variant without norms of queries and
//! keys.
//!
//! BERT's layers without position embeddings: attention scores fall with distance, alike in both
//! directions (`ALiBi`, arXiv 2108.12409), and the feed-forward block is gated (arXiv 2002.05202).
//! The code of the checkpoints is `modeling_bert.py` of
//! <https://huggingface.co/jinaai/jina-bert-implementation>.

use burn::module::Param;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor};

use super::encoder::rows;
use super::relative_encoder::{FeedForward, RelativeLayer};
use super::weights::{Initial, Weights};
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{self, Operations, RelativeBias};
use crate::nn::{LayerNorm, Linear, Tokens, in_format, in_format_of};
use crate::shapes::jina_bert::{Gate, JinaBertConfig};

/// Jina BERT v2 without a head.
#[derive(Debug)]
pub(super) struct JinaBert<B: Backend> {
    words: Param<Tensor<B, 2>>,
    segments: Tensor<B, 2>,
    norm: LayerNorm<B>,
    layers: Vec<RelativeLayer<B, Gated<B>>>,
    /// By head: what each token of distance takes from a score.
    slopes: Vec<f32>,
}

/// A product of two linear layers, one of them through the gate, and a third after it.
#[derive(Debug)]
struct Gated<B: Backend> {
    through_gate: Linear<B>,
    plain: Linear<B>,
    output: Linear<B>,
    gate: Gate,
}

impl<B: Operations> FeedForward<B> for Gated<B> {
    fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let gated = self.through_gate.forward(input.clone(), None);
        let gated = match self.gate {
            Gate::Geglu => ops::gelu(gated),
            Gate::Reglu => relu(gated),
        };
        self.output
            .forward(gated * self.plain.forward(input, None), None)
    }
}

impl<B: Operations> Gated<B> {
    /// The checkpoint's `gated_layers` has the gate's rows first, then the others, and no bias. Two
    /// layers need no cutting of activations.
    fn new(
        name: &str,
        [hidden, inner]: [usize; 2],
        gate: Gate,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let both: Tensor<B, 2> = weights.tensor(
            &format!("{name}.gated_layers.weight"),
            [2 * inner, hidden],
            Initial::Normal(weights.deviation),
        )?;
        let half = |first: usize| Linear::new(both.clone().slice(first..first + inner), None);
        Ok(Self {
            through_gate: half(0),
            plain: half(inner),
            output: weights.linear(&format!("{name}.wo"), inner, hidden)?,
            gate,
        })
    }
}

impl<B: Operations> JinaBert<B> {
    /// Builds it from its weights.
    pub(super) fn new(
        config: &JinaBertConfig,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let gate = config.gate();
        let config = config.encoder();
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        let layer = |index: usize| {
            let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
            let linear = |part: &str| weights.linear(&name(part), hidden, hidden);
            let norm = |part: &str| weights.norm(&name(part), hidden, config.layer_norm_eps);
            Ok::<_, CheckpointError>(RelativeLayer {
                query: linear("attention.self.query")?,
                key: linear("attention.self.key")?,
                value: linear("attention.self.value")?,
                attention_output: linear("attention.output.dense")?,
                attention_norm: norm("attention.output.LayerNorm")?,
                feed_forward: Gated::new(
                    &name("mlp"),
                    [hidden, config.intermediate_size],
                    gate,
                    weights,
                )?,
                output_norm: norm("mlp.layernorm")?,
                heads,
            })
        };
        Ok(Self {
            words: Param::from_tensor(weights.embedding(
                "bert.embeddings.word_embeddings",
                [config.vocab_size, hidden],
            )?),
            segments: weights.embedding(
                "bert.embeddings.token_type_embeddings",
                [config.type_vocab_size, hidden],
            )?,
            norm: weights.norm("bert.embeddings.LayerNorm", hidden, config.layer_norm_eps)?,
            layers: (0..config.num_hidden_layers)
                .map(layer)
                .collect::<Result<_, _>>()?,
            slopes: slopes(heads),
        })
    }

    /// The last layer's output: `[tokens, hidden]`.
    pub(super) fn hidden_states(&self, tokens: &Tokens<B>) -> Tensor<B, 2> {
        // A single text is all of segment 0.
        let sum = rows(&self.words, &tokens.ids)
            + in_format(self.segments.clone().slice(0..1), FloatDType::F32);
        let longest = tokens.ragged.segments.longest();
        #[allow(clippy::cast_precision_loss)]
        let bias = RelativeBias::new(self.slopes.len(), longest, |head, distance| {
            -self.slopes[head] * distance.unsigned_abs() as f32
        });
        let embedded = in_format_of(self.norm.forward(sum), &self.words.val());
        self.layers.iter().fold(embedded, |hidden, layer| {
            layer.forward(hidden, tokens, &bias)
        })
    }
}

/// `ALiBi`'s slopes: a geometric sequence from `2^(-8/n)` on for `n` heads where that is a power of
/// two; otherwise the one of the power below, and then every other one of the power above.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn slopes(heads: usize) -> Vec<f32> {
    let sequence = |count: usize| {
        let first = (-8.0 / count as f64).exp2();
        (1..=count as u32).map(move |index| first.powf(f64::from(index)) as f32)
    };
    let below = if heads.is_power_of_two() {
        heads
    } else {
        heads.next_power_of_two() / 2
    };
    sequence(below)
        .chain(sequence(2 * below).step_by(2))
        .take(heads)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_the_papers() {
        assert_eq!(slopes(4), [0.25, 0.0625, 0.015_625, 0.003_906_25]);
        let twelve = slopes(12);
        assert_eq!(twelve[..8], slopes(8));
        let sixteen = slopes(16);
        assert_eq!(
            twelve[8..],
            [sixteen[0], sixteen[2], sixteen[4], sixteen[6]]
        );
        assert_eq!(slopes(1), [0.003_906_25]);
    }
}
