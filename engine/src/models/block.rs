//! What follows attention in a layer of BERT and its relatives: the output of attention and the
//! feed-forward block, each with a residual connection and a norm after it
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>).

use burn::module::Module;
use burn::tensor::activation::{relu, silu};
use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor};

use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{self, Dropout, Noise, Operations, Site};
use crate::nn::{LayerNorm, Linear, in_format, in_format_of};
use crate::shapes::bert::Activation;

/// Dropout places within a layer, counted from 1; those of adapters come after.
pub(super) mod place {
    pub(in crate::models) const PROBABILITIES: u32 = 1;
    pub(in crate::models) const ATTENTION_OUTPUT: u32 = 2;
    pub(in crate::models) const OUTPUT: u32 = 3;
    /// On a table of relative positions.
    pub(in crate::models) const POSITIONS: u32 = 4;
    /// First of the adapters': query, key, value, attention's output, intermediate, output.
    pub(in crate::models) const ADAPTERS: u32 = 16;
    /// First of those where adapters meet relative positions: as keys, as queries.
    pub(in crate::models) const POSITION_ADAPTERS: u32 = 32;
}

/// Module names of the linear parts below a layer, in the order of the forward pass.
pub(super) const LINEARS: [&str; 3] = [
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
];

/// What draws the dropout of one layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerNoise<'a> {
    layer: u32,
    noise: Option<&'a Noise>,
}

impl<'a> LayerNoise<'a> {
    /// For a layer counted from 0.
    pub(super) fn new(index: usize, noise: Option<&'a Noise>) -> Self {
        // A network has far fewer than 2^32 layers; dropout counts them from 1.
        #[allow(clippy::cast_possible_truncation)]
        let layer = index as u32 + 1;
        Self { layer, noise }
    }

    /// The dropout at a place of the layer.
    pub(super) fn at(self, place: u32, probability: f64) -> Option<Dropout> {
        let layer = self.layer;
        self.noise?.at(Site { layer, place }, probability)
    }

    /// A linear part of the layer, the dropout of its adapter drawn at `place`.
    pub(super) fn linear<B: Operations>(
        self,
        linear: &Linear<B>,
        place: u32,
        input: Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        let dropout = linear
            .lora
            .as_ref()
            .and_then(|lora| self.at(place, lora.dropout));
        linear.forward(input, dropout.as_ref())
    }
}

/// Sizes and constants of a block.
#[derive(Debug, Clone)]
pub(super) struct BlockSettings {
    pub(super) hidden: usize,
    pub(super) intermediate: usize,
    pub(super) activation: Activation,
    pub(super) dropout: f64,
    pub(super) norm_epsilon: f64,
}

/// The block.
#[derive(Module, Debug)]
pub(super) struct Block<B: Backend> {
    attention_output: Linear<B>,
    attention_norm: LayerNorm<B>,
    intermediate: Linear<B>,
    output: Linear<B>,
    output_norm: LayerNorm<B>,
    #[module(skip)]
    settings: BlockSettings,
}

impl<B: Operations> Block<B> {
    /// Builds it from its weights; `layer` is the module name of its layer.
    pub(super) fn new(
        layer: &str,
        settings: BlockSettings,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let BlockSettings {
            hidden,
            intermediate,
            norm_epsilon,
            ..
        } = settings;
        let linear = |part: usize, inputs, outputs| {
            weights.linear(&format!("{layer}.{}", LINEARS[part]), inputs, outputs)
        };
        let norm = |name: &str| weights.norm(&format!("{layer}.{name}"), hidden, norm_epsilon);
        Ok(Self {
            attention_output: linear(0, hidden, hidden)?,
            attention_norm: norm("attention.output.LayerNorm")?,
            intermediate: linear(1, hidden, intermediate)?,
            output: linear(2, intermediate, hidden)?,
            output_norm: norm("output.LayerNorm")?,
            settings,
        })
    }

    /// Its linear parts, as in [`LINEARS`].
    pub(super) fn linears(&self) -> [&Linear<B>; 3] {
        [&self.attention_output, &self.intermediate, &self.output]
    }

    /// [`Block::linears`], to be changed.
    pub(super) fn linears_mut(&mut self) -> [&mut Linear<B>; 3] {
        [
            &mut self.attention_output,
            &mut self.intermediate,
            &mut self.output,
        ]
    }

    /// From what attention gathered and what the layer read, both `[tokens, hidden]`, to the
    /// layer's output.
    pub(super) fn forward(
        &self,
        context: Tensor<B, 2>,
        input: Tensor<B, 2>,
        noise: LayerNoise<'_>,
    ) -> Tensor<B, 2> {
        let settings = &self.settings;
        let adapter = |part: u32| place::ADAPTERS + 3 + part;
        let attended = ops::dropout(
            noise.linear(&self.attention_output, adapter(0), context),
            noise.at(place::ATTENTION_OUTPUT, settings.dropout).as_ref(),
        );
        let attended = self.attention_norm.forward(attended + input);
        let inner = activate(
            noise.linear(&self.intermediate, adapter(1), attended.clone()),
            settings.activation,
        );
        let output = ops::dropout(
            noise.linear(&self.output, adapter(2), inner),
            noise.at(place::OUTPUT, settings.dropout).as_ref(),
        );
        self.output_norm.forward(output + attended)
    }
}

/// An activation by its name.
pub(super) fn activate<B: Operations>(input: Tensor<B, 2>, activation: Activation) -> Tensor<B, 2> {
    match activation {
        Activation::Gelu => ops::gelu(input),
        Activation::GeluNew | Activation::GeluPytorchTanh => {
            const SQRT_2_OVER_PI: f32 = 0.797_884_6;
            // A cube of 41 is more than f16 holds.
            let x = in_format(input.clone(), FloatDType::F32);
            let inner = (x.clone() + x.clone().powi_scalar(3) * 0.044_715) * SQRT_2_OVER_PI;
            in_format_of(x * (inner.tanh() + 1.0) * 0.5, &input)
        }
        Activation::Relu => relu(input),
        Activation::Silu => silu(input),
    }
}
