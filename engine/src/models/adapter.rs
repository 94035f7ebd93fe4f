//! Low-rank adapters on a model: attached, written and read in PEFT's format (<https://github.com/huggingface/peft>).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use burn::module::Param;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use thiserror::Error;

use super::adapter_config::{AdapterConfig, Patterns, TargetModules, divisor, none};
use super::checkpoint::CheckpointError;
use super::classifier::{Classifier, NamedLinears};
use super::tensor_files::TensorFiles;
use super::trained::{Trained, trained};
use super::weights::{Initial, draw};
use crate::nn::ops::Operations;
use crate::nn::{Linear, Lora, in_format_of};

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
    /// Names of modules below the head that the adapter holds whole and that replace the base's. They stay frozen.
    pub saved: BTreeSet<String>,
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
/// PEFT adapts no module that an adapter holds whole, so the update of such a module is added to its weight.
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
                format!("{PREFIX}{name}.weight"),
                (shape, bytes(weight.flatten(0, 1))),
            );
            let shape = linear.bias.dims().to_vec();
            tensors.insert(
                format!("{PREFIX}{name}.bias"),
                (shape, bytes(linear.bias.val())),
            );
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
            tensors.insert(
                format!("{PREFIX}{name}"),
                (parameter.shape(), bytes(parameter.flat())),
            );
        }
    }
    for (name, _) in model.head() {
        // PEFT saves a head of several layers as the one module they are in.
        whole.insert(name.split('.').next().unwrap_or(&name).to_owned());
        names.push(name);
    }
    let config = AdapterConfig {
        base_model_name_or_path: Some(card.base_model.clone()),
        bias: none(),
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
        others: BTreeMap::new(),
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
/// What PEFT saved whole below the head replaces the base's and stays frozen.
///
/// # Errors
/// When a file cannot be read, asks for something unsupported, or was made for another network.
pub fn read<B: Operations, M: Classifier<B>>(
    model: &mut M,
    folder: &Path,
) -> Result<AdapterSettings, AdapterError> {
    let path = folder.join("adapter_config.json");
    let config = AdapterConfig::read(&path)?;
    let rules = config.rules(&path)?;
    // PEFT's older files are pickles.
    let path = ["adapter_model.safetensors", "adapter_model.bin"]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| folder.join("adapter_model.safetensors"));
    let mut stored = Stored::open(path)?;
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
        if stored.replace(&name, linear)? {
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
                "its head tells {classes} classes apart, the data has {outputs}"
            )));
        }
        if stored.has(&format!("{name}.lora_A.weight")) {
            return Err(stored.mismatch(format!(
                "it adapts the head `{name}`, which is trained in full here"
            )));
        }
        if !stored.replace(&name, linear)? {
            return Err(stored.mismatch(format!(
                "it has no `{name}.weight`, so the classes are unknown"
            )));
        }
    }
    if let Some(name) = stored.unused.first() {
        return Err(stored.mismatch(format!(
            "`{name}` belongs to no linear layer of the model, and others are not supported"
        )));
    }
    if settings.modules.is_empty() {
        return Err(stored.mismatch("it holds no adapter".to_owned()));
    }
    Ok(settings)
}

/// The tensors of an adapter, each taken once.
struct Stored {
    path: PathBuf,
    files: TensorFiles,
    unused: BTreeSet<String>,
}

impl Stored {
    fn open(path: PathBuf) -> Result<Self, AdapterError> {
        let files = TensorFiles::open(vec![path.clone()])?;
        let unused = files.names().map(str::to_owned).collect();
        Ok(Self {
            path,
            files,
            unused,
        })
    }

    fn mismatch(&self, problem: String) -> AdapterError {
        AdapterError::Mismatch {
            path: self.path.clone(),
            problem,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.unused.contains(&format!("{PREFIX}{name}"))
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.files.shape(&format!("{PREFIX}{name}"))
    }

    /// A tensor's values, if it is there; it must have the shape that the model needs.
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, AdapterError> {
        let name = format!("{PREFIX}{name}");
        if !self.unused.remove(&name) {
            return Ok(None);
        }
        let stored = self.files.shape(&name).unwrap_or_default();
        if stored != shape {
            return Err(self.mismatch(format!(
                "`{name}` has the shape {stored:?}, the model needs {shape:?}"
            )));
        }
        Ok(self.files.read(&name)?)
    }

    /// Replaces a layer's weight and bias by the stored ones, frozen; says whether there was a weight.
    fn replace<B: Operations>(
        &mut self,
        name: &str,
        linear: &mut Linear<B>,
    ) -> Result<bool, AdapterError> {
        let [inputs, outputs] = linear.sizes();
        let device = linear.weight.device();
        let weight = self.take(&format!("{name}.weight"), &[outputs, inputs])?;
        let found = weight.is_some();
        if let Some(values) = weight {
            let values = Tensor::from_data(TensorData::new(values, [outputs, inputs]), &device);
            let values = in_format_of(values, &linear.weight.val());
            linear.weight = Param::from_tensor(values).set_require_grad(false);
        }
        if let Some(values) = self.take(&format!("{name}.bias"), &[outputs])? {
            let values = Tensor::from_data(TensorData::new(values, [outputs]), &device);
            let values = in_format_of(values, &linear.bias.val());
            linear.bias = Param::from_tensor(values).set_require_grad(false);
        }
        Ok(found)
    }
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
