//! From PEFT's files to adapters on a model.

use std::path::Path;

use burn::tensor::{FloatDType, Tensor, TensorData};

use super::{AdapterSettings, matrix};
use crate::checkpoint::{AdapterConfig, AdapterError, AdapterTensors};
use crate::models::{Classifier, NamedLinears};
use crate::nn::ops::Operations;
use crate::nn::{Linear, Lora, in_format};

/// Whose head a model has after an adapter has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The adapter's.
    Adapter,
    /// The one that it had; the adapter's may be for other classes.
    Model,
}

/// Reads an adapter folder onto a model whose linear layers carry none yet, head included.
///
/// # Errors
/// When a file cannot be read, asks for something unsupported, or was made for another network.
pub fn read<B: Operations, M: Classifier<B>>(
    model: &mut M,
    folder: &Path,
) -> Result<AdapterSettings, AdapterError> {
    read_with(model, folder, Head::Adapter)
}

/// The same with a choice of heads.
///
/// What PEFT saved whole below the head replaces the base's, and is trained on.
///
/// # Errors
/// As [`read`].
pub fn read_with<B: Operations, M: Classifier<B>>(
    model: &mut M,
    folder: &Path,
    whose: Head,
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
        if let Some((weight, bias)) = layer(&mut stored, &name, linear)? {
            linear.train_whole(weight, bias);
            settings.saved.insert(name);
        } else if rules.saves(&name) {
            return Err(stored.mismatch(format!(
                "its `modules_to_save` name `{name}`, but it has nothing for it"
            )));
        }
    }
    for (name, linear) in head {
        if whose == Head::Model {
            stored.leave_out(&name);
            continue;
        }
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
        let Some((weight, bias)) = layer(&mut stored, &name, linear)? else {
            return Err(stored.mismatch(format!(
                "it has no `{name}.weight`, so the classes are unknown"
            )));
        };
        *linear = Linear::new(weight, bias);
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

/// A layer's stored weight and bias, in f32; none where there is no weight. A bias that is not
/// stored stays the model's.
#[allow(clippy::type_complexity)]
fn layer<B: Operations>(
    stored: &mut AdapterTensors,
    name: &str,
    linear: &Linear<B>,
) -> Result<Option<(Tensor<B, 2>, Option<Tensor<B, 1>>)>, AdapterError> {
    let [inputs, outputs] = linear.sizes();
    let device = linear.weight.device();
    let Some(weight) = stored.take(&format!("{name}.weight"), &[outputs, inputs])? else {
        return Ok(None);
    };
    let weight = Tensor::from_data(TensorData::new(weight, [outputs, inputs]), &device);
    let Some(own) = &linear.bias else {
        return Ok(Some((weight, None)));
    };
    let bias = match stored.take(&format!("{name}.bias"), &[outputs])? {
        Some(values) => Tensor::from_data(TensorData::new(values, [outputs]), &device),
        None => in_format(own.val(), FloatDType::F32),
    };
    Ok(Some((weight, Some(bias))))
}
