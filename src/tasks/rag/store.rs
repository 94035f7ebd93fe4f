//! Vectors on disk, so that runs which differ in metric, `top_k` or questions compute them once.
//!
//! A file is a line of JSON (the header) and the values, little-endian, row after row. The header
//! has the values' sha256; a file that does not match it is damaged and is made again. Writers take
//! turns, so that jobs side by side do not compute the same.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use engine::retrieval::Vectors;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::content::hex;
use crate::record::{RecordError, embeddings_file, write_atomically};

/// Version of the file's layout, and of how texts become vectors.
const VERSION: u32 = 1;
/// Bytes that are in memory at a time when a file is read.
const BLOCK: usize = 16 << 20;

/// What is known of the texts and their embedder beside the vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Tokens of each text with the special ones, before anything was cut.
    pub(super) tokens: Vec<usize>,
    /// Tokens of a text that the embedder reads.
    pub(super) max_seq_length: usize,
    /// What a reader of the results should know of the embedder.
    pub(super) notes: Vec<String>,
}

/// What a file says before its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    version: u32,
    rows: usize,
    width: usize,
    #[serde(flatten)]
    facts: Facts,
    sha256: String,
}

/// The vectors of some texts, on disk.
#[derive(Debug)]
pub(super) struct Stored {
    header: Header,
    path: PathBuf,
    start: u64,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// There is none.
    Missing,
    /// Another version of ensayo wrote it.
    OtherVersion(u32),
    /// It is not what was written.
    Damaged(String),
}

impl Unusable {
    /// What the user should know of it.
    pub(super) fn note(&self, path: &Path) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::OtherVersion(version) => Some(format!(
                "{}: vectors in the cache are of version {version}, but this ensayo writes version {VERSION}: computed again",
                path.display()
            )),
            Self::Damaged(reason) => Some(format!(
                "{}: vectors in the cache are damaged ({reason}): computed again",
                path.display()
            )),
        }
    }
}

/// A place in the cache, held until dropped, so that no other process computes the same.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    _lock: File,
}

impl Place {
    /// Waits for the place of a key.
    pub(super) fn take(results: &Path, key: &str) -> Result<Self, RecordError> {
        let path = embeddings_file(results, key);
        let lock = path.with_extension("lock");
        let open = || {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            let file = File::create(&lock)?;
            file.lock().map(|()| file)
        };
        let lock = open().map_err(|source| RecordError::Write {
            path: lock.clone(),
            source,
        })?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands there, checked.
    pub(super) fn read(&self) -> Result<Stored, Unusable> {
        Stored::open(&self.path)
    }

    /// Writes vectors, whole or not at all.
    pub(super) fn write(&self, vectors: &Vectors, facts: Facts) -> Result<(), RecordError> {
        let values: Vec<u8> = vectors
            .values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let header = Header {
            version: VERSION,
            rows: vectors.len(),
            width: vectors.width,
            facts,
            sha256: hex(&Sha256::digest(&values)),
        };
        let mut content = serde_json::to_vec(&header).unwrap_or_default();
        content.push(b'\n');
        content.extend(values);
        write_atomically(&self.path, &content)
    }
}

impl Stored {
    fn open(path: &Path) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unusable::Missing),
            file => file.map_err(damaged)?,
        };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).map_err(damaged)?;
        let version: Version = serde_json::from_slice(&line).map_err(damaged)?;
        if version.version != VERSION {
            return Err(Unusable::OtherVersion(version.version));
        }
        let header: Header = serde_json::from_slice(&line).map_err(damaged)?;
        let stored = Self {
            header,
            path: path.to_owned(),
            start: line.len() as u64,
        };
        let (mut sum, mut count) = (Sha256::new(), 0);
        stored
            .bytes(&mut |bytes| {
                sum.update(bytes);
                count += bytes.len();
            })
            .map_err(damaged)?;
        let values = stored.header.rows.checked_mul(stored.header.width);
        if Some(count) != values.and_then(|values| values.checked_mul(4))
            || stored.header.facts.tokens.len() != stored.header.rows
        {
            return Err(damaged("its length"));
        }
        if hex(&sum.finalize()) != stored.header.sha256 {
            return Err(damaged("its checksum"));
        }
        Ok(stored)
    }

    /// What is known of the texts beside their vectors.
    pub(super) fn facts(&self) -> &Facts {
        &self.header.facts
    }

    pub(super) fn width(&self) -> usize {
        self.header.width
    }

    /// Calls `each` with whole rows, a block at a time.
    pub(super) fn blocks(&self, mut each: impl FnMut(Vec<f32>)) -> Result<(), RecordError> {
        let read = self.bytes(&mut |bytes| {
            each(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&value| f32::from_le_bytes(value))
                    .collect(),
            );
        });
        read.map_err(|source| RecordError::Read {
            path: self.path.clone(),
            source,
        })
    }

    fn bytes(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(self.start))?;
        let row = self.header.width.max(1).saturating_mul(4);
        let rows = (BLOCK / row).max(1);
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            (&mut file)
                .take((rows * row) as u64)
                .read_to_end(&mut buffer)?;
            if buffer.is_empty() {
                return Ok(());
            }
            each(&buffer);
        }
    }
}

fn damaged(reason: impl std::fmt::Display) -> Unusable {
    Unusable::Damaged(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> Vectors {
        Vectors {
            width: 3,
            values: vec![1.0, 2.0, f32::NAN, -0.0, 5.0, 6.0],
        }
    }

    fn facts() -> Facts {
        Facts {
            tokens: vec![7, 8],
            max_seq_length: 128,
            notes: vec!["mean pooling".to_owned()],
        }
    }

    #[test]
    fn vectors_read_back_bit_by_bit() {
        let results = tempfile::tempdir().unwrap();
        let place = Place::take(results.path(), "key").unwrap();
        assert_eq!(place.read().unwrap_err(), Unusable::Missing);
        place.write(&vectors(), facts()).unwrap();
        let stored = place.read().unwrap();
        assert_eq!((stored.facts(), stored.width()), (&facts(), 3));
        let mut values = Vec::new();
        stored.blocks(|block| values.extend(block)).unwrap();
        let bits = |values: &[f32]| {
            values
                .iter()
                .map(|value| value.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&values), bits(&vectors().values));
    }

    #[test]
    fn what_was_not_written_so_is_told_apart() {
        let results = tempfile::tempdir().unwrap();
        let place = Place::take(results.path(), "key").unwrap();
        place.write(&vectors(), facts()).unwrap();
        let whole = fs::read(place.path()).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let newer = String::from_utf8_lossy(&whole).replacen("\"version\":1", "\"version\":2", 1);
        let wide = String::from_utf8_lossy(&whole).replacen(
            "\"width\":3",
            "\"width\":4611686018427387904",
            1,
        );
        for (content, wanted) in [
            (&flipped[..], "checksum"),
            (&whole[..whole.len() - 1], "length"),
            (b"nonsense", "damaged"),
            (newer.as_bytes(), "version 2"),
            (wide.as_bytes(), "length"),
        ] {
            fs::write(place.path(), content).unwrap();
            let note = place.read().unwrap_err().note(place.path()).unwrap();
            assert!(
                note.contains(wanted) && note.ends_with("computed again"),
                "{note}"
            );
        }
    }
}
