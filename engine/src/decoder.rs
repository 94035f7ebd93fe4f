//! A decoder on a device, without the backend in its type.

use std::path::Path;

use crate::checkpoint::CheckpointError;
use crate::device::{Device, OnDevice};
use crate::generation::{GenerationObserver, GenerationOptions, LoadedDecoder, Request, Speed};
use crate::models::{NetworkFiles, Source};
use crate::nn::ops::Operations;
use crate::shapes::Role;
use crate::training::Control;
use burn::tensor::FloatDType;

/// A decoder's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct DecoderFiles {
    files: NetworkFiles,
}

impl DecoderFiles {
    /// Opens them.
    ///
    /// # Errors
    /// When files are missing, broken or not supported, or do not fit each other.
    pub fn open(source: Source<'_>) -> Result<Self, CheckpointError> {
        let files = NetworkFiles::open(source, Role::Decoder, None, 0)?;
        Ok(Self { files })
    }

    /// The folder of configuration and tokeniser.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.files.folder
    }

    /// The text of its `config.json`.
    #[must_use]
    pub fn config_json(&self) -> &str {
        &self.files.config_json
    }

    /// Tokens that it knows: ids are smaller than this.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.files.shapes.vocab_size
    }

    /// Tokens of prompt and answer together that it was made for.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.files.shapes.max_positions
    }

    /// Reads all stored weights once and keeps none.
    ///
    /// # Errors
    /// When a file cannot be read, or a weight is not a finite number.
    pub fn check_values(&self) -> Result<(), CheckpointError> {
        self.files.check_values()
    }
}

/// Answers prompts of tokens, on any device.
pub trait TokenDecoder {
    /// Answers each of the requests; those that are done are handed to the observer one by one, in
    /// the order in which they end. Ends early if the observer says so.
    fn generate(
        &mut self,
        requests: &[Request],
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Speed;

    /// For each of the continuations, the logarithm of the probability that the decoder goes on
    /// with it after the prompt: one sum over its tokens. Prompt and continuations have at least one
    /// token each. `None` if `advance`, which gets the number of prompts that are done, stops it.
    fn likelihoods(
        &mut self,
        asked: &[Continuations],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Option<Vec<Vec<f64>>>;

    /// The logits after every token of a prompt: `[tokens, vocabulary]`. For tests: it forgets what
    /// is kept.
    fn logits(&mut self, prompt: &[u32]) -> Vec<f32>;
}

/// What may follow a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuations {
    /// The prompt's tokens.
    pub prompt: Vec<u32>,
    /// The tokens of each continuation.
    pub continuations: Vec<Vec<u32>>,
}

/// Loads a decoder's weights onto a device.
///
/// # Errors
/// When they cannot be read.
pub fn load(
    files: &DecoderFiles,
    format: FloatDType,
    device: Device,
) -> Result<Box<dyn TokenDecoder>, CheckpointError> {
    device.run(Load(files, format))
}

struct Load<'a>(&'a DecoderFiles, FloatDType);

impl OnDevice for Load<'_> {
    type Output = Result<Box<dyn TokenDecoder>, CheckpointError>;

    fn run<B: Operations>(self, device: &B::Device) -> Self::Output {
        let model = self.0.files.load_decoder::<B>(self.1, device)?;
        Ok(Box::new(LoadedDecoder::new(model)))
    }
}
