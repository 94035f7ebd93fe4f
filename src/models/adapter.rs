//! Low-rank adapters on a model: attached, written and read in PEFT's format (<https://github.com/huggingface/peft>).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use burn::module::Param;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::checkpoint::CheckpointError;
use super::classifier::{Classifier, NamedLinears};
use super::tensor_files::TensorFiles;
use super::trained::{Trained, trained};
use super::weights::{Initial, draw};
use crate::nn::Lora;
use crate::nn::ops::Operations;

/// What PEFT puts before every module name.
const PREFIX: &str = "base_model.model.";

/// Why an adapter cannot be read or written.
#[derive(Debug, Error)]
pub enum AdapterError {
    /// A file that cannot be read.
    #[error(transparent)]
    Tensors(#[from] CheckpointError),
    /// A file that cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `adapter_config.json` asks for something that is not supported, or is broken.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The adapter was made for another network.
    #[error("{} does not fit the model: {problem}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Rank, scale, dropout and places of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterSettings {
    /// Rank of the update.
    pub rank: usize,
    /// The update is scaled by `alpha / rank`.
    pub alpha: f64,
    /// Dropout on the adapter's input.
    pub dropout: f64,
    /// Names of the adapted modules.
    pub modules: BTreeSet<String>,
}

/// Puts fresh adapters on a model's linear layers, initialised as PEFT does: the first matrix uniform as `nn.Linear`'s, the second 0.
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
        #[allow(clippy::cast_precision_loss)]
        let scaling = settings.alpha / settings.rank as f64;
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

/// The keys of `adapter_config.json` that ensayo writes and understands.
#[derive(Debug, Serialize, Deserialize)]
struct AdapterConfig {
    #[serde(default)]
    base_model_name_or_path: Option<String>,
    #[serde(default = "none")]
    bias: String,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    inference_mode: bool,
    lora_alpha: f64,
    #[serde(default)]
    lora_dropout: f64,
    #[serde(default)]
    modules_to_save: Option<Vec<String>>,
    peft_type: String,
    r: usize,
    target_modules: serde_json::Value,
    #[serde(default)]
    task_type: Option<String>,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f64>,
}

fn none() -> String {
    "none".to_owned()
}

/// What is written beside the adapter's tensors.
#[derive(Debug, Clone)]
pub struct Card {
    /// The base model's folder or hub id.
    pub base_model: String,
    /// What a person should know of the run, in Markdown.
    pub description: String,
}

/// Writes `adapter_config.json`, `adapter_model.safetensors` and `README.md` into `folder`.
///
/// `fresh` names base tensors that no checkpoint holds, such as a pooler that was drawn at random: without them nobody could reproduce the outputs.
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
    let linears: Vec<String> = model.linears().into_iter().map(|(name, _)| name).collect();
    let mut saved: BTreeSet<String> = model.head().into_iter().map(|(name, _)| name).collect();
    let mut tensors = BTreeMap::new();
    for (name, parameter) in trained(model) {
        tensors.insert(
            format!("{PREFIX}{name}"),
            (parameter.shape(), bytes(parameter.flat())),
        );
    }
    for (name, linear) in model.linears() {
        if fresh.contains(&format!("{name}.weight")) {
            let shape = linear.weight.dims().to_vec();
            tensors.insert(
                format!("{PREFIX}{name}.weight"),
                (shape, bytes(linear.weight.val().flatten(0, 1))),
            );
            let shape = linear.bias.dims().to_vec();
            tensors.insert(
                format!("{PREFIX}{name}.bias"),
                (shape, bytes(linear.bias.val())),
            );
            saved.insert(name);
        }
    }
    let config = AdapterConfig {
        base_model_name_or_path: Some(card.base_model.clone()),
        bias: none(),
        fan_in_fan_out: false,
        inference_mode: true,
        lora_alpha: settings.alpha,
        lora_dropout: settings.dropout,
        modules_to_save: Some(saved.into_iter().collect()),
        peft_type: "LORA".to_owned(),
        r: settings.rank,
        target_modules: suffixes(&linears, &settings.modules).into_iter().collect(),
        task_type: Some("SEQ_CLS".to_owned()),
        use_dora: false,
        use_rslora: false,
        rank_pattern: BTreeMap::new(),
        alpha_pattern: BTreeMap::new(),
    };
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name, view))
    });
    let stored = views.collect::<Result<Vec<_>, _>>().and_then(|views| {
        safetensors::serialize(views, Some(HashMap::from([("format".into(), "pt".into())])))
    });
    let failed = |name: &str, source| AdapterError::Write {
        path: folder.join(name),
        source,
    };
    std::fs::create_dir_all(folder).map_err(|source| failed("", source))?;
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.join(name), content).map_err(|source| failed(name, source))
    };
    let stored = stored
        .map_err(|error| failed("adapter_model.safetensors", std::io::Error::other(error)))?;
    write("adapter_model.safetensors", &stored)?;
    let text = serde_json::to_string_pretty(&config)
        .map_err(|error| failed("adapter_config.json", std::io::Error::other(error)))?;
    write("adapter_config.json", text.as_bytes())?;
    write("README.md", readme(card).as_bytes())
}

