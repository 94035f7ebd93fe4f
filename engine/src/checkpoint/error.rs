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
    /// Only the head differs: it was made for another number of classes.
    #[error(
        "the head in {} is for {stored} classes, the data has {needed}; use data with as many classes, or a checkpoint without a head, which is then initialised anew",
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
