//! What BERT (arXiv 1810.04805) and RoBERTa (arXiv 1907.11692) share: embeddings and layers, on real tokens only, as transformers has them
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>). Knows nothing of heads.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, silu};
use burn::tensor::backend::Backend;
use burn::tensor::module::embedding;
use burn::tensor::{FloatDType, Int, Tensor};

use super::checkpoint::CheckpointError;
use super::classifier::NamedLinears;
use super::weights::Weights;
use crate::nn::ops::{self, AttentionOptions, Noise, Operations, Site};
use crate::nn::{LayerNorm, Linear, Tokens, in_format, in_format_of};
use crate::shapes::bert::{Activation, BertConfig};

/// Embeddings and layers.
#[derive(Module, Debug)]
pub(super) struct Encoder<B: Backend> {
    embeddings: Embeddings<B>,
    layers: Vec<Layer<B>>,
    #[module(skip)]
    prefix: &'static str,
}

/// How the tokens of a text are numbered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Numbering {
    /// From 0.
    FromZero,
    /// From the number behind the padding's id, as in fairseq.
    Behind {
        /// The padding's id.
        padding: u32,
    },
}

/// Sum of word, position and segment embeddings, normalised.
#[derive(Module, Debug)]
struct Embeddings<B: Backend> {
    words: Param<Tensor<B, 2>>,
    positions: Param<Tensor<B, 2>>,
    segments: Param<Tensor<B, 2>>,
    norm: LayerNorm<B>,
    dropout: f64,
    #[module(skip)]
    numbering: Numbering,
}

/// Attention and feed-forward block, each with a residual connection and a norm behind it.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    query: Linear<B>,
    key: Linear<B>,
    value: Linear<B>,
    attention_output: Linear<B>,
    attention_norm: LayerNorm<B>,
    intermediate: Linear<B>,
    output: Linear<B>,
    output_norm: LayerNorm<B>,
    #[module(skip)]
    settings: LayerSettings,
}

#[derive(Debug, Clone)]
struct LayerSettings {
    heads: usize,
    activation: Activation,
    dropout: f64,
    attention_dropout: f64,
}

/// Dropout places within a layer, counted from 1; those of adapters come after.
pub(super) mod place {
    pub(super) const PROBABILITIES: u32 = 1;
    pub(super) const ATTENTION_OUTPUT: u32 = 2;
    pub(super) const OUTPUT: u32 = 3;
    /// First of the six adapters', in the order of [`super::LINEARS`].
    pub(in crate::models) const ADAPTERS: u32 = 16;
}

/// The dropout place of the embeddings. Those of heads come after it, their adapters' from [`place::ADAPTERS`] on, all as of layer 0.
const EMBEDDINGS: Site = Site { layer: 0, place: 1 };

/// Module names of a layer's linear parts below `encoder.layer.N`, in the order of the forward pass.
const LINEARS: [&str; 6] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
];

impl<B: Operations> Encoder<B> {
    /// Builds it from its weights, all of them frozen. `prefix` is the module it is in whole checkpoints, such as `bert`.
    pub(super) fn new(
        prefix: &'static str,
        config: &BertConfig,
        numbering: Numbering,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let layers =
            (0..config.num_hidden_layers).map(|index| Layer::new(prefix, config, index, weights));
        Ok(Self {
            embeddings: Embeddings::new(prefix, config, numbering, weights)?,
            layers: layers.collect::<Result<_, _>>()?,
            prefix,
        })
    }

    /// What the first layer reads: `[tokens, hidden]`.
    pub(super) fn embed(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        self.embeddings.forward(tokens, noise)
    }

    /// Number of layers.
    pub(super) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// One layer, counted from 0: `[tokens, hidden]` to the same shape.
    pub(super) fn layer(
        &self,
        index: usize,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        // A network has far fewer than 2^32 layers; dropout counts them from 1.
        #[allow(clippy::cast_possible_truncation)]
        let number = index as u32 + 1;
        self.layers[index].forward(hidden, tokens, number, noise)
    }

    /// The layers' linear parts by module name, in the order of the forward pass.
    pub(super) fn linears(&self) -> Vec<(String, &Linear<B>)> {
        let layers = self.layers.iter().enumerate().flat_map(|(index, layer)| {
            LINEARS
                .iter()
                .map(move |name| module_name(self.prefix, index, name))
                .zip(layer.linears())
        });
        layers.collect()
    }

    /// [`Encoder::linears`], to be changed.
    pub(super) fn linears_mut(&mut self) -> NamedLinears<'_, B> {
        let prefix = self.prefix;
        let layers = self
            .layers
            .iter_mut()
            .enumerate()
            .flat_map(move |(index, layer)| {
                LINEARS
                    .iter()
                    .map(move |name| module_name(prefix, index, name))
                    .zip(layer.linears_mut())
            });
        layers.collect()
    }
}

/// The noise of the texts' first tokens, which heads see alone.
pub(super) fn noise_of_firsts<B: Backend>(noise: &Noise, tokens: &Tokens<B>) -> Noise {
    let firsts = tokens
        .ragged
        .segments
        .iter()
        .map(|(start, _)| noise.tokens()[start]);
    noise.with_tokens(firsts.collect())
}

fn module_name(prefix: &str, layer: usize, name: &str) -> String {
    format!("{prefix}.encoder.layer.{layer}.{name}")
}

