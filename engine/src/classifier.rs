//! A classifier with an adapter on a device, without the backend in its type: what the program
//! trains, asks and keeps.

use std::collections::HashMap;
use std::path::Path;

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn::tensor::FloatDType;

use crate::checkpoint::{AdapterError, Card};
use crate::device::{Device, OnDevice};
use crate::models::adapter::{self, AdapterSettings, Head};
use crate::models::{Classifier, EncoderClassifier, NetworkFiles, count, trained, unfreeze};
use crate::nn::ops::{DeviceMemory, Operations};
use crate::training::{
    Example, History, Observer, Options, Predictions, State, TrainError, evaluate, fine_tune,
};

/// What a classifier's adapter begins with.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Fresh weights.
    Fresh {
        /// Rank, scale, dropout and places.
        settings: &'a AdapterSettings,
        /// Seed of the weights.
        seed: u64,
    },
    /// A folder in PEFT's format, head included.
    Folder(&'a Path),
    /// The same, but for the head, which stays the network's own.
    BelowHead(&'a Path),
}

/// A classifier whose adapter and head can be trained, on any device.
pub trait AdaptedClassifier {
    /// Number of values that are trained.
    fn trainable(&mut self) -> u64;

    /// The adapters' ranks by the names of their modules.
    fn ranks(&self) -> HashMap<String, usize>;

    /// Names of the layers below the head that are trained in full.
    fn whole(&self) -> Vec<String>;

    /// Whether a training's state has as many values of each trained parameter.
    fn fits(&mut self, state: &State) -> bool;

    /// [`training::fine_tune`](crate::training::fine_tune).
    ///
    /// # Errors
    /// When training diverges.
    fn fine_tune(
        &mut self,
        examples: &[Example],
        validation: &[Example],
        options: &Options,
        resume: Option<State>,
        observer: &mut dyn Observer,
    ) -> Result<History, TrainError>;

    /// [`training::evaluate`](crate::training::evaluate).
    fn evaluate(
        &self,
        examples: &[Example],
        batch_size: usize,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Option<Predictions>;

    /// Writes adapter and head in PEFT's format. `fresh` names base tensors that no checkpoint
    /// holds.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn write(&mut self, folder: &Path, fresh: &[String], card: &Card) -> Result<(), AdapterError>;

    /// The device's memory after all work so far; `None` if it has none of its own.
    fn device_memory(&self) -> Option<DeviceMemory>;
}

/// Loads a classifier's weights, frozen and in `format`, onto a device, and puts an adapter on it.
///
/// # Errors
/// When checkpoint or adapter cannot be read, or do not fit each other.
pub fn load(
    files: &NetworkFiles,
    start: Start<'_>,
    format: FloatDType,
    device: Device,
) -> Result<Box<dyn AdaptedClassifier>, AdapterError> {
    device.run(Load {
        files,
        start,
        format,
    })
}

struct Load<'a> {
    files: &'a NetworkFiles,
    start: Start<'a>,
    format: FloatDType,
}

impl OnDevice for Load<'_> {
    type Output = Result<Box<dyn AdaptedClassifier>, AdapterError>;

    fn run<B: Operations>(self, device: &B::Device) -> Self::Output {
        let mut model = self
            .files
            .load_classifier::<Autodiff<B>>(self.format, device)?;
        let adapter = match self.start {
            Start::Folder(folder) => adapter::read(&mut model, folder)?,
            Start::BelowHead(folder) => adapter::read_with(&mut model, folder, Head::Model)?,
            Start::Fresh { settings, seed } => {
                adapter::attach(&mut model, settings, seed);
                settings.clone()
            }
        };
        unfreeze(&mut model);
        Ok(Box::new(Adapted::<B> {
            model,
            adapter,
            device: device.clone(),
        }))
    }
}

struct Adapted<B: Operations> {
    model: EncoderClassifier<Autodiff<B>>,
    adapter: AdapterSettings,
    device: B::Device,
}

impl<B: Operations> AdaptedClassifier for Adapted<B> {
    fn trainable(&mut self) -> u64 {
        count(&mut self.model)
    }

    fn ranks(&self) -> HashMap<String, usize> {
        self.model
            .linears()
            .into_iter()
            .filter_map(|(module, linear)| Some((module, linear.lora.as_ref()?.a.dims()[0])))
            .collect()
    }

    fn whole(&self) -> Vec<String> {
        let linears = self.model.linears().into_iter();
        linears
            .filter_map(|(module, linear)| linear.whole.then_some(module))
            .collect()
    }

    fn fits(&mut self, state: &State) -> bool {
        let sizes = trained(&mut self.model)
            .into_iter()
            .map(|(_, parameter)| parameter.shape().iter().product::<usize>());
        state.parameters.iter().map(Vec::len).eq(sizes)
    }

    fn fine_tune(
        &mut self,
        examples: &[Example],
        validation: &[Example],
        options: &Options,
        resume: Option<State>,
        observer: &mut dyn Observer,
    ) -> Result<History, TrainError> {
        fine_tune::<B, _>(
            &mut self.model,
            examples,
            validation,
            options,
            &self.device,
            resume,
            observer,
        )
    }

    fn evaluate(
        &self,
        examples: &[Example],
        batch_size: usize,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Option<Predictions> {
        let model = self.model.valid();
        evaluate(&model, examples, batch_size, &self.device, progress)
    }

    fn write(&mut self, folder: &Path, fresh: &[String], card: &Card) -> Result<(), AdapterError> {
        adapter::write(&mut self.model, folder, &self.adapter, fresh, card)
    }

    fn device_memory(&self) -> Option<DeviceMemory> {
        B::device_memory(&self.device)
    }
}
