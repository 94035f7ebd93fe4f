//! Where a network comes from.

use std::path::{Path, PathBuf};

/// Where a network comes from. Its folder also holds the tokeniser and, where there are any,
/// sentence-transformers' files.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A checkpoint's folder.
    Folder(&'a Path),
    /// A `config.json`, its weights drawn from a seed.
    Random {
        /// The path of the `config.json`.
        config: &'a Path,
        /// Seed of all weights.
        seed: u64,
    },
}

impl Source<'_> {
    /// The folder with the `config.json`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => (*folder).to_owned(),
            Self::Random { config, .. } => config.parent().unwrap_or(Path::new("")).to_owned(),
        }
    }
}
