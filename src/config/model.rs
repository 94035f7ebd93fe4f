//! The `[model]` table, which all kinds of experiment share.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which network, in which precision. Exactly one of `path`, `id` and `random` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A folder with `config.json`, a tokeniser and weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-path" = "folder"))]
    pub path: Option<PathBuf>,
    /// A repository of the Hugging Face hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Branch, tag or commit of `id`; `main` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// A network with random weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomModel>,
    /// Number format of the frozen weights.
    #[serde(default)]
    pub precision: Precision,
    /// Replaces every dropout probability of the checkpoint's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub dropout: Option<f64>,
}

/// A network with random weights, for trials without a download.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomModel {
    /// A checkpoint's `config.json`, with its tokeniser beside it.
    #[schemars(extend("x-path" = "file"))]
    pub config: PathBuf,
    /// Seed of the weights.
    #[serde(default)]
    pub seed: u64,
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
