//! What BERT (arXiv 1810.04805) and RoBERTa (arXiv 1907.11692) share: embeddings and layers, on
//! real tokens only, as transformers has them
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>).
//! Knows nothing of heads.

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::module::embedding;
use burn::tensor::{FloatDType, Int, Tensor};

use super::block::{Block, BlockSettings, LINEARS as BLOCK_LINEARS, LayerNoise, place};
use super::classifier::NamedLinears;
use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{self, AttentionOptions, Noise, Operations, Site};
use crate::nn::{LayerNorm, Linear, Tokens, in_format, in_format_of};
use crate::shapes::bert::BertConfig;

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
    /// From the number after the padding's id, as in fairseq.
    After {
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

/// Attention and what follows it.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    query: Linear<B>,
    key: Linear<B>,
    value: Linear<B>,
    block: Block<B>,
    heads: usize,
    attention_dropout: f64,
}

/// The dropout place of the embeddings. Those of heads come after it, their adapters' from
/// [`place::ADAPTERS`] on, all as of layer 0.
pub(super) const EMBEDDINGS: Site = Site { layer: 0, place: 1 };

/// Module names of the linear parts of attention below `encoder.layer.N`, in the order of the
/// forward pass.
const LINEARS: [&str; 3] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
];

impl<B: Operations> Encoder<B> {
    /// Builds it from its weights, all of them frozen. `prefix` is the module it is in whole
    /// checkpoints, such as `bert`.
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
        self.layers[index].forward(hidden, tokens, LayerNoise::new(index, noise))
    }

    /// The layers' linear parts by module name, in the order of the forward pass.
    pub(super) fn linears(&self) -> Vec<(String, &Linear<B>)> {
        let layers = self
            .layers
            .iter()
            .enumerate()
            .flat_map(|(index, layer)| names(self.prefix, index).zip(layer.linears()));
        layers.collect()
    }

    /// [`Encoder::linears`], to be changed.
    pub(super) fn linears_mut(&mut self) -> NamedLinears<'_, B> {
        let prefix = self.prefix;
        let layers = self
            .layers
            .iter_mut()
            .enumerate()
            .flat_map(move |(index, layer)| names(prefix, index).zip(layer.linears_mut()));
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

fn layer_name(prefix: &str, layer: usize) -> String {
    format!("{prefix}.encoder.layer.{layer}")
}

/// Module names of a layer's linear parts, in the order of the forward pass.
fn names(prefix: &str, layer: usize) -> impl Iterator<Item = String> {
    let layer = layer_name(prefix, layer);
    LINEARS
        .iter()
        .chain(&BLOCK_LINEARS)
        .map(move |name| format!("{layer}.{name}"))
}

/// Rows of a table: `[tokens, width]`, in f32 whatever the table is in, so that sums and norms of
/// embeddings are rounded once.
pub(super) fn rows<B: Operations>(
    table: &Param<Tensor<B, 2>>,
    indices: &Tensor<B, 1, Int>,
) -> Tensor<B, 2> {
    let rows = embedding(table.val(), indices.clone().unsqueeze::<2>());
    in_format(rows.squeeze_dim::<2>(0), FloatDType::F32)
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
        // A single text is all of segment 0.
        let segment = in_format(self.segments.val().slice(0..1), FloatDType::F32);
        let positions = match self.numbering {
            Numbering::FromZero => tokens.positions.clone(),
            Numbering::After { padding } => tokens.positions_after(padding),
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
        let hidden = config.hidden_size;
        let layer = layer_name(prefix, index);
        let linear =
            |part: usize| weights.linear(&format!("{layer}.{}", LINEARS[part]), hidden, hidden);
        let settings = BlockSettings {
            hidden,
            intermediate: config.intermediate_size,
            activation: config.hidden_act,
            dropout: config.hidden_dropout_prob,
            norm_epsilon: config.layer_norm_eps,
        };
        Ok(Self {
            query: linear(0)?,
            key: linear(1)?,
            value: linear(2)?,
            block: Block::new(&layer, settings, weights)?,
            heads: config.num_attention_heads,
            attention_dropout: config.attention_probs_dropout_prob,
        })
    }

    fn linears(&self) -> impl Iterator<Item = &Linear<B>> {
        [&self.query, &self.key, &self.value]
            .into_iter()
            .chain(self.block.linears())
    }

    fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear<B>> {
        [&mut self.query, &mut self.key, &mut self.value]
            .into_iter()
            .chain(self.block.linears_mut())
    }

    /// `[tokens, hidden]` to the same shape.
    fn forward(
        &self,
        input: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: LayerNoise<'_>,
    ) -> Tensor<B, 2> {
        let projected = |linear, part| noise.linear(linear, place::ADAPTERS + part, input.clone());
        let query = projected(&self.query, 0);
        let key = projected(&self.key, 1);
        let value = projected(&self.value, 2);
        let dropout = noise.at(place::PROBABILITIES, self.attention_dropout);
        let options = AttentionOptions::full(self.heads, query.dims()[1], dropout);
        let context = ops::attention(query, key, value, [&tokens.ragged; 2], &options);
        self.block.forward(context, input, noise)
    }
}
