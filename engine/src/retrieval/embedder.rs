//! From tokens to vectors with a neural encoder, as sentence-transformers does it: encoder,
//! pooling, and the layers after it.
//!
//! Texts go through the encoder in batches of about the same number of tokens, the long ones first,
//! concatenated without padding.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use burn::tensor::FloatDType;
use burn::tensor::backend::Backend;
use rayon::prelude::*;

use super::pooling::{normalise, pool};
use super::vectors::Vectors;
use crate::checkpoint::{CheckpointError, Pooling, SentenceFilesError, SentenceSettings, Step};
use crate::models::{Dense, NetworkFiles, SentenceEncoder, Source};
use crate::nn::Tokens;
use crate::nn::ops::{Operations, watch_kernels};
use crate::shapes::Role;

/// Why an embedder cannot be opened or loaded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedderError {
    /// The encoder's files.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// sentence-transformers' files.
    #[error(transparent)]
    Files(#[from] SentenceFilesError),
    /// More tokens than the encoder can number.
    #[error(
        "{}: `max_seq_length` is {length}, but the model's position embeddings end after {positions} tokens: set it to {positions} or less",
        .path.display()
    )]
    TooLong {
        /// The file that asks for it.
        path: PathBuf,
        /// What it asks for.
        length: usize,
        /// What the model can number.
        positions: usize,
    },
    /// A linear layer that does not fit what comes before it.
    #[error("{}: a layer for vectors of {inputs} values follows one of {width}: the folder mixes two models", .folder.display())]
    Width {
        /// The layer's folder.
        folder: PathBuf,
        /// What it takes.
        inputs: usize,
        /// What it is given.
        width: usize,
    },
}

/// An embedder's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct EmbedderFiles {
    files: NetworkFiles,
    settings: SentenceSettings,
    max_length: usize,
    width: usize,
}

impl EmbedderFiles {
    /// Opens them.
    ///
    /// # Errors
    /// When files are missing, broken or not supported, or do not fit each other.
    pub fn open(source: Source<'_>) -> Result<Self, EmbedderError> {
        let files = NetworkFiles::open(source, Role::Embedder, None, 0)?;
        let settings = SentenceSettings::read(&files.folder)?;
        let limit = files.architecture().position_limit();
        let max_length = match (&settings.max_seq_length, limit) {
            (Some((length, path)), Some(positions)) if *length > positions => {
                // The tokeniser's own limit may count the rows of the table that no text uses.
                if path.ends_with("tokenizer_config.json") {
                    positions
                } else {
                    return Err(EmbedderError::TooLong {
                        path: path.clone(),
                        length: *length,
                        positions,
                    });
                }
            }
            (Some((length, _)), _) => *length,
            (None, _) => files.shapes.max_positions,
        };
        let mut width = files.shapes.hidden_size;
        for step in &settings.steps {
            let Step::Dense(layer) = step else { continue };
            if layer.inputs != width {
                return Err(EmbedderError::Width {
                    folder: layer.folder.clone(),
                    inputs: layer.inputs,
                    width,
                });
            }
            width = layer.outputs;
        }
        Ok(Self {
            files,
            settings,
            max_length,
            width,
        })
    }

    /// The folder of configuration and tokeniser.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.files.folder
    }

    /// What sentence-transformers' files say.
    #[must_use]
    pub fn settings(&self) -> &SentenceSettings {
        &self.settings
    }

    /// Tokens that the encoder knows.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.files.shapes.vocab_size
    }

    /// Tokens after which a text is to be cut, special ones included.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Values of a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Loads the weights. Those of the encoder and its activations are in `format`; the layers
    /// after it are f32 always.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load<B: Operations>(
        &self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<LoadedEmbedder<B>, EmbedderError> {
        let mut steps = Vec::new();
        for step in &self.settings.steps {
            steps.push(match step {
                Step::Normalise => None,
                Step::Dense(layer) => Some(Dense::load(layer, self.files.drawn(), device)?),
            });
        }
        Ok(LoadedEmbedder {
            encoder: self.files.load_encoder(format, device)?,
            pooling: self.settings.pooling,
            steps,
            width: self.width,
            device: device.clone(),
        })
    }
}

