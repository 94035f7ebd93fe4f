//! An embedder on a device, without the backend in its type.

use burn::tensor::FloatDType;

use crate::device::{Device, OnDevice};
use crate::nn::ops::Operations;
use crate::retrieval::{EmbedderError, EmbedderFiles, LoadedEmbedder, Vectors};

/// Turns tokens into vectors, on any device.
pub trait TokenEmbedder {
    /// [`LoadedEmbedder::embed`].
    fn embed(
        &self,
        texts: &[Vec<u32>],
        budget: Option<usize>,
        done: &mut (dyn FnMut(usize) + Send),
    ) -> Vectors;
}

impl<B: Operations> TokenEmbedder for LoadedEmbedder<B> {
    fn embed(
        &self,
        texts: &[Vec<u32>],
        budget: Option<usize>,
        done: &mut (dyn FnMut(usize) + Send),
    ) -> Vectors {
        self.embed(texts, budget, done)
    }
}

/// Loads an embedder's weights onto a device.
///
/// # Errors
/// When they cannot be read.
pub fn load(
    files: &EmbedderFiles,
    format: FloatDType,
    device: Device,
) -> Result<Box<dyn TokenEmbedder>, EmbedderError> {
    device.run(Load(files, format))
}

struct Load<'a>(&'a EmbedderFiles, FloatDType);

impl OnDevice for Load<'_> {
    type Output = Result<Box<dyn TokenEmbedder>, EmbedderError>;

    fn run<B: Operations>(self, device: &B::Device) -> Self::Output {
        Ok(Box::new(self.0.load::<B>(self.1, device)?))
    }
}
