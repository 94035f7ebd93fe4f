//! The header of a safetensors file (<https://github.com/huggingface/safetensors#format>).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::error::CheckpointError;
use super::tensor_files::{Entry, Float, Other, Stored};

/// The largest header the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors of one safetensors file, without reading their values.
pub(super) fn entries(path: &Path, file: usize) -> Result<Vec<(String, Stored)>, CheckpointError> {
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
            other => {
                let format = in_words(other);
                entries.push((name, Stored::Other(Other { file, format })));
                continue;
            }
        };
        let (start, end) = info.data_offsets;
        let (offset, bytes) = (8 + length + start as u64, end - start);
        entries.push((
            name,
            Stored::Values(Entry {
                file,
                float,
                shape: info.shape.clone(),
                offset,
                bytes,
                strides: None,
            }),
        ));
    }
    Ok(entries)
}

/// A number format that no weight is computed from, by what it is and by the name the file uses.
fn in_words(format: Dtype) -> &'static str {
    match format {
        Dtype::BOOL => "truth values (BOOL)",
        Dtype::F4 => "4-bit floating-point numbers (F4)",
        Dtype::F6_E2M3 | Dtype::F6_E3M2 => "6-bit floating-point numbers (F6)",
        Dtype::U8 => "8-bit integers (U8), which may be 4-bit numbers in pairs",
        Dtype::I8 => "8-bit integers (I8)",
        Dtype::F8_E5M2 => "8-bit floating-point numbers (F8_E5M2)",
        Dtype::F8_E4M3 => "8-bit floating-point numbers (F8_E4M3)",
        Dtype::F8_E8M0 => "8-bit exponents (F8_E8M0)",
        Dtype::I16 => "16-bit integers (I16)",
        Dtype::U16 => "16-bit integers (U16)",
        Dtype::I32 => "32-bit integers (I32)",
        Dtype::U32 => "32-bit integers (U32)",
        Dtype::I64 => "64-bit integers (I64)",
        Dtype::U64 => "64-bit integers (U64)",
        _ => "numbers of an unknown format",
    }
}