/// An embedder on a device.
#[derive(Debug)]
pub struct LoadedEmbedder<B: Backend> {
    encoder: SentenceEncoder<B>,
    pooling: Pooling,
    /// A linear layer, or `None` where vectors are scaled to unit length.
    steps: Vec<Option<Dense<B>>>,
    width: usize,
    device: B::Device,
}

impl<B: Operations> LoadedEmbedder<B> {
    /// A vector for each text, of its tokens; there must be at least one. Batches are of up to
    /// `budget` tokens, or of one text; without it, of as many as suit the device. `done` gets the
    /// number of finished texts after each batch.
    pub fn embed(
        &self,
        texts: &[Vec<u32>],
        budget: Option<usize>,
        done: &mut (dyn FnMut(usize) + Send),
    ) -> Vectors {
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(lengths[text]));

        let width = self.width;
        let budget = budget.unwrap_or(B::portions().tokens);
        let batches = batches(&order, &lengths, budget);
        let next = AtomicUsize::new(0);
        let progress = Mutex::new((0, done));
        let lanes = B::portions().side_by_side.min(batches.len());
        let vectors = (0..lanes).into_par_iter().flat_map_iter(|_| {
            let mut vectors = Vec::new();
            // Each lane takes the next batch that is left.
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let rows: Vec<&[u32]> = batch.iter().map(|&text| texts[text].as_slice()).collect();
                vectors.push((*batch, self.forward(&Tokens::new(&rows, &self.device))));
                // The first batch has shown that the kernels work.
                watch_kernels(false);
                let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.0 += batch.len();
                let (finished, done) = &mut *progress;
                done(*finished);
            }
            vectors
        });
        let vectors: Vec<(&[usize], Vec<f32>)> = vectors.collect();
        let mut values = vec![0.0; texts.len() * width];
        for (batch, vectors) in vectors {
            for (&text, vector) in batch.iter().zip(vectors.chunks_exact(width)) {
                values[text * width..][..width].copy_from_slice(vector);
            }
        }
        Vectors { width, values }
    }

    /// `[texts, width]`.
    fn forward(&self, tokens: &Tokens<B>) -> Vec<f32> {
        let pooled = pool(self.encoder.hidden_states(tokens), tokens, self.pooling);
        let vectors = self.steps.iter().fold(pooled, |vectors, step| match step {
            Some(layer) => layer.forward(vectors),
            None => normalise(vectors),
        });
        vectors.into_data().iter::<f32>().collect()
    }
}

/// Cuts `order` into batches of up to `budget` tokens, or of one text.
fn batches<'a>(order: &'a [usize], lengths: &[usize], budget: usize) -> Vec<&'a [usize]> {
    let mut batches = Vec::new();
    let (mut first, mut total) = (0, 0);
    for (place, &text) in order.iter().enumerate() {
        let kept = lengths[text];
        if place > first && total + kept > budget {
            batches.push(&order[first..place]);
            (first, total) = (place, 0);
        }
        total += kept;
    }
    if first < order.len() {
        batches.push(&order[first..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_the_budget_and_lose_no_text() {
        let tokens = [9, 5, 4, 4, 1, 1];
        let order = [0, 1, 2, 3, 4, 5];
        assert_eq!(
            batches(&order, &tokens, 8),
            [&[0][..], &[1], &[2, 3], &[4, 5]]
        );
        assert_eq!(batches(&order, &tokens, 1).len(), 6);
        assert_eq!(batches(&order, &tokens, 100), [&order[..]]);
        assert!(batches(&[], &tokens, 8).is_empty());
    }
}
