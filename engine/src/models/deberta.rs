//! DeBERTa-v2 and v3 (arXiv 2006.03654, 2111.09543) for sequence classification, as transformers'
//! `DebertaV2ForSequenceClassification`
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/deberta_v2/modeling_deberta_v2.py>).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::block::{Block, BlockSettings, LINEARS as BLOCK_LINEARS, LayerNoise, activate, place};
use super::classifier::{Classifier, NamedLinears};
use super::encoder::{EMBEDDINGS, noise_of_firsts, rows};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{
    self, AttentionOptions, Disentangled, DisentangledOptions, Mask, Noise, Operations, Site,
};
use crate::nn::{LayerNorm, Linear, RelativePositions, Tokens, in_format_of};
use crate::shapes::bert::Activation;
use crate::shapes::deberta::DebertaV2Config;

/// Dropout places of the head.
const CONTEXT: Site = Site { layer: 0, place: 2 };
const POOLED: Site = Site { layer: 0, place: 3 };
const POOLER_ADAPTER: Site = Site {
    layer: 0,
    place: place::ADAPTERS,
};

/// Module names.
const POOLER: &str = "pooler.dense";
const CLASSIFIER: &str = "classifier";

/// DeBERTa with a pooler on each text's first token and a linear head.
#[derive(Module, Debug)]
pub struct DebertaClassifier<B: Backend> {
    words: Param<Tensor<B, 2>>,
    norm: LayerNorm<B>,
    /// `[2 * span, hidden]`: the relative positions, the same for all layers.
    positions: Param<Tensor<B, 2>>,
    position_norm: Option<LayerNorm<B>>,
    layers: Vec<Layer<B>>,
    pooler: Linear<B>,
    classifier: Linear<B>,
    #[module(skip)]
    settings: Settings,
}

#[derive(Debug, Clone)]
struct Settings {
    relative: RelativePositions,
    dropout: f64,
    pooler_dropout: f64,
    pooler_activation: Activation,
    head_dropout: f64,
}

/// Attention and what follows it.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    query: Linear<B>,
    key: Linear<B>,
    value: Linear<B>,
    /// Projections of relative positions, where they do not share those of keys and queries.
    position_key: Option<Linear<B>>,
    position_query: Option<Linear<B>>,
    block: Block<B>,
    #[module(skip)]
    settings: LayerSettings,
}

#[derive(Debug, Clone)]
struct LayerSettings {
    heads: usize,
    content_to_position: bool,
    position_to_content: bool,
    attention_dropout: f64,
    position_dropout: f64,
}

/// Module names of the linear parts of attention below `attention.self`, in the order of the
/// forward pass.
const LINEARS: [&str; 3] = ["query_proj", "key_proj", "value_proj"];
const POSITION_KEY: &str = "pos_key_proj";
const POSITION_QUERY: &str = "pos_query_proj";

fn layer_name(index: usize) -> String {
    format!("deberta.encoder.layer.{index}")
}

impl<B: Operations> DebertaClassifier<B> {
    /// Builds the network from its weights, all of them frozen.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn new(
        config: &DebertaV2Config,
        classes: usize,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let hidden = config.hidden_size;
        let table = |name: &str, rows| {
            let table = weights.embedding(&format!("deberta.{name}"), [rows, hidden])?;
            Ok::<_, CheckpointError>(Param::from_tensor(table).set_require_grad(false))
        };
        let norm =
            |name: &str| weights.norm(&format!("deberta.{name}"), hidden, config.layer_norm_eps);
        let layers = (0..config.num_hidden_layers).map(|index| Layer::new(config, index, weights));
        Ok(Self {
            words: table("embeddings.word_embeddings", config.vocab_size)?,
            norm: norm("embeddings.LayerNorm")?,
            positions: table("encoder.rel_embeddings", config.position_rows())?,
            position_norm: config
                .norms_positions()
                .then(|| norm("encoder.LayerNorm"))
                .transpose()?,
            layers: layers.collect::<Result<_, _>>()?,
            pooler: weights.linear(POOLER, hidden, hidden)?,
            classifier: weights.head(CLASSIFIER, hidden, classes)?,
            settings: Settings {
                relative: RelativePositions {
                    buckets: config.buckets(),
                    furthest: config.furthest(),
                },
                dropout: config.hidden_dropout_prob,
                pooler_dropout: config.pooler_dropout,
                pooler_activation: config.pooler_hidden_act,
                head_dropout: config.head_dropout(),
            },
        })
    }
}

