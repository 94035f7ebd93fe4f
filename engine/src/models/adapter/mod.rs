//! Low-rank adapters on a model: attached, read and written in PEFT's format.

mod read;
mod write;

pub use read::{Head, read, read_with};
pub use write::write;

use std::collections::BTreeSet;

use burn::module::Param;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::classifier::Classifier;
use super::trained::{Trained, trained};
use super::weights::{Initial, draw};
use crate::checkpoint::divisor;
use crate::nn::Lora;
use crate::nn::ops::Operations;

/// Rank, scale, dropout and places of an adapter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AdapterSettings {
    /// Rank of the update.
    pub rank: usize,
    /// The update is scaled by `alpha / rank`, or with `rank_stabilised` by `alpha / sqrt(rank)`.
    pub alpha: f64,
    /// Dropout on the adapter's input.
    pub dropout: f64,
    /// Names of the adapted modules.
    pub modules: BTreeSet<String>,
    /// PEFT's `use_rslora`.
    pub rank_stabilised: bool,
    /// Names of modules below the head that the adapter holds whole, that replace the base's and
    /// that are trained on, as PEFT does.
    pub saved: BTreeSet<String>,
}

/// Puts fresh adapters on a model's linear layers, initialised as PEFT does: the first matrix
/// uniform as `nn.Linear`'s, the second 0.
pub fn attach<B: Operations, M: Classifier<B>>(
    model: &mut M,
    settings: &AdapterSettings,
    seed: u64,
) {
    let (linears, _) = model.parts_mut();
    for (name, linear) in linears
        .into_iter()
        .filter(|(name, _)| settings.modules.contains(name))
    {
        let [inputs, outputs] = linear.sizes();
        let device = linear.weight.device();
        #[allow(clippy::cast_precision_loss)]
        let bound = (inputs as f64).sqrt().recip();
        let a = draw(
            seed,
            &format!("{name}.lora_A.weight"),
            settings.rank * inputs,
            Initial::Uniform(bound),
        );
        let scaling = settings.alpha / divisor(settings.rank, settings.rank_stabilised);
        linear.lora = Some(Lora {
            a: matrix(a, [settings.rank, inputs], &device),
            b: matrix(
                vec![0.0; outputs * settings.rank],
                [outputs, settings.rank],
                &device,
            ),
            scaling,
            dropout: settings.dropout,
        });
    }
}

fn matrix<B: Backend>(
    values: Vec<f32>,
    shape: [usize; 2],
    device: &B::Device,
) -> Param<Tensor<B, 2>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// Copies of the trained values, to come back to.
pub fn snapshot<B: Operations, M: Classifier<B>>(model: &mut M) -> Vec<Tensor<B, 1>> {
    trained(model)
        .iter()
        .map(|(_, parameter): &(String, Trained<'_, B>)| parameter.flat())
        .collect()
}

/// Puts copies taken with [`snapshot`] back.
pub fn restore<B: Operations, M: Classifier<B>>(model: &mut M, values: Vec<Tensor<B, 1>>) {
    for ((_, mut parameter), values) in trained(model).into_iter().zip(values) {
        parameter.set(values);
    }
}
