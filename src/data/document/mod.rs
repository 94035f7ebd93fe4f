//! Documents to search in: text files, read whole, cleaned and put into one Unicode form. Knows
//! nothing of chunks.

mod clean;
mod read;
mod unicode;
mod white_space;

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
    #[error("{}: line {line}: byte {byte} of the file is not UTF-8: save the file as UTF-8", .path.display())]
    Encoding {
        path: PathBuf,
        line: usize,
        byte: usize,
    },
    #[error("{}: the file is encoded as UTF-16: save it as UTF-8", .path.display())]
    Utf16 { path: PathBuf },
    #[error("{}: the document is empty: it has no words", .path.display())]
    Empty { path: PathBuf },
    #[error("{}: no text file in the folder or below: expected names that end in {}", .path.display(), endings())]
    NoFiles { path: PathBuf },
    #[error(
        "{url}: this version of ensayo cannot fetch documents: download it and give its path as `document.path`"
    )]
    Remote { url: String },
}

fn endings() -> String {
    let names = TEXT_ENDINGS.map(|ending| format!("`.{ending}`"));
    names.join(", ")
}

/// Reads the text, or the folder of texts, that the settings name, and does to each what they ask
/// for: the Unicode form first, then the cleaning.
///
/// # Errors
/// When a file cannot be read, is not UTF-8, or has no words.
pub fn prepare(settings: &Settings) -> Result<Vec<Source>, DocumentError> {
    let path = match &settings.origin {
        DocumentOrigin::Path(path) => path,
        DocumentOrigin::Url(url) => return Err(DocumentError::Remote { url: url.clone() }),
    };
    let mut sources = read(path)?;
    for source in &mut sources {
        source.text = match settings.unicode {
            Unicode::None => std::mem::take(&mut source.text),
            Unicode::Nfc => composed(&source.text),
            Unicode::Nfkc => composed_compatible(&source.text),
        };
        source.text = match settings.cleaning {
            Cleaning::None => std::mem::take(&mut source.text),
            Cleaning::Study => study(&source.text),
            Cleaning::Prose => prose(&source.text),
        };
        // Full stops alone are no words either, but the study's cleaning leaves one of them.
        if source
            .text
            .chars()
            .all(|letter| is_white_space(letter) || letter == '.')
        {
            return Err(DocumentError::Empty {
                path: source.path.clone(),
            });
        }
    }
    Ok(sources)
}
