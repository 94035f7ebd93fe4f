//! The header of a safetensors file (<https://github.com/huggingface/safetensors#format>).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::error::CheckpointError;
use super::tensor_files::{Entry, Float};

/// The largest header the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors of one safetensors file, without reading their values.
pub(super) fn entries(path: &Path, file: usize) -> Result<Vec<(String, Entry)>, CheckpointError> {
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
