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
    /// A folder with `config.json`, a tokeniser and weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "folder"))]
    path: Option<PathBuf>,
    /// A repository of the Hugging Face hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Branch, tag or commit of `id`; `main` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// A network with random weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<RandomModel>,
    /// Number format of the frozen weights.
    #[serde(default)]
    precision: Precision,
    /// Replaces every dropout probability of the checkpoint's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    dropout: Option<f64>,
    /// Where a classifier's head comes from.
    #[serde(default, skip_serializing_if = "Head::is_stored")]
    head: Head,
}

/// A network with random weights, for trials without a download.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RandomModel {
    /// A checkpoint's `config.json`, with its tokeniser beside it.
    #[schemars(extend("x-path" = "file"))]
    config: PathBuf,
    /// Seed of the weights.
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
    /// The adapter that a run starts from or else the checkpoint, if it has one; otherwise it is
    /// drawn. Its classes must have the names of the data's labels.
    Stored,
    /// It is drawn, whatever adapter and checkpoint have.
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
    /// The device's own choice: `f32` on the CPU. An embedder's is always `f32`.
    Auto,
    /// 32-bit floating point.
    F32,
    /// 16-bit brain floating point.
    Bf16,
    /// 16-bit IEEE floating point.
    F16,
    /// 8-bit integers by row, absolute maximum.
    Int8,
    /// 4-bit floating point in blocks of 64.
    Fp4,
    /// 4-bit normal float in blocks of 64.
    Nf4,
}
