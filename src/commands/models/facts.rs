//! What there is to say about a model, in words and as data.

use engine::shapes::{Architecture, Role, Shapes};
use serde_json::{Map, Value, json};

use super::tree::{Module, Tree};
use crate::commands::words;
use crate::hub::{Inspection, size};

/// A model as it was found, and the network that its configuration describes.
pub(super) struct Model {
    pub(super) seen: Inspection,
    /// What the engine makes of its configuration, and as what; or why nothing.
    pub(super) network: Result<(Shapes, Role), String>,
}

impl Model {
    /// Reads the configuration: as a classifier's where it can be one, else as an embedder's.
    pub(super) fn new(seen: Inspection, classes: usize) -> Self {
        let text = seen.config.as_ref().map(Value::to_string);
        let read = |text: &String, role| {
            let architecture = Architecture::read(text, role);
            architecture.map(|architecture| (architecture.shapes(), role))
        };
        let network = match &text {
            None => Err("there is no config.json".to_owned()),
            Some(text) => read(text, Role::Classifier { classes })
                .or_else(|error| read(text, Role::Embedder).map_err(|_| error))
                .or_else(|error| read(text, Role::Decoder).map_err(|_| error))
                .map_err(|error| error.to_string()),
        };
        Self { seen, network }
    }

