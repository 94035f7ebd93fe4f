//! From PEFT's files to adapters on a model.

use std::path::Path;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use super::{AdapterSettings, matrix};
use crate::checkpoint::{AdapterConfig, AdapterError, AdapterTensors};
use crate::models::{Classifier, NamedLinears};
use crate::nn::ops::Operations;
use crate::nn::{Linear, Lora, in_format_of};

/// Reads an adapter folder onto a model whose linear layers carry none yet, head included.
///
/// What PEFT saved whole below the head replaces the base's and stays frozen.
///
/// # Errors
/// When a file cannot be read, asks for something unsupported, or was made for another network.
pub fn read<B: Operations, M: Classifier<B>>(
    model: &mut M,
    folder: &Path,
) -> Result<AdapterSettings, AdapterError> {
    let config = AdapterConfig::read(folder)?;
    let rules = config.rules().map_err(|error| AdapterError::Config {
        path: folder.to_owned(),
        problem: error.to_string(),
    })?;
    let mut stored = AdapterTensors::open(folder)?;
    let mut settings = AdapterSettings {
        rank: config.r,
        alpha: config.lora_alpha,
        dropout: config.lora_dropout,
        rank_stabilised: config.use_rslora,
        ..AdapterSettings::default()
    };
    let (linears, head): (NamedLinears<'_, B>, NamedLinears<'_, B>) = model.parts_mut();
    for (name, linear) in linears {
        let [inputs, outputs] = linear.sizes();
        let device = linear.weight.device();
        let rank = rules.rank(&name);
        let a = stored.take(&format!("{name}.lora_A.weight"), &[rank, inputs])?;
        let b = stored.take(&format!("{name}.lora_B.weight"), &[outputs, rank])?;
        match (a, b, rules.targets(&name)) {
            (Some(a), Some(b), true) => {
                linear.lora = Some(Lora {
                    a: matrix(a, [rank, inputs], &device),
                    b: matrix(b, [outputs, rank], &device),
                    scaling: rules.scaling(&name),
                    dropout: config.lora_dropout,
                });
                settings.modules.insert(name.clone());
            }
            (None, None, false) => {}
            (Some(_), Some(_), false) => {
                return Err(stored.mismatch(format!(
                    "it adapts `{name}`, which its `target_modules` do not name"
                )));
            }
            (None, None, true) => {
                return Err(stored.mismatch(format!(
                    "its `target_modules` name `{name}`, but it has nothing for it"
                )));
            }
            _ => {
                return Err(stored.mismatch(format!("`{name}` has one of its two matrices only")));
            }
        }
        if replace(&mut stored, &name, linear)? {
            settings.saved.insert(name);
        } else if rules.saves(&name) {
            return Err(stored.mismatch(format!(
                "its `modules_to_save` name `{name}`, but it has nothing for it"
            )));
        }
    }
    for (name, linear) in head {
        let [inputs, outputs] = linear.sizes();
        if let Some(&[classes, width]) = stored.shape(&format!("{name}.weight"))
            && width == inputs
            && classes != outputs
        {
            return Err(stored.mismatch(format!(
                "its head is for {classes} classes, the data has {outputs}"
            )));
        }
        if stored.has(&format!("{name}.lora_A.weight")) {
            return Err(stored.mismatch(format!(
                "it adapts the head `{name}`, which is trained in full here"
            )));
        }
        if !replace(&mut stored, &name, linear)? {
            return Err(stored.mismatch(format!(
                "it has no `{name}.weight`, so the classes are unknown"
            )));
        }
    }
    if let Some(name) = stored.left_over() {
        return Err(stored.mismatch(format!(
            "`{name}` belongs to no linear layer of the model, and others are not supported"
        )));
    }
    if settings.modules.is_empty() {
        return Err(stored.mismatch("it holds no adapter".to_owned()));
    }
    Ok(settings)
}

/// Replaces a layer's weight and bias by the stored ones, frozen; says whether there was a weight.
fn replace<B: Operations>(
    stored: &mut AdapterTensors,
    name: &str,
    linear: &mut Linear<B>,
) -> Result<bool, AdapterError> {
    let [inputs, outputs] = linear.sizes();
    let device = linear.weight.device();
    let weight = stored.take(&format!("{name}.weight"), &[outputs, inputs])?;
    let found = weight.is_some();
    if let Some(values) = weight {
        let values = Tensor::from_data(TensorData::new(values, [outputs, inputs]), &device);
        linear.weight.replace(values);
    }
    if let Some(bias) = &mut linear.bias
        && let Some(values) = stored.take(&format!("{name}.bias"), &[outputs])?
    {
        let values = Tensor::from_data(TensorData::new(values, [outputs]), &device);
        let values = in_format_of(values, &bias.val());
        *bias = Param::from_tensor(values).set_require_grad(false);
    }
    Ok(found)
}