impl<B: Operations> Classifier<B> for DebertaClassifier<B> {
    fn embed(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        let words = self.norm.forward(rows(&self.words, &tokens.ids));
        let dropout = noise.and_then(|noise| noise.at(EMBEDDINGS, self.settings.dropout));
        in_format_of(ops::dropout(words, dropout.as_ref()), &self.words.val())
    }

    fn depth(&self) -> usize {
        self.layers.len()
    }

    fn layer(
        &self,
        index: usize,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        // Dropout identifies positions by their rows of the whole table, so that the same ones drop
        // whatever the text.
        let (needed, distances) = self
            .settings
            .relative
            .within(tokens.ragged.segments.longest());
        let positions = self.positions.val().slice(needed.clone());
        let positions = match &self.position_norm {
            Some(norm) => norm.forward(positions),
            None => positions,
        };
        let position_noise =
            noise.map(|noise| noise.with_tokens(needed.map(|row| row as u64).collect()));
        let layer = &self.layers[index];
        let options = DisentangledOptions {
            attention: layer.attention_options(LayerNoise::new(index, noise)),
            distances,
        };
        let [position_key, position_query] =
            layer.positions(&positions, LayerNoise::new(index, position_noise.as_ref()));
        let noise = LayerNoise::new(index, noise);
        let projected = |linear, part| noise.linear(linear, place::ADAPTERS + part, hidden.clone());
        let operands = Disentangled {
            query: projected(&layer.query, 0),
            key: projected(&layer.key, 1),
            value: projected(&layer.value, 2),
            position_key,
            position_query,
        };
        let context = ops::disentangled_attention(operands, &tokens.ragged, &options);
        layer.block.forward(context, hidden, noise)
    }

    fn classify(
        &self,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        let settings = &self.settings;
        let noise = noise.map(|noise| noise_of_firsts(noise, tokens));
        let dropout = |site, probability| noise.as_ref()?.at(site, probability);
        let adapter = self
            .pooler
            .lora
            .as_ref()
            .and_then(|lora| dropout(POOLER_ADAPTER, lora.dropout));
        let context = ops::dropout(
            ops::pack(hidden, &tokens.firsts),
            dropout(CONTEXT, settings.pooler_dropout).as_ref(),
        );
        let pooled = activate(
            self.pooler.forward(context, adapter.as_ref()),
            settings.pooler_activation,
        );
        let pooled = ops::dropout(pooled, dropout(POOLED, settings.head_dropout).as_ref());
        self.classifier.forward(pooled, None)
    }

    fn linears(&self) -> Vec<(String, &Linear<B>)> {
        let layers = self.layers.iter().enumerate();
        let mut linears: Vec<_> = layers
            .flat_map(|(index, layer)| layer.linears(index))
            .collect();
        linears.push((POOLER.to_owned(), &self.pooler));
        linears
    }

    fn head(&self) -> Vec<(String, &Linear<B>)> {
        vec![(CLASSIFIER.to_owned(), &self.classifier)]
    }

    fn parts_mut(&mut self) -> (NamedLinears<'_, B>, NamedLinears<'_, B>) {
        let layers = self.layers.iter_mut().enumerate();
        let mut linears: NamedLinears<'_, B> = layers
            .flat_map(|(index, layer)| layer.linears_mut(index))
            .collect();
        linears.push((POOLER.to_owned(), &mut self.pooler));
        (linears, vec![(CLASSIFIER.to_owned(), &mut self.classifier)])
    }
}