fn readme(card: &Card) -> String {
    format!(
        "---\nbase_model: {}\nlibrary_name: peft\ntags:\n- lora\n- ensayo\npipeline_tag: text-classification\n---\n\n\
         # LoRA adapter\n\n{}\n\nPEFT opens this folder:\n\n```python\nfrom peft import PeftModel\n\
         from transformers import AutoModelForSequenceClassification\n\n\
         model = AutoModelForSequenceClassification.from_pretrained(\"{}\")\n\
         model = PeftModel.from_pretrained(model, \".\")\n```\n",
        card.base_model, card.description, card.base_model
    )
}

#[allow(clippy::cast_possible_truncation)]
fn bytes<B: Backend>(values: Tensor<B, 1>) -> Vec<u8> {
    values
        .into_data()
        .iter::<f32>()
        .flat_map(f32::to_le_bytes)
        .collect()
}

/// The shortest ends of module names by which PEFT finds exactly `modules` among `all`.
fn suffixes(all: &[String], modules: &BTreeSet<String>) -> BTreeSet<String> {
    let found = |suffix: &str| {
        all.iter()
            .filter(|name| *name == suffix || name.ends_with(&format!(".{suffix}")))
            .all(|name| modules.contains(name))
    };
    modules
        .iter()
        .map(|module| {
            let starts = module
                .rmatch_indices('.')
                .map(|(dot, _)| dot + 1)
                .chain([0]);
            let mut ends = starts.map(|start| &module[start..]);
            ends.find(|end| found(end)).unwrap_or(module).to_owned()
        })
        .collect()
}

