//! Safetensors files and PyTorch's: headers checked before anything is believed, values read one tensor at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::tensor::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::checkpoint::CheckpointError;
use super::pickle::{self, Number};

/// The tensors of one or several files by name, none of them read yet.
#[derive(Debug)]
pub struct TensorFiles {
    files: Vec<PathBuf>,
    entries: BTreeMap<String, Entry>,
}

/// One tensor in a file.
#[derive(Debug)]
struct Entry {
    file: usize,
    float: Float,
    shape: Vec<usize>,
    /// Bytes from the start of the file.
    offset: u64,
    bytes: usize,
    /// Values between neighbours along each dimension, where they do not simply follow each other.
    strides: Option<Vec<usize>>,
}

/// A stored tensor's number format, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

/// The largest header the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

impl TensorFiles {
    /// Reads the headers of `files`: PyTorch's where a name ends in `.bin`, safetensors otherwise.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its header says.
    pub fn open(files: Vec<PathBuf>) -> Result<Self, CheckpointError> {
        let mut entries = BTreeMap::new();
        for (file, path) in files.iter().enumerate() {
            let is_pickle = path.extension().is_some_and(|extension| extension == "bin");
            let read = if is_pickle { read_pickle } else { read_header };
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

/// The tensors of one of PyTorch's files, without reading their values.
fn read_pickle(path: &Path, file: usize) -> Result<Vec<(String, Entry)>, CheckpointError> {
    let failed = |source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    };
    let mut reader = File::open(path).map_err(failed)?;
    let size = reader.metadata().map_err(failed)?.len();
    let tensors = pickle::read(&mut reader, size).map_err(|problem| CheckpointError::Unusable {
        path: path.to_owned(),
        problem,
    })?;
    let mut entries = Vec::new();
    for (name, tensor) in tensors {
        let float = match tensor.number {
            Number::F64 => Float::F64,
            Number::F32 => Float::F32,
            Number::F16 => Float::F16,
            Number::Bf16 => Float::Bf16,
            Number::Whole(_) => continue,
        };
        let strides = (!tensor.is_contiguous()).then_some(tensor.strides);
        entries.push((
            name,
            Entry {
                file,
                float,
                shape: tensor.shape,
                offset: tensor.offset,
                bytes: tensor.reach * usize::from(tensor.number.width()),
                strides,
            },
        ));
    }
    Ok(entries)
}

/// The tensors of one safetensors file, without reading their values.
fn read_header(path: &Path, file: usize) -> Result<Vec<(String, Entry)>, CheckpointError> {
    let failed = |source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    };
    let damaged = |problem: String| CheckpointError::Damaged {
        path: path.to_owned(),
        problem,
    };
    let mut reader = File::open(path).map_err(failed)?;
    let size = reader.metadata().map_err(failed)?.len();
    if size < 8 {
        return Err(damaged(format!("it is {size} bytes long")));
    }
    let mut length = [0; 8];
    reader.read_exact(&mut length).map_err(failed)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER.min(size - 8) {
        return Err(damaged(format!(
            "its header claims {length} bytes of {size}"
        )));
    }
    let mut header = Vec::new();
    reader
        .take(length)
        .read_to_end(&mut header)
        .map_err(failed)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| damaged(error.to_string()))?;
    let data = size - 8 - length;
    let expected = metadata.data_len() as u64;
    if expected != data {
        return Err(damaged(format!(
            "it holds {data} bytes of values where its header promises {expected}"
        )));
    }
    let mut entries = Vec::new();
    for (name, info) in metadata.tensors() {
        let float = match info.dtype {
            Dtype::F64 => Float::F64,
            Dtype::F32 => Float::F32,
            Dtype::F16 => Float::F16,
            Dtype::BF16 => Float::Bf16,
            // Position numbers and the like, which are no weights.
            _ => continue,
        };
        let (start, end) = info.data_offsets;
        let (offset, bytes) = (8 + length + start as u64, end - start);
        entries.push((
            name,
            Entry {
                file,
                float,
                shape: info.shape.clone(),
                offset,
                bytes,
                strides: None,
            },
        ));
    }
    Ok(entries)
}
