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
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// None of the files that hold weights is there.
    #[error("{} has none of {}; download the weights, or set `model.random` to try without", folder.display(), WEIGHTS.join(", "))]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// A file whose content is not what its name promises.
    #[error("{} is damaged: {problem}; download it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file of weights that cannot be used as it is.
    #[error("cannot use {}: {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A `config.json` that makes no network.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ShapesError,
    },
    /// Only the head differs: it was made for another number of classes.
    #[error(
        "the head in {} tells {stored} classes apart, the data has {needed}; use data with those classes, or a checkpoint without a head, which then starts afresh",
        folder.display()
    )]
    Classes {
        /// The folder.
        folder: PathBuf,
        /// Classes of the stored head.
        stored: usize,
        /// Classes of the data.
        needed: usize,
    },
    /// The weights are not those of the network that `config.json` describes.
    #[error("the weights in {} do not fit its config.json: {}", folder.display(), problems.join("; "))]
    Mismatch {
        /// The folder.
        folder: PathBuf,
        /// Each tensor that is missing, unknown or of another shape.
        problems: Vec<String>,
    },
    /// A network that is to be built as something it was not read as.
    #[error("the network was read for another use than it is built for")]
    Role,
}
