//! The `[model]` table, which all kinds of experiment share.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// Which network, in which precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Model {
    /// Where it comes from.
    pub origin: Origin,
    /// Number format of the frozen weights.
    pub precision: Precision,
    /// Replaces every dropout probability of the checkpoint's configuration.
    pub dropout: Option<f64>,
    /// Where a classifier's head comes from.
    pub head: Head,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder with `config.json`, a tokeniser and weights.
    Folder(PathBuf),
    /// A checkpoint's `config.json` with its tokeniser beside it; the weights are drawn from the
    /// seed.
    Random {
        /// Its path.
        config: PathBuf,
        /// Seed of the weights.
        seed: u64,
    },
    /// A repository of the Hugging Face hub.
    Hub {
        /// Its name.
        id: String,
        /// Branch, tag or commit.
        revision: String,
    },
}

impl Origin {
    /// The key of a model's table that says where it comes from.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Folder(_) => "path",
            Self::Random { .. } => "random.config",
            Self::Hub { .. } => "id",
        }
    }
}

/// Whether a revision is itself a commit, which never stands for anything else.
#[must_use]
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Random { config: path, .. } => path.display().fmt(formatter),
            Self::Hub { id, .. } => formatter.write_str(id),
        }
    }
}

/// Which network, in which precision. Exactly one of `path`, `id` and `random` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Model")]
struct Written {
    /// A folder with `config.json`, a tokeniser and weights. Give exactly one of `path`, `id` and
    /// `random`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "folder", "examples" = ["/models/all-MiniLM-L6-v2"]))]
    path: Option<PathBuf>,
    /// A model of the Hugging Face hub, as `owner/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["FacebookAI/roberta-base"]))]
    id: Option<String>,
    /// Branch, tag or commit of `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "main", "examples" = ["v1.0"]))]
    revision: Option<String>,
    /// A network of a given shape with random weights, for trials without a download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<RandomModel>,
    /// Number format of the frozen weights and of the activations. Encoders and decoders are held
    /// in 32 or 16 bits in this version; the three narrower formats can be written but not run.
    #[serde(default)]
    precision: Precision,
    /// Replaces every dropout probability of the model's `config.json`. Only training has
    /// dropout. By default the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "examples" = [0.0]))]
    dropout: Option<f64>,
    /// Where the classification head comes from. Only for models that are fine-tuned.
    #[serde(default, skip_serializing_if = "Head::is_stored")]
    #[schemars(extend("default" = "stored"))]
    head: Head,
}

/// A network with random weights, for trials without a download.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RandomModel {
    /// The `config.json` that gives the shape, with a tokeniser beside it.
    #[schemars(extend("x-path" = "file", "examples" = ["../models/quickstart-encoder/config.json"]))]
    config: PathBuf,
    /// Seed of the weights; the run's own seed does not change them.
    #[serde(default)]
    seed: u64,
}

impl TryFrom<Written> for Model {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let origin = match (written.path, written.id, written.random) {
            (Some(folder), None, None) => Origin::Folder(folder),
            (None, Some(id), None) => Origin::Hub {
                id,
                revision: written.revision.unwrap_or_else(|| "main".to_owned()),
            },
            (None, None, Some(RandomModel { config, seed })) => Origin::Random { config, seed },
            _ => return Err("a model needs exactly one of `path`, `id` and `random`"),
        };
        Ok(Self {
            origin,
            precision: written.precision,
            dropout: written.dropout,
            head: written.head,
        })
    }
}

impl From<Model> for Written {
    fn from(model: Model) -> Self {
        let mut written = Self {
            path: None,
            id: None,
            revision: None,
            random: None,
            precision: model.precision,
            dropout: model.dropout,
            head: model.head,
        };
        match model.origin {
            Origin::Folder(path) => written.path = Some(path),
            Origin::Random { config, seed } => written.random = Some(RandomModel { config, seed }),
            Origin::Hub { id, revision } => {
                written.id = Some(id);
                written.revision = Some(revision);
            }
        }
        written
    }
}

/// The schema is that of a model as it is written.
impl JsonSchema for Model {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

/// Where a classifier's head comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    #[default]
    /// From the adapter that the run starts from, else from the checkpoint. If neither has one, it
    /// starts at random. The names of its classes must be the data's labels.
    Stored,
    /// It starts at random, whatever adapter and checkpoint have.
    Fresh,
}

impl Head {
    /// Whether it is the default, which need not be written.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        *self == Self::Stored
    }
}

/// Number format of the frozen weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    #[default]
    /// `f32` on the processor; on a card `bf16` if its matrix units have it, else `f16`.
    /// Embedders are always `f32`.
    Auto,
    /// 32-bit floating point.
    F32,
    /// 16-bit brain floating point.
    Bf16,
    /// 16-bit IEEE floating point.
    F16,
    /// 8-bit integers, scaled by each row's largest value; not in this version.
    Int8,
    /// 4-bit floating point in blocks of 64; not in this version.
    Fp4,
    /// 4-bit normal float in blocks of 64; not in this version.
    Nf4,
}
