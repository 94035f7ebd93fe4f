//! The bare encoders behind one type, chosen by what a `config.json` says, and the files they are made from.

use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Tensor};

use super::encoder::{Encoder, Numbering};
use super::jina_bert::{self, JinaBert};
use super::mpnet::{self, Mpnet};
use super::weights::Weights;
use super::{bert, roberta};
use crate::checkpoint::{Checkpoint, CheckpointError, Spelling};
use crate::nn::ops::Operations;
use crate::nn::{Tokens, in_format};
use crate::shapes::SentenceConfig;

/// An encoder's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct SentenceFiles {
    config: SentenceConfig,
    /// Without it, the weights are drawn.
    checkpoint: Option<Checkpoint>,
    seed: u64,
}

impl SentenceFiles {
    /// Opens a checkpoint's folder.
    ///
    /// # Errors
    /// When files are missing or broken, the architecture is no embedder, or the weights are not its own.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        let config = read_config(&folder.join("config.json"))?;
        let checkpoint = Checkpoint::open(folder, &config.shapes().tensors, spelling(&config))?;
        Ok(Self {
            config,
            checkpoint: Some(checkpoint),
            seed: 0,
        })
    }

    /// An encoder of a `config.json` with weights drawn from `seed`.
    ///
    /// # Errors
    /// When the file cannot be read or makes no embedder.
    pub fn random(config: &Path, seed: u64) -> Result<Self, CheckpointError> {
        Ok(Self {
            config: read_config(config)?,
            checkpoint: None,
            seed,
        })
    }

    /// What `config.json` says.
    #[must_use]
    pub fn config(&self) -> &SentenceConfig {
        &self.config
    }

    /// Seed of the weights that are drawn; `None` for those of a checkpoint.
    #[must_use]
    pub fn drawn(&self) -> Option<u64> {
        self.checkpoint.is_none().then_some(self.seed)
    }

    /// Loads the weights. They and the activations are in `format`; norms are f32 always.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn load<B: Operations>(
        &self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<SentenceEncoder<B>, CheckpointError> {
        let weights = Weights {
            checkpoint: self.checkpoint.as_ref(),
            seed: self.seed,
            head_seed: self.seed,
            deviation: self.config.initializer_range(),
            format,
            device,
        };
        SentenceEncoder::new(&self.config, &weights)
    }
}

fn read_config(path: &Path) -> Result<SentenceConfig, CheckpointError> {
    let path = || PathBuf::from(path);
    let text = std::fs::read_to_string(path()).map_err(|source| CheckpointError::Read {
        path: path(),
        source,
    })?;
    SentenceConfig::read(&text).map_err(|source| CheckpointError::Config {
        path: path(),
        source,
    })
}

/// How the checkpoints of an architecture spell their tensors.
fn spelling(config: &SentenceConfig) -> &'static Spelling {
    match config {
        SentenceConfig::Bert(_) => &bert::BARE_SPELLING,
        SentenceConfig::Roberta(_) => &roberta::BARE_SPELLING,
        SentenceConfig::Mpnet(_) => &mpnet::SPELLING,
        SentenceConfig::JinaBert(_) => &jina_bert::SPELLING,
    }
}

/// An encoder without a head, of any architecture there is a file for. Forward only, without dropout.
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
    fn new(config: &SentenceConfig, weights: &Weights<'_, B>) -> Result<Self, CheckpointError> {
        let network = match config {
            SentenceConfig::Bert(config) => {
                Encoder::new("bert", config, Numbering::FromZero, weights).map(Network::Absolute)?
            }
            SentenceConfig::Roberta(config) => {
                let numbering = Numbering::Behind {
                    padding: config.padding(),
                };
                Encoder::new("roberta", config.encoder(), numbering, weights)
                    .map(Network::Absolute)?
            }
            SentenceConfig::Mpnet(config) => Mpnet::new(config, weights).map(Network::Mpnet)?,
            SentenceConfig::JinaBert(config) => {
                JinaBert::new(config, weights).map(Network::JinaBert)?
            }
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
