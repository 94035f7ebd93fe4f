//! sentence-transformers' files are JSON, and most of them may be missing.

use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::SentenceFilesError;

/// A JSON file; `None` where there is none.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SentenceFilesError> {
    let path = || path.to_owned();
    let text = match fs::read_to_string(path()) {
        Ok(text) => text,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => {
            return Err(SentenceFilesError::Unreadable {
                path: path(),
                reason,
            });
        }
    };
    let value = serde_json::from_str(&text).map_err(|error| SentenceFilesError::Broken {
        path: path(),
        reason: error.to_string(),
    })?;
    Ok(Some(value))
}

/// A JSON file that must be there.
pub(super) fn required<T: DeserializeOwned>(path: &Path) -> Result<T, SentenceFilesError> {
    json(path)?.ok_or_else(|| SentenceFilesError::Unreadable {
        path: path.to_owned(),
        reason: io::ErrorKind::NotFound.into(),
    })
}
