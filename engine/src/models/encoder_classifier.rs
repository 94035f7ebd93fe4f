//! The encoders with a classification head as one type, chosen by a `config.json`.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::bert::BertClassifier;
use super::classifier::{Classifier, NamedLinears};
use super::deberta::DebertaClassifier;
use super::roberta::RobertaClassifier;
use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::{Noise, Operations};
use crate::nn::{Linear, Tokens};
use crate::shapes::{Architecture, Config, Role};

/// A classifier of any architecture there is a file for.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum EncoderClassifier<B: Backend> {
    /// BERT.
    Bert(BertClassifier<B>),
    /// RoBERTa and XLM-R.
    Roberta(RobertaClassifier<B>),
    /// DeBERTa-v2 and v3.
    Deberta(DebertaClassifier<B>),
}

impl<B: Operations> EncoderClassifier<B> {
    /// Builds the network from its weights, all of them frozen.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the architecture was not read for a classifier.
    pub fn new(
        architecture: &Architecture,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let Role::Classifier { classes } = architecture.role() else {
            return Err(CheckpointError::Role);
        };
        match architecture.config() {
            Config::Bert(config) => BertClassifier::new(config, classes, weights).map(Self::Bert),
            Config::Roberta(config) => {
                RobertaClassifier::new(config, classes, weights).map(Self::Roberta)
            }
            Config::DebertaV2(config) => {
                DebertaClassifier::new(config, classes, weights).map(Self::Deberta)
            }
            _ => Err(CheckpointError::Role),
        }
    }

    fn inner(&self) -> &dyn Classifier<B> {
        match self {
            Self::Bert(model) => model,
            Self::Roberta(model) => model,
            Self::Deberta(model) => model,
        }
    }
}

impl<B: Operations> Classifier<B> for EncoderClassifier<B> {
    fn embed(&self, tokens: &Tokens<B>, noise: Option<&Noise>) -> Tensor<B, 2> {
        self.inner().embed(tokens, noise)
    }

    fn depth(&self) -> usize {
        self.inner().depth()
    }

    fn layer(
        &self,
        index: usize,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        self.inner().layer(index, hidden, tokens, noise)
    }

    fn classify(
        &self,
        hidden: Tensor<B, 2>,
        tokens: &Tokens<B>,
        noise: Option<&Noise>,
    ) -> Tensor<B, 2> {
        self.inner().classify(hidden, tokens, noise)
    }

    fn linears(&self) -> Vec<(String, &Linear<B>)> {
        self.inner().linears()
    }

    fn head(&self) -> Vec<(String, &Linear<B>)> {
        self.inner().head()
    }

    fn parts_mut(&mut self) -> (NamedLinears<'_, B>, NamedLinears<'_, B>) {
        match self {
            Self::Bert(model) => model.parts_mut(),
            Self::Roberta(model) => model.parts_mut(),
            Self::Deberta(model) => model.parts_mut(),
        }
    }
}
