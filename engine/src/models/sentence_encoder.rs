//! The encoders without a head as one type, chosen by a `config.json`.

use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor};

use super::encoder::{Encoder, Numbering};
use super::jina_bert::JinaBert;
use super::mpnet::Mpnet;
use super::weights::Weights;
use crate::checkpoint::CheckpointError;
use crate::nn::ops::Operations;
use crate::nn::{Tokens, in_format};
use crate::shapes::{Architecture, Config, Role};

/// An encoder without a head, of any architecture there is a file for. Forward only, without
/// dropout.
#[derive(Debug)]
pub struct SentenceEncoder<B: Backend> {
    network: Network<B>,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
enum Network<B: Backend> {
    /// BERT, RoBERTa and XLM-R.
    Absolute(Encoder<B>),
    Mpnet(Mpnet<B>),
    JinaBert(JinaBert<B>),
}

impl<B: Operations> SentenceEncoder<B> {
    /// Builds the network from its weights.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the architecture was not read for an embedder.
    pub fn new(
        architecture: &Architecture,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        if architecture.role() != Role::Embedder {
            return Err(CheckpointError::Role);
        }
        let network = match architecture.config() {
            Config::Bert(config) => {
                Encoder::new("bert", config, Numbering::FromZero, weights).map(Network::Absolute)?
            }
            Config::Roberta(config) => {
                let numbering = Numbering::After {
                    padding: config.padding(),
                };
                Encoder::new("roberta", config.encoder(), numbering, weights)
                    .map(Network::Absolute)?
            }
            Config::Mpnet(config) => Mpnet::new(config, weights).map(Network::Mpnet)?,
            Config::JinaBert(config) => JinaBert::new(config, weights).map(Network::JinaBert)?,
            Config::DebertaV2(_) | Config::Decoder(_) => return Err(CheckpointError::Role),
        };
        Ok(Self { network })
    }

    /// The last layer's output for each token, in f32: `[tokens, hidden]`.
    #[must_use]
    pub fn hidden_states(&self, tokens: &Tokens<B>) -> Tensor<B, 2> {
        let hidden = match &self.network {
            Network::Absolute(encoder) => (0..encoder.depth())
                .fold(encoder.embed(tokens, None), |hidden, index| {
                    encoder.layer(index, hidden, tokens, None)
                }),
            Network::Mpnet(model) => model.hidden_states(tokens),
            Network::JinaBert(model) => model.hidden_states(tokens),
        };
        in_format(hidden, FloatDType::F32)
    }
}
