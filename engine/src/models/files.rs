//! The files that a network is made from.

use std::path::{Path, PathBuf};

use burn::tensor::FloatDType;

use super::decoder::Decoder;
use super::encoder_classifier::EncoderClassifier;
use super::sentence_encoder::SentenceEncoder;
use super::source::Source;
use super::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::nn::ops::Operations;
use crate::shapes::{Architecture, Config, Role, Shapes, Spelling, TensorShape};

/// A network's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct NetworkFiles {
    /// The folder of configuration and tokeniser.
    pub folder: PathBuf,
    /// What the network consists of in its role.
    pub shapes: Shapes,
    /// The text of its `config.json`.
    pub config_json: String,
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
        Self::open_with(source, role, dropout, seed, Checkpoint::open)
    }

    /// The same for a classifier whose head is drawn, whatever the checkpoint has of one.
    ///
    /// # Errors
    /// As [`NetworkFiles::open`].
    pub fn open_below_head(
        source: Source<'_>,
        role: Role,
        dropout: Option<f64>,
        seed: u64,
    ) -> Result<Self, CheckpointError> {
        Self::open_with(source, role, dropout, seed, Checkpoint::open_below_head)
    }

    fn open_with(
        source: Source<'_>,
        role: Role,
        dropout: Option<f64>,
        seed: u64,
        checkpoint: fn(&Path, &[TensorShape], &Spelling) -> Result<Checkpoint, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
        let path = match source {
            Source::Folder(folder) => &folder.join("config.json"),
            Source::Random { config, .. } => config,
        };
        let (config_json, mut architecture) = read(path, role)?;
        let shapes = architecture.shapes();
        if let Some(probability) = dropout {
            architecture.override_dropout(probability);
        }
        let (checkpoint, base_seed) = match source {
            Source::Folder(folder) => {
                let opened = checkpoint(folder, &shapes.tensors, shapes.spelling);
                let opened = opened.map_err(|error| error.quantised_with(&config_json));
                (Some(opened?), seed)
            }
            Source::Random { seed, .. } => (None, seed),
        };
        Ok(Self {
            folder: source.folder(),
            shapes,
            config_json,
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

    /// Whether the layer that tells the classes apart has stored values.
    #[must_use]
    pub fn stores_classes(&self) -> bool {
        let mut head = self.shapes.tensors.iter().filter(|tensor| tensor.head);
        let last = head.rfind(|tensor| tensor.name.ends_with(".weight"));
        self.checkpoint.is_some() && last.is_some_and(|last| !self.fresh().contains(&last.name))
    }

    /// Reads all stored weights once and keeps none.
    ///
    /// # Errors
    /// When a file cannot be read, or a weight is not a finite number.
    pub fn check_values(&self) -> Result<(), CheckpointError> {
        match &self.checkpoint {
            Some(checkpoint) => checkpoint.check_values(&self.shapes.tensors),
            None => Ok(()),
        }
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

    /// Loads a decoder's weights. They, keys and values are in `format`; norms and biases are f32
    /// always, as is everything that flows.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the role is another.
    pub fn load_decoder<B: Operations>(
        &self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<Decoder<B>, CheckpointError> {
        match self.architecture.config() {
            Config::Decoder(config) => Decoder::new(config, &self.weights(format, device)),
            _ => Err(CheckpointError::Role),
        }
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

fn read(path: &Path, role: Role) -> Result<(String, Architecture), CheckpointError> {
    let text = std::fs::read_to_string(path).map_err(|source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    })?;
    let architecture =
        Architecture::read(&text, role).map_err(|source| CheckpointError::Config {
            path: path.to_owned(),
            source,
        })?;
    Ok((text, architecture))
}
