//! What `torch.save` writes of a state dict: a zip archive with a pickle that describes the tensors
//! and a file of values for each storage.
//!
//! Nothing in the file is executed. Every storage's length and every tensor's reach into it are
//! checked before a value is read.

mod archive;
mod globals;
mod machine;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use archive::{Archive, Stretch, take};
use globals::{Number, Tensor};
use machine::Value;

use super::error::CheckpointError;
use super::tensor_files::{Entry, Float, Other, Stored};

/// The largest pickle that is read; a checkpoint of a thousand tensors has one of 200 kB.
const LARGEST_PICKLE: u64 = 16 << 20;

/// A tensor in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredTensor {
    /// Its number format, little-endian.
    number: Number,
    /// Its dimensions.
    shape: Vec<usize>,
    /// Values between neighbours, for each dimension.
    strides: Vec<usize>,
    /// Bytes from the start of the file to its first value.
    offset: u64,
    /// Values from its first to its last, both included; 0 where it has none.
    reach: usize,
}

impl StoredTensor {
    /// Whether its values lie one after the other.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        // Where there are values, there are at least as many as the sizes multiply to.
        self.reach == 0
            || self
                .shape
                .iter()
                .zip(&self.strides)
                .rev()
                .all(|(&size, &stride)| {
                    let fits = size == 1 || stride == expected;
                    expected *= size;
                    fits
                })
    }
}

/// The tensors of one of PyTorch's files, without reading their values.
pub(super) fn entries(path: &Path, file: usize) -> Result<Vec<(String, Stored)>, CheckpointError> {
    let failed = |source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    };
    let mut reader = File::open(path).map_err(failed)?;
    let size = reader.metadata().map_err(failed)?.len();
    let tensors = read(&mut reader, size).map_err(|problem| CheckpointError::Unusable {
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
            Number::Whole(width) => {
                let format = match width {
                    1 => "8-bit integers",
                    2 => "16-bit integers",
                    4 => "32-bit integers",
                    _ => "64-bit integers",
                };
                entries.push((name, Stored::Other(Other { file, format })));
                continue;
            }
        };
        let strides = (!tensor.is_contiguous()).then_some(tensor.strides);
        entries.push((
            name,
            Stored::Values(Entry {
                file,
                float,
                shape: tensor.shape,
                offset: tensor.offset,
                bytes: tensor.reach * usize::from(tensor.number.width()),
                strides,
            }),
        ));
    }
    Ok(entries)
}

/// The tensors of a file of `size` bytes, by name.
fn read(
    file: &mut (impl Read + Seek),
    size: u64,
) -> Result<BTreeMap<String, StoredTensor>, String> {
    is_archive(&take(file, 0, size.min(16), size)?)?;
    let archive = Archive::read(file, size)?;
    let pickles: Vec<&str> = archive
        .names()
        .filter(|name| name.ends_with("/data.pkl"))
        .collect();
    let &[pickle] = pickles.as_slice() else {
        return Err(format!(
            "it holds {} files called data.pkl where PyTorch writes one",
            pickles.len()
        ));
    };
    let folder = pickle.trim_end_matches("data.pkl").to_owned();
    let content = |file: &mut _, name: &str, limit: u64| match archive.find(name)? {
        Some(stretch) if stretch.size > limit => Err(format!(
            "`{name}` takes {} bytes, which is beyond any checkpoint",
            stretch.size
        )),
        Some(stretch) => take(file, stretch.start, stretch.size, size).map(Some),
        None => Ok(None),
    };
    if let Some(order) = content(file, &format!("{folder}byteorder"), 16)?
        && order != b"little"
    {
        return Err("its values are stored in big-endian order".to_owned());
    }
    let pickle = content(file, pickle, LARGEST_PICKLE)?.unwrap_or_default();

    let (values, top) = machine::run(&pickle)?;
    let Value::Dict(entries) = values.get(top) else {
        return Err(format!(
            "it holds {}, not a state dict",
            values.get(top).kind()
        ));
    };
    let mut storages: HashMap<&str, Stretch> = HashMap::new();
    let mut tensors = BTreeMap::new();
    for &(name, value) in entries {
        let Some(name) = values.text(name) else {
            return Err(format!(
                "it has a key that is {}, not a tensor's name",
                values.get(name).kind()
            ));
        };
        let Value::Tensor(tensor) = values.get(value) else {
            return Err(format!(
                "`{name}` is {}, not a tensor; save the state dict alone",
                values.get(value).kind()
            ));
        };
        let key = values.text(tensor.storage.key).unwrap_or_default();
        let storage = if let Some(&storage) = storages.get(key) {
            storage
        } else {
            let storage = archive
                .find(&format!("{folder}data/{key}"))?
                .ok_or_else(|| format!("the values of `{name}` are missing"))?;
            storages.insert(key, storage);
            storage
        };
        let stored = locate(tensor, storage).map_err(|problem| format!("`{name}` {problem}"))?;
        tensors.insert(name.to_owned(), stored);
    }
    Ok(tensors)
}