    /// The first of the configuration's keys that is there; architectures call the same differently.
    fn config(&self, keys: &[&str]) -> Option<String> {
        let config = self.seen.config.as_ref()?;
        let value = keys.iter().find_map(|key| match config.get(*key) {
            None | Some(Value::Null) => None,
            found => found,
        })?;
        Some(match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => words::grouped(&number.to_string()),
            other => other.to_string(),
        })
    }

    fn architecture(&self) -> Option<String> {
        let names = self.seen.config.as_ref()?["architectures"].as_array()?;
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Number format of the weights: as their headers have it, else as the configuration says.
    fn dtype(&self) -> Option<String> {
        let counts = self.seen.parameters_by_dtype();
        if counts.is_empty() {
            return self.config(&["dtype", "torch_dtype"]);
        }
        let words = counts
            .iter()
            .map(|(dtype, count)| format!("{dtype} ({})", words::grouped(&count.to_string())));
        Some(match counts.len() {
            1 => counts.keys().next().map(|&dtype| dtype.to_owned())?,
            _ => words.collect::<Vec<_>>().join(", "),
        })
    }

    /// What the network is used as.
    pub(super) fn role(&self) -> Option<String> {
        let (_, role) = self.network.as_ref().ok()?;
        Some(match role {
            Role::Classifier { classes } => format!("a classifier of {classes} classes"),
            Role::Embedder => "an embedder".to_owned(),
            Role::Decoder => "a decoder".to_owned(),
        })
    }

    /// Names and values, without those that are not known.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let (seen, facts) = (&self.seen, &self.seen.facts);
        let grouped = |count: u64| words::grouped(&count.to_string());
        let computed = self.network.as_ref().ok().zip(self.role());
        let computed = computed
            .map(|((shapes, _), role)| format!("{} as {role}", grouped(shapes.total_parameters())));
        let stored = seen.parameters();
        let stored = stored.map(|count| format!("{} in the weights", grouped(count)));
        let parameters: Vec<String> = stored.into_iter().chain(computed).collect();
        let bytes = |bytes: u64| (bytes > 0).then(|| size(bytes));
        let weights = bytes(seen.weight_bytes()).map(|bytes| {
            let names: Vec<&str> = seen.weights.iter().map(|file| file.name.as_str()).collect();
            match names.as_slice() {
                [name] => format!("{bytes} in {name}"),
                names => format!("{bytes} in {} files", names.len()),
            }
        });
        let all = bytes(seen.total_bytes()).map(|bytes| format!("{bytes} with all files"));
        let disk: Vec<String> = weights.into_iter().chain(all).collect();
        let day = |time: &Option<String>| time.as_deref().map(|time| words::day(Some(time)));
        let access = match (facts.gated, facts.private) {
            (true, _) => Some("gated: its page says how to get access".to_owned()),
            (_, true) => Some("private".to_owned()),
            _ => None,
        };
        let joined = |list: &[String], glue: &str| (!list.is_empty()).then(|| list.join(glue));
        let pairs = [
            ("commit", seen.commit.clone()),
            ("architecture", self.architecture()),
            ("type", self.config(&["model_type"])),
            (
                "layers",
                self.config(&["num_hidden_layers", "n_layer", "num_layers", "n_layers"]),
            ),
            (
                "heads",
                self.config(&["num_attention_heads", "n_head", "num_heads", "n_heads"]),
            ),
            ("key-value heads", self.config(&["num_key_value_heads"])),
            (
                "hidden size",
                self.config(&["hidden_size", "n_embd", "d_model", "dim"]),
            ),
            (
                "feed-forward size",
                self.config(&["intermediate_size", "n_inner", "d_ff", "hidden_dim"]),
            ),
            ("vocabulary", self.config(&["vocab_size"])),
            (
                "positions",
                self.config(&["max_position_embeddings", "n_positions"]),
            ),
            ("parameters", joined(&parameters, "; ")),
            ("dtype", self.dtype()),
            ("on disk", joined(&disk, "; ")),
            ("author", facts.author.clone()),
            ("task", facts.task.clone()),
            ("library", facts.library.clone()),
            ("licence", facts.licence.clone()),
            ("created", day(&facts.created)),
            ("modified", day(&facts.modified)),
            (
                "downloads",
                facts
                    .downloads
                    .map(|count| format!("{} in 30 days", grouped(count))),
            ),
            ("likes", facts.likes.map(grouped)),
            ("access", access),
            ("tags", joined(&facts.tags, ", ")),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// The module tree: of the network, else of what the weights' headers name.
    pub(super) fn tree(&self) -> Option<Tree> {
        let tensors = match (&self.network, &self.seen.tensors) {
            (Ok((shapes, _)), _) => shapes
                .tensors
                .iter()
                .map(|tensor| (tensor.name.clone(), tensor.shape.clone()))
                .collect(),
            (Err(_), Some(tensors)) => tensors
                .iter()
                .map(|tensor| {
                    let shape = tensor.shape.iter();
                    let shape = shape.map(|&size| usize::try_from(size).unwrap_or(usize::MAX));
                    (tensor.name.clone(), shape.collect())
                })
                .collect(),
            (Err(_), None) => Vec::new(),
        };
        let targets = self.network.as_ref().ok().into_iter();
        let targets = targets.flat_map(|(shapes, _)| &shapes.linears);
        let targets = targets.map(|linear| (linear.module.as_str(), linear.logical));
        (!tensors.is_empty()).then(|| Tree::of(&tensors, &targets.collect()))
    }

    /// What adapters of each rank would train: a row a target, then what is trained beside them.
    pub(super) fn adapters(&self, ranks: &[usize]) -> Option<Adapters> {
        let (shapes, _) = self.network.as_ref().ok()?;
        let rows = shapes.logical_names().into_iter().filter_map(|target| {
            let linears = shapes.resolve_target(&target).ok()?;
            // A logical name also is the end of some modules' names.
            let linears = linears
                .into_iter()
                .filter(|linear| linear.logical == target);
            let linears: Vec<_> = linears.collect();
            let first = linears.first()?;
            let counts = ranks.iter().map(|&rank| {
                let counts = linears.iter().map(|linear| linear.adapter_parameters(rank));
                counts.sum()
            });
            Some(Adapted {
                layers: linears.len(),
                shape: [first.output, first.input],
                counts: counts.collect(),
                target,
            })
        });
        Some(Adapters {
            rows: rows.collect(),
            head: shapes.head_parameters(),
            total: shapes.total_parameters(),
        })
    }

    /// Everything as data.
    pub(super) fn json(&self, ranks: &[usize]) -> Value {
        let seen = &self.seen;
        let adapters = self.adapters(ranks);
        let of_row = |row: &Adapted| {
            let counts = ranks.iter().zip(&row.counts);
            let counts: Map<String, Value> = counts
                .map(|(rank, count)| (rank.to_string(), json!(count)))
                .collect();
            json!({"target": row.target, "layers": row.layers, "shape": row.shape, "trained_by_rank": counts})
        };
        let file = |file: &crate::hub::ListedFile| json!({"name": file.name, "bytes": file.bytes});
        json!({
            "id": seen.id,
            "commit": seen.commit,
            "facts": seen.facts,
            "config": seen.config,
            "files": seen.files.iter().map(file).collect::<Vec<_>>(),
            "parameters_in_weights": seen.parameters(),
            "parameters_by_dtype": seen.parameters_by_dtype(),
            "parameters": self.network.as_ref().ok().map(|(shapes, _)| shapes.total_parameters()),
            "used_as": self.role(),
            "modules": self.tree().map(|tree| tree.modules.iter().map(Module::json).collect::<Vec<_>>()),
            "head_parameters": adapters.as_ref().map(|adapters| adapters.head),
            "adapters": adapters.map(|adapters| adapters.rows.iter().map(of_row).collect::<Vec<_>>()),
        })
    }
}

/// What adapters would train.
pub(super) struct Adapters {
    pub(super) rows: Vec<Adapted>,
    /// Parameters of the head, which is trained in full.
    pub(super) head: u64,
    /// Parameters of the network without adapters.
    pub(super) total: u64,
}

/// What adapters on one target would train.
pub(super) struct Adapted {
    pub(super) target: String,
    pub(super) layers: usize,
    /// Of the first layer's weight.
    pub(super) shape: [usize; 2],
    /// By rank.
    pub(super) counts: Vec<u64>,
}
