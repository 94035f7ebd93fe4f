//! The files that a network is made from.

use std::path::{Path, PathBuf};

use burn::tensor::FloatDType;

use super::encoder_classifier::EncoderClassifier;
use super::sentence_encoder::SentenceEncoder;
use super::source::Source;
use super::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::ops::Operations;
use crate::shapes::{Architecture, Role, Shapes};

/// A network's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct NetworkFiles {
    /// The folder of configuration and tokeniser.
    pub folder: PathBuf,
    /// What the network consists of in its role.
    pub shapes: Shapes,
    architecture: Architecture,
    /// Without it, the weights are drawn.
    checkpoint: Option<Checkpoint>,
    seed: u64,
    head_seed: u64,
}

impl NetworkFiles {
    /// Opens them for a role. `dropout` takes the place of what `config.json` says; `seed` draws
    /// what a checkpoint lacks.
    ///
    /// # Errors
    /// When files are missing or broken, the architecture has no such role, or the weights are not
    /// its own.
    pub fn open(
        source: Source<'_>,
        role: Role,
        dropout: Option<f64>,
        seed: u64,
    ) -> Result<Self, CheckpointError> {
        let mut architecture = match source {
            Source::Folder(folder) => read(&folder.join("config.json"), role)?,
            Source::Random { config, .. } => read(config, role)?,
        };
        let shapes = architecture.shapes();
        if let Some(probability) = dropout {
            architecture.override_dropout(probability);
        }
        let (checkpoint, base_seed) = match source {
            Source::Folder(folder) => {
                let checkpoint = Checkpoint::open(folder, &shapes.tensors, shapes.spelling)?;
                (Some(checkpoint), seed)
            }
            Source::Random { seed, .. } => (None, seed),
        };
        Ok(Self {
            folder: source.folder(),
            shapes,
            architecture,
            checkpoint,
            seed: base_seed,
            head_seed: seed,
        })
    }

    /// What `config.json` says.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Tensors that the checkpoint lacks and that are newly initialised; empty where all of the
    /// model is.
    #[must_use]
    pub fn fresh(&self) -> &[String] {
        self.checkpoint.as_ref().map_or(&[], Checkpoint::fresh)
    }

    /// Seed of the weights that are drawn; `None` for those of a checkpoint.
    #[must_use]
    pub fn drawn(&self) -> Option<u64> {
        self.checkpoint.is_none().then_some(self.seed)
    }

    /// Loads a classifier's weights, all of them frozen. They and the activations are in `format`.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the role is another.
    pub fn load_classifier<B: Operations>(
        &self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<EncoderClassifier<B>, CheckpointError> {
        EncoderClassifier::new(&self.architecture, &self.weights(format, device))
    }

    /// Loads an encoder's weights. They and the activations are in `format`; norms are f32 always.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the role is another.
    pub fn load_encoder<B: Operations>(
        &self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<SentenceEncoder<B>, CheckpointError> {
        SentenceEncoder::new(&self.architecture, &self.weights(format, device))
    }

    fn weights<'a, B: Operations>(
        &'a self,
        format: FloatDType,
        device: &'a B::Device,
    ) -> Weights<'a, B> {
        Weights {
            checkpoint: self.checkpoint.as_ref(),
            seed: self.seed,
            head_seed: self.head_seed,
            deviation: self.architecture.initializer_range(),
            format,
            device,
        }
    }
}

fn read(path: &Path, role: Role) -> Result<Architecture, CheckpointError> {
    let text = std::fs::read_to_string(path).map_err(|source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    })?;
    Architecture::read(&text, role).map_err(|source| CheckpointError::Config {
        path: path.to_owned(),
        source,
    })
}
