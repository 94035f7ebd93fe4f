//! RoBERTa (arXiv 1907.11692) and XLM-R (arXiv 1911.02116) for sequence classification, as
//! transformers' `RobertaForSequenceClassification`
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/roberta/modeling_roberta.py>).
//!
//! Below the head it is BERT with positions that begin after the padding's id. XLM-R differs by its
//! `model_type` alone.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::classifier::{Classifier, NamedLinears};
use super::encoder::{Encoder, Numbering, noise_of_firsts};
use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{self, Noise, Operations, Site};
use crate::nn::{Linear, Tokens};
use crate::shapes::roberta::RobertaConfig;

/// Module names of the head.
const DENSE: &str = "classifier.dense";
const PROJECTION: &str = "classifier.out_proj";

/// Dropout places of the head.
const FIRSTS: Site = Site { layer: 0, place: 2 };
const INNER: Site = Site { layer: 0, place: 3 };

/// RoBERTa with a head of two layers on the first token of each text.
#[derive(Module, Debug)]
pub struct RobertaClassifier<B: Backend> {
    encoder: Encoder<B>,
    dense: Linear<B>,
    projection: Linear<B>,
    dropout: f64,
}

impl<B: Operations> RobertaClassifier<B> {
    /// Builds the network from its weights, all of them frozen.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn new(
        config: &RobertaConfig,
        classes: usize,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let padding = config.padding();
        let config = config.encoder();
        let hidden = config.hidden_size;
        Ok(Self {
            encoder: Encoder::new("roberta", config, Numbering::After { padding }, weights)?,
            dense: weights.head(DENSE, hidden, hidden)?,
            projection: weights.head(PROJECTION, hidden, classes)?,
            dropout: config.head_dropout(),
        })
    }
}

impl<B: Operations> Classifier<B> for RobertaClassifier<B> {
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
        let dropped = |input, site| {
            let dropout = noise
                .as_ref()
                .and_then(|noise| noise.at(site, self.dropout));
            ops::dropout(input, dropout.as_ref())
        };
        let firsts = dropped(ops::pack(hidden, &tokens.firsts), FIRSTS);
        let inner = dropped(self.dense.forward(firsts, None).tanh(), INNER);
        self.projection.forward(inner, None)
    }

    fn linears(&self) -> Vec<(String, &Linear<B>)> {
        self.encoder.linears()
    }

    fn head(&self) -> Vec<(String, &Linear<B>)> {
        vec![
            (DENSE.to_owned(), &self.dense),
            (PROJECTION.to_owned(), &self.projection),
        ]
    }

    fn parts_mut(&mut self) -> (NamedLinears<'_, B>, NamedLinears<'_, B>) {
        let head = vec![
            (DENSE.to_owned(), &mut self.dense),
            (PROJECTION.to_owned(), &mut self.projection),
        ];
        (self.encoder.linears_mut(), head)
    }
}