/// Reads an adapter folder onto a model whose linear layers carry none yet, head included.
///
/// # Errors
/// When a file cannot be read, asks for something unsupported, or was made for another network.
pub fn read<B: Operations, M: Classifier<B>>(
    model: &mut M,
    folder: &Path,
) -> Result<AdapterSettings, AdapterError> {
    let config = read_config(&folder.join("adapter_config.json"))?;
    let path = folder.join("adapter_model.safetensors");
    let files = TensorFiles::open(vec![path.clone()])?;
    let mismatch = |problem| AdapterError::Mismatch {
        path: path.clone(),
        problem,
    };

    let mut unused: BTreeSet<String> = files.names().map(str::to_owned).collect();
    let mut take = |name: &str, shape: &[usize]| -> Result<Option<Vec<f32>>, AdapterError> {
        let name = format!("{PREFIX}{name}");
        if !unused.remove(&name) {
            return Ok(None);
        }
        match files.shape(&name) {
            Some(stored) if stored == shape => Ok(files.read(&name)?),
            stored => Err(mismatch(format!(
                "`{name}` has the shape {stored:?}, the model needs {shape:?}"
            ))),
        }
    };
    #[allow(clippy::cast_precision_loss)]
    let scaling = config.lora_alpha / config.r as f64;
    let (linears, head): (NamedLinears<'_, B>, NamedLinears<'_, B>) = model.parts_mut();
    let mut modules = BTreeSet::new();
    for (is_head, (name, linear)) in linears
        .into_iter()
        .map(|named| (false, named))
        .chain(head.into_iter().map(|named| (true, named)))
    {
        let [inputs, outputs] = linear.sizes();
        let device = linear.weight.device();
        let a = take(&format!("{name}.lora_A.weight"), &[config.r, inputs])?;
        let b = take(&format!("{name}.lora_B.weight"), &[outputs, config.r])?;
        match (a, b) {
            (Some(a), Some(b)) if !is_head => {
                linear.lora = Some(Lora {
                    a: matrix(a, [config.r, inputs], &device),
                    b: matrix(b, [outputs, config.r], &device),
                    scaling,
                    dropout: config.lora_dropout,
                });
                modules.insert(name.clone());
            }
            (None, None) => {}
            (Some(_), Some(_)) => {
                return Err(mismatch(format!(
                    "it adapts the head `{name}`, which is trained in full here"
                )));
            }
            _ => {
                return Err(mismatch(format!(
                    "`{name}` has one of its two matrices only"
                )));
            }
        }
        if let Some(values) = take(&format!("{name}.weight"), &[outputs, inputs])? {
            let values = Tensor::from_data(TensorData::new(values, [outputs, inputs]), &device);
            linear.weight = Param::from_tensor(values).set_require_grad(false);
        } else if is_head {
            return Err(mismatch(format!(
                "it has no `{name}.weight`, so the classes are unknown"
            )));
        }
        if let Some(values) = take(&format!("{name}.bias"), &[outputs])? {
            let values = Tensor::from_data(TensorData::new(values, [outputs]), &device);
            linear.bias = Param::from_tensor(values).set_require_grad(false);
        }
    }
    if let Some(name) = unused.first() {
        return Err(mismatch(format!("`{name}` belongs to no part of it")));
    }
    if modules.is_empty() {
        return Err(mismatch("it holds no adapter".to_owned()));
    }
    Ok(AdapterSettings {
        rank: config.r,
        alpha: config.lora_alpha,
        dropout: config.lora_dropout,
        modules,
    })
}

fn read_config(path: &Path) -> Result<AdapterConfig, AdapterError> {
    let text = std::fs::read_to_string(path).map_err(|source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    })?;
    let refused = |problem: String| AdapterError::Config {
        path: path.to_owned(),
        problem,
    };
    let config: AdapterConfig =
        serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let unsupported = [
        (config.peft_type != "LORA", "`peft_type` other than LORA"),
        (config.bias != "none", "`bias` other than none"),
        (config.fan_in_fan_out, "`fan_in_fan_out`"),
        (config.use_dora, "`use_dora`"),
        (config.use_rslora, "`use_rslora`"),
        (!config.rank_pattern.is_empty(), "`rank_pattern`"),
        (!config.alpha_pattern.is_empty(), "`alpha_pattern`"),
    ];
    if let Some((_, what)) = unsupported.iter().find(|(found, _)| *found) {
        return Err(refused(format!("{what} is not supported")));
    }
    if config.r == 0 {
        return Err(refused("`r` is 0".to_owned()));
    }
    Ok(config)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn suffixes_are_as_short_as_they_can_be_without_matching_more() {
        let all = names(&[
            "bert.layer.0.query",
            "bert.layer.0.attention.output.dense",
            "bert.layer.0.output.dense",
            "bert.pooler.dense",
        ]);
        let of = |modules: &[&str]| suffixes(&all, &names(modules).into_iter().collect());
        assert_eq!(
            of(&["bert.layer.0.query"]),
            BTreeSet::from(["query".to_owned()])
        );
        assert_eq!(
            of(&["bert.layer.0.output.dense"]),
            BTreeSet::from(["0.output.dense".to_owned()])
        );
        assert_eq!(
            of(&["bert.layer.0.attention.output.dense"]),
            BTreeSet::from(["attention.output.dense".to_owned()])
        );
    }
}