impl<B: Operations> Embeddings<B> {
    fn new(
        prefix: &str,
        config: &BertConfig,
        numbering: Numbering,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let hidden = config.hidden_size;
        let table = |name: &str, rows| {
            let table = weights.embedding(
                &format!("{prefix}.embeddings.{name}_embeddings"),
                [rows, hidden],
            )?;
            Ok::<_, CheckpointError>(Param::from_tensor(table).set_require_grad(false))
        };
        Ok(Self {
            words: table("word", config.vocab_size)?,
            positions: table("position", config.max_position_embeddings)?,
            segments: table("token_type", config.type_vocab_size)?,
            norm: weights.norm(
                &format!("{prefix}.embeddings.LayerNorm"),
                hidden,
                config.layer_norm_eps,
            )?,
            dropout: config.hidden_dropout_prob,
            numbering,
        })
    }

    fn forward(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        // In f32 from the tables to the norm, and rounded once.
        let rows = |table: &Param<Tensor<B, 2>>, indices: &Tensor<B, 1, Int>| {
            let rows = embedding(table.val(), indices.clone().unsqueeze::<2>());
            in_format(rows.squeeze_dim::<2>(0), FloatDType::F32)
        };
        // A single text is all of segment 0.
        let segment = in_format(self.segments.val().slice(0..1), FloatDType::F32);
        let positions = match self.numbering {
            Numbering::FromZero => tokens.positions.clone(),
            Numbering::Behind { padding } => tokens.positions_behind(padding),
        };
        let sum = rows(&self.words, &tokens.ids) + rows(&self.positions, &positions) + segment;
        let dropout = noise.and_then(|noise| noise.at(EMBEDDINGS, self.dropout));
        let output = ops::dropout(self.norm.forward(sum), dropout.as_ref());
        in_format_of(output, &self.words.val())
    }
}

impl<B: Operations> Layer<B> {
    fn new(
        prefix: &str,
        config: &BertConfig,
        index: usize,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        let linear = |part: usize, inputs, outputs| {
            weights.linear(&module_name(prefix, index, LINEARS[part]), inputs, outputs)
        };
        let norm = |name: &str| {
            weights.norm(
                &module_name(prefix, index, name),
                hidden,
                config.layer_norm_eps,
            )
        };
        Ok(Self {
            query: linear(0, hidden, hidden)?,
            key: linear(1, hidden, hidden)?,
            value: linear(2, hidden, hidden)?,
            attention_output: linear(3, hidden, hidden)?,
            attention_norm: norm("attention.output.LayerNorm")?,
            intermediate: linear(4, hidden, intermediate)?,
            output: linear(5, intermediate, hidden)?,
            output_norm: norm("output.LayerNorm")?,
            settings: LayerSettings {
                heads: config.num_attention_heads,
                activation: config.hidden_act,
                dropout: config.hidden_dropout_prob,
                attention_dropout: config.attention_probs_dropout_prob,
            },
        })
    }

    fn linears(&self) -> [&Linear<B>; 6] {
        [
            &self.query,
            &self.key,
            &self.value,
            &self.attention_output,
            &self.intermediate,
            &self.output,
        ]
    }

    fn linears_mut(&mut self) -> [&mut Linear<B>; 6] {
        [
            &mut self.query,
            &mut self.key,
            &mut self.value,
            &mut self.attention_output,
            &mut self.intermediate,
            &mut self.output,
        ]
    }

    /// `[tokens, hidden]` to the same shape; `number` counts layers from 1.
    fn forward(
        &self,
        input: Tensor<B, 2>,
        tokens: &Tokens<B>,
        number: u32,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        let settings = &self.settings;
        let dropout = |place, probability| {
            noise.and_then(|noise| {
                noise.at(
                    Site {
                        layer: number,
                        place,
                    },
                    probability,
                )
            })
        };
        let linear = |part: usize, input: Tensor<B, 2>| {
            let layer = self.linears()[part];
            let adapter = layer.lora.as_ref().and_then(|lora| {
                // `part` is below 6.
                #[allow(clippy::cast_possible_truncation)]
                dropout(place::ADAPTERS + part as u32, lora.dropout)
            });
            layer.forward(input, adapter.as_ref())
        };
        let [query, key, value] = [0, 1, 2].map(|part| linear(part, input.clone()));
        #[allow(clippy::cast_precision_loss)]
        let head_size = (query.dims()[1] / settings.heads) as f32;
        let options = AttentionOptions {
            heads: settings.heads,
            scale: head_size.sqrt().recip(),
            dropout: dropout(place::PROBABILITIES, settings.attention_dropout),
        };
        let context = ops::attention(query, key, value, &tokens.ragged, &options);
        let attended = ops::dropout(
            linear(3, context),
            dropout(place::ATTENTION_OUTPUT, settings.dropout).as_ref(),
        );
        let attended = self.attention_norm.forward(attended + input);
        let inner = activate(linear(4, attended.clone()), settings.activation);
        let output = ops::dropout(
            linear(5, inner),
            dropout(place::OUTPUT, settings.dropout).as_ref(),
        );
        self.output_norm.forward(output + attended)
    }
}

fn activate<B: Operations>(input: Tensor<B, 2>, activation: Activation) -> Tensor<B, 2> {
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
