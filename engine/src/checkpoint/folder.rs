//! The weights of a checkpoint's folder, whole or in shards, checked against the network that they
//! are for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::CheckpointError;
use super::tensor_files::{Number, TensorFiles};
use crate::shapes::{Spelling, TensorShape};

/// A checkpoint folder whose tensors have been checked against the network, none of them read yet.
#[derive(Debug)]
pub struct Checkpoint {
    tensors: TensorFiles,
    fresh: Vec<String>,
}

impl Checkpoint {
    /// Opens a folder and checks that it holds every tensor of `tensors` in its shape and no
    /// unknown one.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged, or the tensors are not those of the network.
    pub fn open(
        folder: &Path,
        tensors: &[TensorShape],
        spelling: &Spelling,
    ) -> Result<Self, CheckpointError> {
        let checkpoint = Self::unchecked(folder, spelling)?;
        checkpoint.checked(folder, tensors, spelling)
    }

    /// The same, but for the head: whatever of one the folder holds is left aside, and the
    /// network's is newly initialised.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn open_below_head(
        folder: &Path,
        tensors: &[TensorShape],
        spelling: &Spelling,
    ) -> Result<Self, CheckpointError> {
        let mut checkpoint = Self::unchecked(folder, spelling)?;
        let below: BTreeSet<&str> = tensors
            .iter()
            .filter(|tensor| !tensor.head)
            .map(|tensor| tensor.name.as_str())
            .collect();
        let names: Vec<String> = checkpoint.tensors.names().map(str::to_owned).collect();
        for name in names {
            if starts(&name, spelling.fresh) && !below.contains(name.as_str()) {
                checkpoint.tensors.forget(&name);
            }
        }
        checkpoint.checked(folder, tensors, spelling)
    }

    fn unchecked(folder: &Path, spelling: &Spelling) -> Result<Self, CheckpointError> {
        let mut tensors = TensorFiles::open(weight_files(folder)?)?;
        tensors.rename(|names| spelling.canonical(names))?;
        Ok(Self {
            tensors,
            fresh: Vec::new(),
        })
    }

    /// The tensors that the checkpoint does not have and that are newly initialised.
    #[must_use]
    pub fn fresh(&self) -> &[String] {
        &self.fresh
    }

    /// A tensor's values as 32-bit floats; `None` if it is newly initialised.
    ///
    /// # Errors
    /// When the file cannot be read, or a value is not a finite number.
    pub fn read(&self, name: &str) -> Result<Option<Vec<f32>>, CheckpointError> {
        self.tensors.read(name)
    }

    /// A tensor's values in a number format, without a copy in another one where they are stored in
    /// it; `None` if it is newly initialised.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn read_in<T: Number>(&self, name: &str) -> Result<Option<Vec<T>>, CheckpointError> {
        self.tensors.read_in(name)
    }

    /// Reads the values of these tensors and keeps none of them.
    ///
    /// # Errors
    /// When a file cannot be read, or a value is not a finite number.
    pub fn check_values(&self, tensors: &[TensorShape]) -> Result<(), CheckpointError> {
        tensors
            .iter()
            .try_for_each(|tensor| self.tensors.check_values(&tensor.name))
    }

    fn checked(
        mut self,
        folder: &Path,
        tensors: &[TensorShape],
        spelling: &Spelling,
    ) -> Result<Self, CheckpointError> {
        let quantised = tensors
            .iter()
            .find_map(|tensor| Some((tensor, self.tensors.other(&tensor.name)?)));
        if let Some((tensor, (path, format))) = quantised {
            return Err(CheckpointError::Quantised {
                path: path.to_owned(),
                tensor: tensor.name.clone(),
                format,
                method: None,
            });
        }
        let mut problems = Vec::new();
        let mut heads = Vec::new();
        for TensorShape { name, shape, head } in tensors {
            match self.tensors.shape(name) {
                Some(stored) if stored != shape => {
                    if *head && stored.len() == shape.len() && stored[1..] == shape[1..] {
                        heads.push((stored[0], shape[0]));
                    }
                    problems.push(format!(
                        "`{name}` has the shape {stored:?}, the network needs {shape:?}"
                    ));
                }
                Some(_) => {}
                None if starts(name, spelling.fresh) => self.fresh.push(name.clone()),
                None => problems.push(format!("`{name}` is missing")),
            }
        }
        let known: BTreeSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        let unknown = self.tensors.names().filter(|name| !known.contains(name));
        problems.extend(
            unknown
                .filter(|name| !starts(name, spelling.ignored) && !name.ends_with(OLD_BUFFER))
                .map(|name| format!("`{name}` belongs to no part of the network")),
        );
        if problems.is_empty() {
            return Ok(self);
        }
        if let [(stored, needed), ..] = heads[..]
            && heads.len() == problems.len()
        {
            return Err(CheckpointError::Classes {
                folder: folder.to_owned(),
                stored,
                needed,
            });
        }
        let total = problems.len();
        if total > SHOWN {
            problems.truncate(SHOWN);
            problems.push(format!("and {} more", total - SHOWN));
        }
        Err(CheckpointError::Mismatch {
            folder: folder.to_owned(),
            problems,
        })
    }
}

/// Angles that old versions stored in every layer, and that follow from the configuration.
const OLD_BUFFER: &str = ".rotary_emb.inv_freq";

fn starts(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Problems that one message lists.
const SHOWN: usize = 8;

/// Files of which a folder has one, the preferred first. The JSON files say which shards there are.
pub(super) const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let found = WEIGHTS.iter().find(|name| folder.join(name).is_file());
    let Some(name) = found else {
        return Err(CheckpointError::NoWeights {
            folder: folder.to_owned(),
        });
    };
    let path = folder.join(name);
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(vec![path]);
    }
    let text = std::fs::read_to_string(&path).map_err(|source| CheckpointError::Read {
        path: path.clone(),
        source,
    })?;
    let index: Index = serde_json::from_str(&text).map_err(|error| CheckpointError::Damaged {
        path: path.clone(),
        problem: error.to_string(),
    })?;
    let names: BTreeSet<&String> = index.weight_map.values().collect();
    if let Some(name) = names
        .iter()
        .find(|name| Path::new(name).components().count() != 1)
    {
        let problem = format!("`{name}` is not the name of a file beside it");
        return Err(CheckpointError::Damaged { path, problem });
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}
