//! From a model's adapters to PEFT's files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::AdapterSettings;
use crate::checkpoint::{
    self, AdapterConfig, AdapterError, Card, Patterns, TargetModules, divisor, suffixes,
};
use crate::models::{Classifier, trained};
use crate::nn::ops::Operations;

/// Writes `adapter_config.json`, `adapter_model.safetensors` and `README.md` into `folder`.
///
/// `fresh` names base tensors that no checkpoint holds, such as a pooler that was drawn at random:
/// without them nobody could reproduce the outputs. PEFT adapts no module that an adapter holds
/// whole, so the update of such a module is added to its weight.
///
/// # Errors
/// When a file cannot be written.
pub fn write<B: Operations, M: Classifier<B>>(
    model: &mut M,
    folder: &Path,
    settings: &AdapterSettings,
    fresh: &[String],
    card: &Card,
) -> Result<(), AdapterError> {
    let mut names: Vec<String> = Vec::new();
    let (mut whole, mut adapted) = (settings.saved.clone(), BTreeSet::new());
    let mut tensors = BTreeMap::new();
    let (mut ranks, mut alphas) = (Patterns::default(), Patterns::default());
    for (name, linear) in model.linears() {
        if fresh.contains(&format!("{name}.weight")) {
            whole.insert(name.clone());
        }
        if whole.contains(&name) {
            let weight = linear.merged();
            let shape = weight.dims().to_vec();
            tensors.insert(
                format!("{name}.weight"),
                (shape, bytes(weight.flatten(0, 1))),
            );
            if let Some(bias) = &linear.bias {
                let shape = bias.dims().to_vec();
                tensors.insert(format!("{name}.bias"), (shape, bytes(bias.val())));
            }
        } else if let Some(lora) = &linear.lora {
            let rank = lora.a.dims()[0];
            let alpha = lora.scaling * divisor(rank, settings.rank_stabilised);
            if rank != settings.rank {
                ranks.0.push((regex::escape(&name), rank));
            }
            // The scale is what was kept; alpha comes back but for the last digits.
            if (alpha - settings.alpha).abs() > 1e-9 * settings.alpha.abs() {
                let rounded = (alpha * 1e9).round() / 1e9;
                alphas.0.push((regex::escape(&name), rounded));
            }
            adapted.insert(name.clone());
        }
        names.push(name);
    }
    let merged = |name: &str| {
        whole
            .iter()
            .any(|module| name.starts_with(&format!("{module}.lora_")))
    };
    for (name, parameter) in trained(model) {
        if !merged(&name) {
            tensors.insert(name, (parameter.shape(), bytes(parameter.flat())));
        }
    }
    for (name, _) in model.head() {
        // PEFT saves a head of several layers as the one module they are in.
        whole.insert(name.split('.').next().unwrap_or(&name).to_owned());
        names.push(name);
    }
    let config = AdapterConfig {
        base_model_name_or_path: Some(card.base.name().to_owned()),
        bias: "none".to_owned(),
        fan_in_fan_out: false,
        inference_mode: true,
        lora_alpha: settings.alpha,
        lora_dropout: settings.dropout,
        modules_to_save: Some(whole.into_iter().collect()),
        peft_type: "LORA".to_owned(),
        r: settings.rank,
        target_modules: TargetModules::Names(suffixes(&names, &adapted).into_iter().collect()),
        task_type: Some("SEQ_CLS".to_owned()),
        use_dora: false,
        use_rslora: settings.rank_stabilised,
        rank_pattern: ranks,
        alpha_pattern: alphas,
        others: card.base.revision().into_iter().collect(),
    };
    checkpoint::write_adapter(folder, &config, &tensors, card)
}

#[allow(clippy::cast_possible_truncation)]
fn bytes<B: Backend>(values: Tensor<B, 1>) -> Vec<u8> {
    values
        .into_data()
        .iter::<f32>()
        .flat_map(f32::to_le_bytes)
        .collect()
}
