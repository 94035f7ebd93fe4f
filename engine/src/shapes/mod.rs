//! From a checkpoint's `config.json` to the shape of every tensor and of every linear layer that
//! can carry an adapter.
//!
//! Pure: it reads text it is given, never a file and never weights. It knows nothing of devices,
//! data or experiments. One file per architecture says what the network consists of; this one
//! counts and resolves target names.

mod architecture;
pub mod bert;
mod checks;
mod classes;
pub mod deberta;
pub mod decoder;
pub mod jina_bert;
pub mod memory;
pub mod mpnet;
mod parts;
pub mod roberta;
mod rotary;
mod spelling;
mod targets;

pub use architecture::{Architecture, Config, Network, Role};
pub use classes::{ClassesError, class_names};
pub use rotary::{Long, Rotary};
pub use spelling::Spelling;
pub use targets::{ExpressionError, TargetError, whole_match};

/// What a network consists of, for counting it, loading its weights and naming the layers that
/// carry adapters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shapes {
    /// The checkpoint's `model_type`.
    pub model_type: &'static str,
    /// How checkpoints spell the tensors' names.
    pub spelling: &'static Spelling,
    /// Every parameter tensor, in the order of the forward pass.
    pub tensors: Vec<TensorShape>,
    /// Every linear layer below the head, in the order of the forward pass.
    pub linears: Vec<LinearShape>,
    /// Tokens that the position embeddings can number.
    pub max_positions: usize,
    /// Rows of the word embedding: token ids are smaller than this.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Number of transformer layers.
    pub num_layers: usize,
    /// Attention heads of each.
    pub heads: usize,
    /// Rows of the table of relative positions that attention reads in each layer; 0 where there is
    /// none.
    pub relative_positions: usize,
}

/// A parameter tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorShape {
    /// The checkpoint's own name, such as `bert.encoder.layer.0.attention.self.query.weight`.
    pub name: String,
    /// Its dimensions, row-major; a linear layer's weight is `[output, input]`.
    pub shape: Vec<usize>,
    /// Whether it belongs to the classification head, which is trained in full together with the
    /// adapters.
    pub head: bool,
}

impl TensorShape {
    /// Number of values in the tensor.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shape
            .iter()
            .map(|&dimension| dimension as u64)
            .product()
    }
}

/// A linear layer that can carry an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinearShape {
    /// The checkpoint's own module name, such as `bert.encoder.layer.0.attention.self.query`.
    pub module: String,
    /// The name that all architectures share: `query`, `key`, `value`, `attention_output`,
    /// `intermediate`, `output` or `pooler`; DeBERTa may also have `position_key` and
    /// `position_query`.
    pub logical: &'static str,
    /// The transformer layer it belongs to; `None` outside the stack.
    pub layer: Option<usize>,
    /// Width of its input.
    pub input: usize,
    /// Width of its output.
    pub output: usize,
}

impl LinearShape {
    /// The largest rank a low-rank update of this layer can have.
    #[must_use]
    pub fn smaller_dimension(&self) -> usize {
        self.input.min(self.output)
    }

    /// Parameters of a low-rank update: `rank * (input + output)`.
    #[must_use]
    pub fn adapter_parameters(&self, rank: usize) -> u64 {
        rank as u64 * (self.input as u64 + self.output as u64)
    }
}

/// A `config.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShapesError {
    /// Not JSON, or a key has the wrong type.
    #[error("not a readable config.json: {0}")]
    Json(#[from] serde_json::Error),
    /// `model_type` is missing.
    #[error("config.json has no `model_type`; expected one of: {}", role.model_types().join(", "))]
    NoModelType {
        /// What the network was to be used as.
        role: Role,
    },
    /// An architecture that is not implemented, or not in this role.
    #[error("model_type `{model_type}` is not supported{}; supported: {}", role.use_in_words(), role.model_types().join(", "))]
    ModelType {
        /// The `model_type` as given.
        model_type: String,
        /// What the network was to be used as.
        role: Role,
    },
    /// A key whose value is impossible.
    #[error("config.json: `{key}` {problem}")]
    Impossible {
        /// The key of `config.json`.
        key: &'static str,
        /// What is wrong with its value, as the rest of the sentence.
        problem: String,
    },
}

impl Shapes {
    /// Reads the text of a `config.json` as a sequence classifier with `num_labels` classes.
    ///
    /// # Errors
    /// When the text is not JSON, names another architecture, or describes a network that cannot
    /// exist.
    pub fn read(config_json: &str, num_labels: usize) -> Result<Self, ShapesError> {
        let role = Role::Classifier {
            classes: num_labels,
        };
        Ok(Architecture::read(config_json, role)?.shapes())
    }

    /// Parameters of the network without adapters, head included.
    #[must_use]
    pub fn total_parameters(&self) -> u64 {
        self.tensors.iter().map(TensorShape::count).sum()
    }

    /// Parameters of the classification head.
    #[must_use]
    pub fn head_parameters(&self) -> u64 {
        self.tensors
            .iter()
            .filter(|tensor| tensor.head)
            .map(TensorShape::count)
            .sum()
    }

    /// Parameters that a LoRA run trains: the adapters on `targets` and the whole head, as PEFT's
    /// `SEQ_CLS` does.
    ///
    /// # Errors
    /// As [`Shapes::resolve_targets`].
    pub fn trainable_parameters(
        &self,
        rank: usize,
        targets: &[String],
    ) -> Result<u64, TargetError> {
        let adapters: u64 = self
            .resolve_targets(targets)?
            .iter()
            .map(|linear| linear.adapter_parameters(rank))
            .sum();
        Ok(adapters + self.head_parameters())
    }
}
