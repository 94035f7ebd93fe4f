//! What inputs are, by their content: their hashes, and what is kept under them.

mod inputs;
mod mark;
mod token_cache;

use std::path::Path;

pub use inputs::{ContentError, Contents, Files, sha256};
pub(crate) use token_cache::TokenCache;

/// Endings of the files of a folder that belong to a document.
pub const TEXT_ENDINGS: [&str; 5] = ["txt", "text", "md", "markdown", "rst"];

/// Whether a file of a folder belongs to a document, by its ending.
#[must_use]
pub fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        TEXT_ENDINGS
            .iter()
            .any(|ending| extension.eq_ignore_ascii_case(ending))
    })
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
