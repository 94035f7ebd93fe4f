//! The tensors of an adapter's folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{AdapterError, PREFIX, TENSORS_FILE};
use crate::checkpoint::TensorFiles;

/// The tensors of an adapter, each taken once, by the names of the modules without PEFT's prefix.
#[derive(Debug)]
pub struct AdapterTensors {
    path: PathBuf,
    files: TensorFiles,
    unused: BTreeSet<String>,
}

impl AdapterTensors {
    /// Opens the file of tensors in an adapter's folder: safetensors, or a pickle as older versions
    /// of PEFT wrote.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn open(folder: &Path) -> Result<Self, AdapterError> {
        let path = [TENSORS_FILE, "adapter_model.bin"]
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
            .unwrap_or_else(|| folder.join(TENSORS_FILE));
        let files = TensorFiles::open(vec![path.clone()])?;
        let unused = files.names().map(str::to_owned).collect();
        Ok(Self {
            path,
            files,
            unused,
        })
    }

    /// The error of an adapter that was made for another network.
    #[must_use]
    pub fn mismatch(&self, problem: String) -> AdapterError {
        AdapterError::Mismatch {
            path: self.path.clone(),
            problem,
        }
    }

    /// Leaves out the tensors of a module, so that they count as taken.
    pub fn leave_out(&mut self, module: &str) {
        let start = format!("{PREFIX}{module}.");
        self.unused.retain(|name| !name.starts_with(&start));
    }

    /// Whether it has a tensor that has not been taken.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.unused.contains(&format!("{PREFIX}{name}"))
    }

    /// A tensor's dimensions.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.files.shape(&format!("{PREFIX}{name}"))
    }

    /// The first of the tensors that have not been taken, under its full name.
    #[must_use]
    pub fn left_over(&self) -> Option<&str> {
        self.unused.first().map(String::as_str)
    }

    /// A tensor's values, if it is there; it must have the shape that the model needs.
    ///
    /// # Errors
    /// When the file cannot be read, the shape is another, or the values are not finite
    /// floating-point numbers.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, AdapterError> {
        let name = format!("{PREFIX}{name}");
        if let Some((_, format)) = self.files.other(&name) {
            return Err(self.mismatch(format!("`{name}` is stored as {format}")));
        }
        if !self.unused.remove(&name) {
            return Ok(None);
        }
        let stored = self.files.shape(&name).unwrap_or_default();
        if stored != shape {
            return Err(self.mismatch(format!(
                "`{name}` has the shape {stored:?}, the model needs {shape:?}"
            )));
        }
        Ok(self.files.read(&name)?)
    }
}
