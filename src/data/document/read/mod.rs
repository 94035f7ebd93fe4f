//! Text files from disk: one, or those of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::DocumentError;
use crate::content::is_text;
use crate::data::foreign::{Use, foreign, misread};

/// A text of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its file.
    pub path: PathBuf,
    /// What it says: without a byte order mark, and with a line feed at each line's end, whatever
    /// the file has.
    pub text: String,
}

/// Reads a file, or every file of a folder and below whose ending is one of a text
/// ([`TEXT_ENDINGS`](crate::content::TEXT_ENDINGS)), by name; each may be one that cannot be read
/// or is not UTF-8. Hidden files do not count.
///
/// # Errors
/// When the folder cannot be looked through, or has none.
pub fn read(path: &Path) -> Result<Vec<Result<Source, DocumentError>>, DocumentError> {
    if !path.is_dir() {
        return Ok(vec![file(path)]);
    }
    let mut sources = Vec::new();
    let visible = |name: &std::ffi::OsStr| !name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(path).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || visible(entry.file_name())) {
        let unreadable = |error: walkdir::Error| DocumentError::Unreadable {
            path: error.path().unwrap_or(path).to_owned(),
            reason: error.into(),
        };
        match entry {
            Ok(entry) if !entry.path().is_dir() && is_text(entry.path()) => {
                sources.push(file(entry.path()));
            }
            Ok(_) => {}
            Err(error) if error.depth() == 0 => return Err(unreadable(error)),
            Err(error) => sources.push(Err(unreadable(error))),
        }
    }
    if sources.is_empty() {
        return Err(DocumentError::NoFiles {
            path: path.to_owned(),
        });
    }
    Ok(sources)
}

fn file(path: &Path) -> Result<Source, DocumentError> {
    let unreadable = |reason| DocumentError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    // A pipe would be waited for without an end.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(DocumentError::NoFile {
            path: path.to_owned(),
        });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    if let Some(what) = foreign(path, &bytes, Use::Text) {
        return Err(DocumentError::Foreign {
            path: path.to_owned(),
            what,
        });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..byte]
            .split(|&byte| byte == b'\n')
            .count();
        DocumentError::Encoding {
            path: path.to_owned(),
            line,
            byte,
            hint: misread(path, error.as_bytes()),
        }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // As Python reads text files.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Ok(Source {
        path: path.to_owned(),
        text,
    })
}

#[cfg(test)]
mod tests;
