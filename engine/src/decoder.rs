//! A decoder on a device, without the backend in its type.

use std::path::Path;

use crate::checkpoint::CheckpointError;
use crate::device::{Device, OnDevice};
pub use crate::generation::Continuations;
use crate::generation::{GenerationObserver, GenerationOptions, LoadedDecoder, Request, Speed};
use crate::models::{NetworkFiles, Source};
use crate::nn::ops::Operations;
use crate::shapes::{Config, Role};
use crate::training::Control;
use burn::tensor::{DType, FloatDType};

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

    /// Bytes of its weights in a number format.
    #[must_use]
    pub fn weight_bytes(&self, format: FloatDType) -> u64 {
        self.files.shapes.total_parameters() * DType::from(format).size() as u64
    }

    /// Bytes of the keys and values of so many tokens in a number format.
    #[must_use]
    pub fn kept_bytes(&self, tokens: usize, format: FloatDType) -> u64 {
        let Config::Decoder(config) = self.files.architecture().config() else {
            return 0;
        };
        let values = 2 * config.layers() * config.key_heads() * config.head_size();
        (tokens * values * DType::from(format).size()) as u64
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

impl<B: Operations> TokenDecoder for LoadedDecoder<B> {
    fn generate(
        &mut self,
        requests: &[Request],
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Speed {
        self.generate(requests, options, observer)
    }

    fn likelihoods(
        &mut self,
        asked: &[Continuations],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Option<Vec<Vec<f64>>> {
        self.likelihoods(asked, advance)
    }

    fn logits(&mut self, prompt: &[u32]) -> Vec<f32> {
        self.logits(prompt)
    }
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
