//! The header of a safetensors file on the hub, read by ranges: which tensors there are, without
//! the tensors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::client::network;
use super::disk::At;
use super::http::{Request, host};
use super::refused::Refusal;
use super::{Hub, HubError, Observer};

/// Read at once; most headers are shorter.
const FIRST: u64 = 100_000;
/// Python's client refuses longer ones too.
const MOST: u64 = 25_000_000;

/// A tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// `F32`, `BF16` and the like.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<u64>,
}

impl Tensor {
    /// The number of its elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }
}

impl Hub {
    /// The tensors of a safetensors file.
    pub(super) fn tensors(
        &self,
        id: &str,
        commit: &str,
        file: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<Tensor>, HubError> {
        let damaged = |reason: &str| HubError::Damaged {
            repository: id.to_owned(),
            file: file.to_owned(),
            reason: reason.to_owned(),
        };
        let mut bytes = self.piece(id, commit, file, 0, FIRST, observer)?;
        let Some(length) = bytes.first_chunk::<8>() else {
            return Err(damaged("it is shorter than a safetensors header"));
        };
        let length = u64::from_le_bytes(*length);
        if !(2..=MOST).contains(&length) {
            return Err(damaged(
                "its first bytes are not those of a safetensors file",
            ));
        }
        let end = length + 8;
        if (bytes.len() as u64) < end {
            let more = self.piece(id, commit, file, bytes.len() as u64, end, observer)?;
            bytes.extend(more);
        }
        let header = usize::try_from(end).ok().and_then(|end| bytes.get(8..end));
        let header = header.ok_or_else(|| damaged("it ends within its header"))?;
        parse(header).map_err(|error| damaged(&error.to_string()))
    }

    /// The bytes from `first` up to `end`, or fewer where the file ends.
    fn piece(
        &self,
        id: &str,
        commit: &str,
        file: &str,
        first: u64,
        end: u64,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>, HubError> {
        let url = self.file_url(id, commit, file);
        let request = Request {
            token: self.token_for(&url),
            range: Some((first, Some(end - 1))),
            identity: true,
            ..Request::get(&url)
        };
        let answer = self.http.ask(&request, observer, |answer| {
            if answer.status == 200 {
                return Ok(Err((200, answer.headers, Vec::new())));
            }
            let (status, headers) = (answer.status, answer.first_headers.clone());
            let body = answer.read(end - first)?;
            Ok(if status == 206 {
                Ok(body)
            } else {
                Err((status, headers, body))
            })
        });
        match answer.map_err(|fault| network(id, fault))? {
            Ok(body) => Ok(body),
            // Reading a whole file of weights for its header is not what was asked for.
            Err((200, ..)) => Err(HubError::NotData {
                repository: id.to_owned(),
                file: Some(file.to_owned()),
                host: host(&url),
                what: "the whole file, or another one,".to_owned(),
            }),
            Err((status, headers, body)) => {
                let refusal = Refusal::new(id, host(&url), status, &headers, &body);
                let error = self.refused(&refusal.of_file(file), observer);
                Err(self.of_revision(error, commit, observer))
            }
        }
    }
}

/// The tensors of a safetensors file in a folder; `of` names the model in errors.
pub(super) fn tensors_of_file(
    of: &str,
    folder: &Path,
    file: &str,
) -> Result<Vec<Tensor>, HubError> {
    let path = folder.join(file);
    let damaged = |reason: &str| HubError::Damaged {
        repository: of.to_owned(),
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    let disk = |fault| HubError::Disk {
        repository: of.to_owned(),
        fault,
    };
    let read = || -> io::Result<(u64, Vec<u8>)> {
        let mut reader = File::open(&path)?;
        let mut first = Vec::new();
        reader.by_ref().take(8).read_to_end(&mut first)?;
        let length = first
            .first_chunk::<8>()
            .map_or(0, |&first| u64::from_le_bytes(first));
        let mut header = Vec::new();
        reader.take(length.min(MOST)).read_to_end(&mut header)?;
        Ok((length, header))
    };
    let (length, header) = read().at(&path).map_err(disk)?;
    if !(2..=MOST).contains(&length) {
        return Err(damaged(
            "its first bytes are not those of a safetensors file",
        ));
    }
    if header.len() as u64 != length {
        return Err(damaged("it ends within its header"));
    }
    parse(&header).map_err(|error| damaged(&error.to_string()))
}

fn parse(header: &[u8]) -> serde_json::Result<Vec<Tensor>> {
    #[derive(Deserialize)]
    struct Entry {
        dtype: String,
        shape: Vec<u64>,
    }
    let entries: BTreeMap<String, Value> = serde_json::from_slice(header)?;
    entries
        .into_iter()
        .filter(|(name, _)| name != "__metadata__")
        .map(|(name, entry)| {
            let Entry { dtype, shape } = serde_json::from_value(entry)?;
            Ok(Tensor { name, dtype, shape })
        })
        .collect()
}
