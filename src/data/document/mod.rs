//! Documents to search in: text files, read whole, cleaned and put into one Unicode form. Knows
//! nothing of chunks.

mod clean;
mod read;
mod unicode;
mod white_space;

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

pub use clean::{prose, study};
pub use read::{Source, read};
pub use unicode::{composed, composed_compatible};
pub use white_space::{is_white_space, words};

use crate::config::{Cleaning, Document as Settings, DocumentOrigin, Unicode};
use crate::content::TEXT_ENDINGS;

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum DocumentError {
    #[error("{}: cannot be read: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{}: not a file but a pipe or a device: write what it gives into a file", .path.display())]
    NoFile { path: PathBuf },
    #[error("{}: {what}", .path.display())]
    Foreign { path: PathBuf, what: String },
    #[error("{}: line {line}: byte {byte} of the file is not UTF-8; {hint}", .path.display())]
    Encoding {
        path: PathBuf,
        line: usize,
        byte: usize,
        hint: String,
    },
    #[error("{}: the document is empty: it has no words", .path.display())]
    Empty { path: PathBuf },
    #[error("{}: no text file in the folder or below: expected names that end in {}", .path.display(), endings())]
    NoFiles { path: PathBuf },
    #[error("{url} is not fetched: `ensayo fetch` with the experiment's name brings it")]
    Remote { url: String },
}

fn endings() -> String {
    let names = TEXT_ENDINGS.map(|ending| format!("`.{ending}`"));
    names.join(", ")
}

/// A document, ready to be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Its texts, at least one.
    pub sources: Vec<Source>,
    /// The same texts as their files have them.
    pub written: Vec<String>,
    /// Files of a folder that were left out, and why.
    pub notes: Vec<String>,
}

/// Reads the text, or the folder of texts, that the settings name, and does to each what they ask
/// for: the Unicode form first, then the cleaning. A file of a folder that cannot be used is left
/// out.
///
/// # Errors
/// When the file cannot be read, is not UTF-8, or has no words; of a folder, when that holds for
/// all of its files.
pub fn prepare(settings: &Settings) -> Result<Prepared, DocumentError> {
    let path = match &settings.origin {
        DocumentOrigin::Path(path) => path,
        DocumentOrigin::Url(url) => return Err(DocumentError::Remote { url: url.clone() }),
    };
    let found = read(path)?;
    let mut prepared = Prepared {
        sources: Vec::new(),
        written: Vec::new(),
        notes: Vec::new(),
    };
    let mut first = None;
    for source in found {
        let source = source.and_then(|source| {
            let cleaned = clean(settings, &source);
            // Full stops alone are no words either, but the study's cleaning leaves one of them.
            if cleaned
                .chars()
                .all(|letter| is_white_space(letter) || letter == '.')
            {
                return Err(DocumentError::Empty { path: source.path });
            }
            Ok((source, cleaned))
        });
        match source {
            Ok((Source { path, text }, cleaned)) => {
                prepared.written.push(text);
                let text = cleaned;
                prepared.sources.push(Source { path, text });
            }
            Err(fault) => {
                prepared.notes.push(format!("left out: {fault}"));
                first.get_or_insert(fault);
            }
        }
    }
    match first {
        Some(fault) if prepared.sources.is_empty() => Err(fault),
        _ => Ok(prepared),
    }
}

fn clean(settings: &Settings, source: &Source) -> String {
    let unified = match settings.unicode {
        Unicode::None => Cow::Borrowed(&source.text),
        Unicode::Nfc => Cow::Owned(composed(&source.text)),
        Unicode::Nfkc => Cow::Owned(composed_compatible(&source.text)),
    };
    match settings.cleaning {
        Cleaning::None => unified.into_owned(),
        Cleaning::Study => study(&unified),
        Cleaning::Prose => prose(&unified),
    }
}