fn is_archive(start: &[u8]) -> Result<(), String> {
    // The number that older versions wrote first, as a pickle of its own.
    const LEGACY: [u8; 14] = [
        0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
    ];
    if start.starts_with(b"PK\x03\x04") {
        Ok(())
    } else if start.starts_with(&LEGACY) {
        Err("it is in the format PyTorch wrote before version 1.6; load it with torch and save it again".to_owned())
    } else {
        Err("it is not what torch.save writes".to_owned())
    }
}

/// Checks a tensor against its storage and says where it lies.
fn locate(tensor: &Tensor, storage: Stretch) -> Result<StoredTensor, String> {
    let Tensor {
        storage: claimed,
        offset,
        shape,
        strides,
    } = tensor;
    let width = u64::from(claimed.number.width());
    if claimed.elements.checked_mul(width) != Some(storage.size) {
        return Err(format!(
            "has a storage of {} values of {width} bytes each, but the file holds {} bytes of it",
            claimed.elements, storage.size
        ));
    }
    let count = shape
        .iter()
        .try_fold(1_u64, |count, &size| count.checked_mul(size));
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(*offset, |last, (&size, &stride)| {
            last.checked_add(size.saturating_sub(1).checked_mul(stride)?)
        });
    let reach = match (count, last) {
        (Some(0), _) => 0,
        (Some(count), Some(last)) if last < claimed.elements => {
            if count > claimed.elements {
                return Err(format!(
                    "is an expanded view: {count} values of which {} are stored; save a copy of it",
                    claimed.elements
                ));
            }
            last - offset + 1
        }
        _ => {
            return Err(format!(
                "of shape {shape:?}, strides {strides:?} and offset {offset} reaches beyond its {} values",
                claimed.elements
            ));
        }
    };
    let sizes = |values: &[u64]| -> Result<Vec<usize>, String> {
        let sizes = values.iter().map(|&value| usize::try_from(value));
        sizes
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())
    };
    Ok(StoredTensor {
        number: claimed.number,
        shape: sizes(shape)?,
        strides: sizes(strides)?,
        offset: if reach == 0 {
            storage.start
        } else {
            storage.start + offset * width
        },
        reach: usize::try_from(reach).map_err(|error| error.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<BTreeMap<String, StoredTensor>, String> {
        read(&mut Cursor::new(bytes), bytes.len() as u64)
    }

    #[test]
    fn damaged_files_never_panic_and_never_reach_beyond_their_end() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/pytorch-bin");
        let mut state = 0x1234_5678_9abc_def1_u64;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from((state >> 33) % bound as u64).unwrap()
        };
        for name in ["odd.bin", "plain-dict.bin", "protocol-4.bin"] {
            let whole = std::fs::read(format!("{folder}/{name}")).unwrap();
            assert_eq!(read_bytes(&whole).unwrap().len(), 20);
            for length in 0..whole.len() {
                assert!(read_bytes(&whole[..length]).is_err(), "{name} {length}");
            }
            let (mut refused, mut read) = (0, 0);
            for _ in 0..20_000 {
                let mut damaged = whole.clone();
                for _ in 0..=below(4) {
                    let place = below(damaged.len());
                    damaged[place] = u8::try_from(below(256)).unwrap();
                }
                let Ok(tensors) = read_bytes(&damaged) else {
                    refused += 1;
                    continue;
                };
                read += 1;
                for tensor in tensors.values() {
                    let bytes = tensor.reach as u64 * u64::from(tensor.number.width());
                    assert!(tensor.offset + bytes <= damaged.len() as u64);
                    assert!(tensor.shape.iter().product::<usize>() <= damaged.len());
                }
            }
            assert!(
                refused > 1000 && read > 1000,
                "{name}: {refused} refused, {read} read"
            );
        }
    }
}
