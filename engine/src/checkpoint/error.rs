//! Why a checkpoint cannot be used.

use std::path::PathBuf;

use thiserror::Error;

use super::folder::WEIGHTS;
use crate::shapes::ShapesError;

/// Why a checkpoint cannot be used.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file that cannot be read.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// None of the files that hold weights is there.
    #[error("{} has none of {}; download the weights, or set `model.random` to try without", folder.display(), WEIGHTS.join(", "))]
    NoWeights {
        /// The folder without weights.
        folder: PathBuf,
    },
    /// A file whose content is not what its name promises.
    #[error("{} is damaged: {problem}; download it again", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What does not fit, as the rest of a sentence.
        problem: String,
    },
    /// A file of weights that cannot be used as it is.
    #[error("cannot use {}: {problem}", path.display())]
    Unusable {
        /// The file of weights.
        path: PathBuf,
        /// What it has that is not supported, as the rest of a sentence.
        problem: String,
    },
    /// A `config.json` that describes no network.
    #[error("{}: {source}", path.display())]
    Config {
        /// The `config.json`.
        path: PathBuf,
        /// The key that is wrong, and how.
        source: ShapesError,
    },
    /// A weight that is not a number, or endless.
    #[error(
        "cannot use {}: `{tensor}` holds {value} at {place:?}; the checkpoint is broken, perhaps by a training that diverged",
        path.display()
    )]
    NotFinite {
        /// The file of weights.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// What it holds: NaN or an infinite value.
        value: &'static str,
        /// The first such value's indices.
        place: Vec<usize>,
    },
    /// Weights that are stored in fewer bits, with scales of their own.
    #[error(
        "cannot use {}: `{tensor}` is stored as {format}{}; use the checkpoint that it was quantised from, in f32, f16 or bf16",
        path.display(),
        method.as_ref().map_or_else(String::new, |method| format!(" (quantised with {method})"))
    )]
    Quantised {
        /// The file of weights.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// What it holds.
        format: &'static str,
        /// The method that `config.json` names.
        method: Option<String>,
    },
    /// Only the head differs: it was made for another number of classes.
    #[error(
        "the head in {} is for {stored} classes, the data has {needed}; use data with as many classes, or start the head afresh with `model.head = \"fresh\"`",
        folder.display()
    )]
    Classes {
        /// The folder of the weights with that head.
        folder: PathBuf,
        /// Classes of the stored head.
        stored: usize,
        /// Classes of the data.
        needed: usize,
    },
    /// The weights are not those of the network that `config.json` describes.
    #[error("the weights in {} do not fit its config.json: {}", folder.display(), problems.join("; "))]
    Mismatch {
        /// The folder that holds both.
        folder: PathBuf,
        /// Each tensor that is missing, unknown or of another shape.
        problems: Vec<String>,
    },
    /// A network that is to be built as something it was not read as.
    #[error("the network was read for another use than it is built for")]
    Role,
}

impl CheckpointError {
    /// Says with which method weights were quantised, where `config.json` names one.
    #[must_use]
    pub fn quantised_with(self, config_json: &str) -> Self {
        let named = || {
            let keys: serde_json::Value = serde_json::from_str(config_json).ok()?;
            let method = keys["quantization_config"]["quant_method"].as_str()?;
            Some(method.chars().take(40).collect())
        };
        match self {
            Self::Quantised {
                path,
                tensor,
                format,
                ..
            } => Self::Quantised {
                path,
                tensor,
                format,
                method: named(),
            },
            // What packs weights gives them other names.
            Self::Mismatch {
                folder,
                mut problems,
            } => {
                if let Some(method) = named() {
                    let first = format!(
                        "its weights are quantised with {method}, and such weights are not read; use the checkpoint in f32, f16 or bf16"
                    );
                    problems = vec![first];
                }
                Self::Mismatch { folder, problems }
            }
            other => other,
        }
    }
}