impl<B: Operations> Layer<B> {
    fn new(
        config: &DebertaV2Config,
        index: usize,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let hidden = config.hidden_size;
        let layer = layer_name(index);
        let linear =
            |name: &str| weights.linear(&format!("{layer}.attention.self.{name}"), hidden, hidden);
        let own = |name: &str, exists: bool| {
            (exists && !config.share_att_key)
                .then(|| linear(name))
                .transpose()
        };
        let block = BlockSettings {
            hidden,
            intermediate: config.intermediate_size,
            activation: config.hidden_act,
            dropout: config.hidden_dropout_prob,
            norm_epsilon: config.layer_norm_eps,
        };
        Ok(Self {
            query: linear(LINEARS[0])?,
            key: linear(LINEARS[1])?,
            value: linear(LINEARS[2])?,
            position_key: own(POSITION_KEY, config.content_to_position())?,
            position_query: own(POSITION_QUERY, config.position_to_content())?,
            block: Block::new(&layer, block, weights)?,
            settings: LayerSettings {
                heads: config.num_attention_heads,
                content_to_position: config.content_to_position(),
                position_to_content: config.position_to_content(),
                attention_dropout: config.attention_probs_dropout_prob,
                position_dropout: config.hidden_dropout_prob,
            },
        })
    }

    /// Scores are a sum of up to three terms, and scaled as such.
    #[allow(clippy::cast_precision_loss)]
    fn attention_options(&self, noise: LayerNoise<'_>) -> AttentionOptions {
        let settings = &self.settings;
        let terms = 1
            + usize::from(settings.content_to_position)
            + usize::from(settings.position_to_content);
        let head_size = self.query.sizes()[1] / settings.heads;
        AttentionOptions {
            heads: settings.heads,
            scale: ((head_size * terms) as f32).sqrt().recip(),
            mask: Mask::Full,
            dropout: noise.at(place::PROBABILITIES, settings.attention_dropout),
        }
    }

    /// Relative positions `[rows, hidden]` as keys and as queries. Where projections are shared, so
    /// are their adapters; these drop positions on their own.
    fn positions(
        &self,
        positions: &Tensor<B, 2>,
        noise: LayerNoise<'_>,
    ) -> [Option<Tensor<B, 2>>; 2] {
        let settings = &self.settings;
        let dropout = noise.at(place::POSITIONS, settings.position_dropout);
        let positions = ops::dropout(positions.clone(), dropout.as_ref());
        let projected =
            |linear, part| noise.linear(linear, place::POSITION_ADAPTERS + part, positions.clone());
        let key = self.position_key.as_ref().unwrap_or(&self.key);
        let query = self.position_query.as_ref().unwrap_or(&self.query);
        [
            settings.content_to_position.then(|| projected(key, 0)),
            settings.position_to_content.then(|| projected(query, 1)),
        ]
    }

    fn linears(&self, index: usize) -> Vec<(String, &Linear<B>)> {
        let attention = [
            (LINEARS[0], Some(&self.query)),
            (LINEARS[1], Some(&self.key)),
            (LINEARS[2], Some(&self.value)),
            (POSITION_KEY, self.position_key.as_ref()),
            (POSITION_QUERY, self.position_query.as_ref()),
        ];
        named(index, attention, self.block.linears())
    }

    fn linears_mut(&mut self, index: usize) -> NamedLinears<'_, B> {
        let attention = [
            (LINEARS[0], Some(&mut self.query)),
            (LINEARS[1], Some(&mut self.key)),
            (LINEARS[2], Some(&mut self.value)),
            (POSITION_KEY, self.position_key.as_mut()),
            (POSITION_QUERY, self.position_query.as_mut()),
        ];
        named(index, attention, self.block.linears_mut())
    }
}

/// The linear parts of a layer that exist, by module name.
fn named<T>(index: usize, attention: [(&str, Option<T>); 5], block: [T; 3]) -> Vec<(String, T)> {
    let layer = layer_name(index);
    let attention = attention
        .into_iter()
        .filter_map(|(name, linear)| Some((format!("{layer}.attention.self.{name}"), linear?)));
    let block = BLOCK_LINEARS
        .iter()
        .map(|name| format!("{layer}.{name}"))
        .zip(block);
    attention.chain(block).collect()
}
