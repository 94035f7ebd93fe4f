//! Safetensors files and PyTorch's: headers checked before anything is believed, values read one
//! tensor at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use half::{bf16, f16};

use super::error::CheckpointError;
use super::{pickle, safetensors};

/// The tensors of one or several files by name, none of them read yet.
#[derive(Debug)]
pub struct TensorFiles {
    files: Vec<PathBuf>,
    entries: BTreeMap<String, Entry>,
}

/// One tensor in a file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) file: usize,
    pub(super) float: Float,
    pub(super) shape: Vec<usize>,
    /// Bytes from the start of the file.
    pub(super) offset: u64,
    pub(super) bytes: usize,
    /// Values between neighbours along each dimension, where they do not simply follow each other.
    pub(super) strides: Option<Vec<usize>>,
}

/// A stored tensor's number format, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

impl TensorFiles {
    /// Reads the headers of `files`: PyTorch's where a name ends in `.bin`, safetensors otherwise.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its header says.
    pub fn open(files: Vec<PathBuf>) -> Result<Self, CheckpointError> {
        let mut entries = BTreeMap::new();
        for (file, path) in files.iter().enumerate() {
            let is_pickle = path.extension().is_some_and(|extension| extension == "bin");
            let read = if is_pickle {
                pickle::entries
            } else {
                safetensors::entries
            };
            for (name, entry) in read(path, file)? {
                if entries.insert(name.clone(), entry).is_some() {
                    let problem = format!("it holds `{name}` a second time");
                    return Err(CheckpointError::Damaged {
                        path: path.clone(),
                        problem,
                    });
                }
            }
        }
        Ok(Self { files, entries })
    }

    /// Gives the tensors other names.
    pub fn rename(&mut self, rename: impl FnOnce(&mut [String])) {
        let (mut names, entries): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.entries).into_iter().unzip();
        rename(&mut names);
        self.entries = names.into_iter().zip(entries).collect();
    }

    /// Names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// A tensor's dimensions.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// A tensor's values as 32-bit floats, if it is there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<f32>>, CheckpointError> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(None);
        };
        let path = &self.files[entry.file];
        let failed = |source| CheckpointError::Read {
            path: path.clone(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(entry.offset)).map_err(failed)?;
        let mut bytes = vec![0; entry.bytes];
        file.read_exact(&mut bytes).map_err(failed)?;
        let values = decode(&bytes, entry.float);
        Ok(Some(match &entry.strides {
            Some(strides) => in_order(&values, &entry.shape, strides),
            None => values,
        }))
    }
}

/// The values of a tensor row by row, from a stretch in which they lie `strides` apart.
fn in_order(stretch: &[f32], shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let mut places = vec![0];
    for (&size, &stride) in shape.iter().zip(strides) {
        places = places
            .into_iter()
            .flat_map(|place| (0..size).map(move |index| place + index * stride))
            .collect();
    }
    places.into_iter().map(|place| stretch[place]).collect()
}

#[allow(clippy::cast_possible_truncation)]
fn decode(bytes: &[u8], float: Float) -> Vec<f32> {
    match float {
        Float::F64 => values(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        Float::F32 => values(bytes, f32::from_le_bytes),
        Float::F16 => values(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Float::Bf16 => values(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
    }
}

fn values<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&chunk| value(chunk))
        .collect()
}
