//! BERT (arXiv 1810.04805) for sequence classification, as transformers'
//! `BertForSequenceClassification`
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>).

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::block::place;
use super::classifier::{Classifier, NamedLinears};
use super::encoder::{Encoder, Numbering, noise_of_firsts};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{self, Noise, Operations, Site};
use crate::nn::{Linear, Tokens};
use crate::shapes::bert::BertConfig;

/// Dropout places of the head.
const POOLED: Site = Site { layer: 0, place: 2 };
const POOLER_ADAPTER: Site = Site {
    layer: 0,
    place: place::ADAPTERS,
};

/// BERT with a pooler and a linear head.
#[derive(Module, Debug)]
pub struct BertClassifier<B: Backend> {
    encoder: Encoder<B>,
    pooler: Linear<B>,
    classifier: Linear<B>,
    dropout: f64,
}

impl<B: Operations> BertClassifier<B> {
    /// Builds the network from its weights, all of them frozen.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn new(
        config: &BertConfig,
        classes: usize,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let hidden = config.hidden_size;
        Ok(Self {
            encoder: Encoder::new("bert", config, Numbering::FromZero, weights)?,
            pooler: weights.linear("bert.pooler.dense", hidden, hidden)?,
            classifier: weights.head("classifier", hidden, classes)?,
            dropout: config.head_dropout(),
        })
    }
}

impl<B: Operations> Classifier<B> for BertClassifier<B> {
    fn embed(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        self.encoder.embed(tokens, noise)
    }

    fn depth(&self) -> usize {
        self.encoder.depth()
    }

    fn layer(
        &self,
        index: usize,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        self.encoder.layer(index, hidden, tokens, noise)
    }

    fn classify(
        &self,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        let noise = noise.map(|noise| noise_of_firsts(noise, tokens));
        let dropout = |site, probability| noise.as_ref()?.at(site, probability);
        let adapter = self
            .pooler
            .lora
            .as_ref()
            .and_then(|lora| dropout(POOLER_ADAPTER, lora.dropout));
        let pooled = self
            .pooler
            .forward(ops::pack(hidden, &tokens.firsts), adapter.as_ref())
            .tanh();
        let pooled = ops::dropout(pooled, dropout(POOLED, self.dropout).as_ref());
        self.classifier.forward(pooled, None)
    }

    fn linears(&self) -> Vec<(String, &Linear<B>)> {
        let mut linears = self.encoder.linears();
        linears.push(("bert.pooler.dense".to_owned(), &self.pooler));
        linears
    }

    fn head(&self) -> Vec<(String, &Linear<B>)> {
        vec![("classifier".to_owned(), &self.classifier)]
    }

    fn parts_mut(&mut self) -> (NamedLinears<'_, B>, NamedLinears<'_, B>) {
        let mut linears = self.encoder.linears_mut();
        linears.push(("bert.pooler.dense".to_owned(), &mut self.pooler));
        (
            linears,
            vec![("classifier".to_owned(), &mut self.classifier)],
        )
    }
}
