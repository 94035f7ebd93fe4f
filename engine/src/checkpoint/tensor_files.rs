//! Safetensors files and PyTorch's: headers checked before anything is believed, values read one
//! tensor at a time, and only finite ones.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytemuck::{Pod, cast_slice_mut};
use half::{bf16, f16};
use rayon::prelude::*;

use super::error::CheckpointError;
use super::{pickle, safetensors};

/// The tensors of one or several files by name, none of them read yet.
#[derive(Debug)]
pub struct TensorFiles {
    files: Vec<PathBuf>,
    entries: BTreeMap<String, Entry>,
    others: BTreeMap<String, Other>,
}

/// A tensor as a file's header describes it.
#[derive(Debug)]
pub(super) enum Stored {
    /// Floating-point numbers, which can be read.
    Values(Entry),
    /// Anything else: position numbers, truth values, quantised weights.
    Other(Other),
}

/// A tensor whose numbers are not those of a weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Other {
    pub(super) file: usize,
    /// What it holds, such as `8-bit integers (I8)`.
    pub(super) format: &'static str,
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
pub enum Float {
    /// 64 bits.
    F64,
    /// 32 bits.
    F32,
    /// 16 bits by IEEE 754.
    F16,
    /// The upper half of 32 bits.
    Bf16,
}

/// A number format that weights are computed with.
pub trait Number: Pod + Send + Sync {
    /// How files store it.
    #[doc(hidden)]
    const STORED: Float;

    /// The nearest to a number of 32 bits.
    fn nearest(value: f32) -> Self;

    /// The number in 32 bits.
    fn wide(self) -> f32;
}

impl Number for f32 {
    const STORED: Float = Float::F32;

    fn nearest(value: f32) -> Self {
        value
    }

    fn wide(self) -> f32 {
        self
    }
}

impl Number for f16 {
    const STORED: Float = Float::F16;

    fn nearest(value: f32) -> Self {
        Self::from_f32(value)
    }

    fn wide(self) -> f32 {
        self.to_f32()
    }
}

impl Number for bf16 {
    const STORED: Float = Float::Bf16;

    fn nearest(value: f32) -> Self {
        Self::from_f32(value)
    }

    fn wide(self) -> f32 {
        Self::to_f32(self)
    }
}

impl TensorFiles {
    /// Reads the headers of `files`: PyTorch's where a name ends in `.bin`, safetensors otherwise.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its header says.
    pub fn open(files: Vec<PathBuf>) -> Result<Self, CheckpointError> {
        let (mut entries, mut others) = (BTreeMap::new(), BTreeMap::new());
        for (file, path) in files.iter().enumerate() {
            let is_pickle = path.extension().is_some_and(|extension| extension == "bin");
            let read = if is_pickle {
                pickle::entries
            } else {
                safetensors::entries
            };
            for (name, stored) in read(path, file)? {
                let again = match stored {
                    Stored::Values(entry) => entries.insert(name.clone(), entry).is_some(),
                    Stored::Other(other) => others.insert(name.clone(), other).is_some(),
                };
                if again {
                    let problem = format!("it holds `{name}` a second time");
                    return Err(CheckpointError::Damaged {
                        path: path.clone(),
                        problem,
                    });
                }
            }
        }
        Ok(Self {
            files,
            entries,
            others,
        })
    }

    /// Gives the tensors other names. `rename` sees all of them at once.
    ///
    /// # Errors
    /// When two tensors would have the same name.
    pub fn rename(&mut self, rename: impl FnOnce(&mut [String])) -> Result<(), CheckpointError> {
        let (old, entries): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.entries).into_iter().unzip();
        let (old_others, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.others).into_iter().unzip();
        let mut names = [old.as_slice(), &old_others].concat();
        rename(&mut names);
        let of_others = names.split_off(old.len());
        for ((new, entry), old) in names.into_iter().zip(entries).zip(old) {
            let path = &self.files[entry.file];
            if self.entries.contains_key(&new) {
                let problem = format!("it holds `{new}` twice, once as `{old}`");
                let path = path.clone();
                return Err(CheckpointError::Unusable { path, problem });
            }
            self.entries.insert(new, entry);
        }
        self.others = of_others.into_iter().zip(others).collect();
        Ok(())
    }

    /// Forgets a tensor.
    pub(super) fn forget(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// The file of a tensor that is no floating-point numbers, and what it holds instead.
    pub(super) fn other(&self, name: &str) -> Option<(&Path, &'static str)> {
        let other = self.others.get(name)?;
        Some((&self.files[other.file], other.format))
    }

    /// Names of floating-point tensors in alphabetical order.
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
    /// When the file cannot be read, or a value is not a finite number.
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
        let values = match &entry.strides {
            Some(strides) => in_order(&values, &entry.shape, strides),
            None => values,
        };
        entry.refuse_endless(name, path, &values, 0)?;
        Ok(Some(values))
    }

    /// A tensor's values in a number format, if it is there. They take no more memory than they
    /// have in that format.
    ///
    /// # Errors
    /// When the file cannot be read, or a value is not a finite number.
    pub fn read_in<T: Number>(&self, name: &str) -> Result<Option<Vec<T>>, CheckpointError> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(None);
        };
        if entry.strides.is_some() {
            let wide = self.read(name)?.unwrap_or_default();
            let mut values = vec![T::zeroed(); wide.len()];
            entry.narrow(name, &self.files[entry.file], &wide, &mut values, 0)?;
            return Ok(Some(values));
        }
        let path = &self.files[entry.file];
        let failed = |source| CheckpointError::Read {
            path: path.clone(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(entry.offset)).map_err(failed)?;
        let mut values = vec![T::zeroed(); entry.shape.iter().product()];
        if entry.float == T::STORED && cfg!(target_endian = "little") {
            for values in values.chunks_mut(STRETCH) {
                file.read_exact(cast_slice_mut(values)).map_err(failed)?;
            }
            let endless = values
                .par_iter()
                .position_first(|value| !value.wide().is_finite());
            return match endless {
                Some(place) => Err(entry.endless(name, path, values[place].wide(), place)),
                None => Ok(Some(values)),
            };
        }
        let width = entry.float.bytes();
        let mut stretch = vec![0; STRETCH * width];
        let mut seen = 0;
        for values in values.chunks_mut(STRETCH) {
            let bytes = &mut stretch[..values.len() * width];
            file.read_exact(bytes).map_err(failed)?;
            let wide = decode(bytes, entry.float);
            entry.refuse_endless(name, path, &wide, seen)?;
            entry.narrow(name, path, &wide, values, seen)?;
            seen += wide.len();
        }
        Ok(Some(values))
    }

    /// Whether all values of a tensor are finite numbers, without keeping them.
    ///
    /// # Errors
    /// When the file cannot be read, or one is not.
    pub fn check_values(&self, name: &str) -> Result<(), CheckpointError> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(());
        };
        if entry.strides.is_some() {
            return self.read(name).map(drop);
        }
        let path = &self.files[entry.file];
        let failed = |source| CheckpointError::Read {
            path: path.clone(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(entry.offset)).map_err(failed)?;
        let mut stretch = vec![0; STRETCH.min(entry.bytes)];
        let (mut left, mut seen) = (entry.bytes, 0);
        while left > 0 {
            let bytes = &mut stretch[..STRETCH.min(left)];
            file.read_exact(bytes).map_err(failed)?;
            let values = decode(bytes, entry.float);
            entry.refuse_endless(name, path, &values, seen)?;
            left -= bytes.len();
            seen += values.len();
        }
        Ok(())
    }
}

/// Bytes, or values, that are looked at together; a whole number of values of each format.
const STRETCH: usize = 1 << 20;

impl Entry {
    /// Refuses NaN and infinity in values of which `before` others came first.
    fn refuse_endless(
        &self,
        name: &str,
        path: &Path,
        values: &[f32],
        before: usize,
    ) -> Result<(), CheckpointError> {
        let Some(place) = values.iter().position(|value| !value.is_finite()) else {
            return Ok(());
        };
        Err(self.endless(name, path, values[place], before + place))
    }

    /// Rounds values, of which `before` others came first, to a number format that holds them all.
    fn narrow<T: Number>(
        &self,
        name: &str,
        path: &Path,
        wide: &[f32],
        values: &mut [T],
        before: usize,
    ) -> Result<(), CheckpointError> {
        for (value, wide) in values.iter_mut().zip(wide) {
            *value = T::nearest(*wide);
        }
        let Some(place) = values.iter().position(|value| !value.wide().is_finite()) else {
            return Ok(());
        };
        Err(CheckpointError::Unusable {
            path: path.to_owned(),
            problem: format!(
                "`{name}` holds {} at {:?}, which is too large for the number format: use precision \"bf16\" or \"f32\"",
                wide[place],
                self.coordinates(before + place)
            ),
        })
    }

    /// The error of a value that is NaN or infinite.
    fn endless(&self, name: &str, path: &Path, value: f32, place: usize) -> CheckpointError {
        CheckpointError::NotFinite {
            path: path.to_owned(),
            tensor: name.to_owned(),
            value: if value.is_nan() {
                "NaN"
            } else {
                "an infinite value"
            },
            place: self.coordinates(place),
        }
    }

    /// The indices of a value by its place in the row-major order.
    fn coordinates(&self, mut place: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = self
            .shape
            .iter()
            .rev()
            .map(|&size| {
                let index = place % size.max(1);
                place /= size.max(1);
                index
            })
            .collect();
        indices.reverse();
        indices
    }
}

impl Float {
    /// Bytes of a number.
    fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
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
