//! Where a document's file is on this machine. Fetches nothing: that is done before any run begins.

use crate::config::{Document, DocumentOrigin};
use crate::content::Contents;
use crate::hub::Environment;
use crate::hub::documents::Documents;
use crate::runner::ExecuteError;

/// The document with the path of its file, which is compared with the hash in the settings.
///
/// # Errors
/// When it is not on this machine, or is another one.
pub(super) fn located(document: &Document) -> Result<Document, ExecuteError> {
    let path = match (&document.origin, &document.sha256) {
        (DocumentOrigin::Path(path), None) => path.clone(),
        (DocumentOrigin::Path(path), Some(expected)) => {
            // Not kept: one text is read faster than a cache of hashes.
            let found = Contents::default().document(path)?;
            if found != *expected {
                return Err(ExecuteError::message(format!(
                    "{}: `document.sha256` is {expected}, but this file has {found}: take the right file, or give its hash",
                    path.display()
                )));
            }
            path.clone()
        }
        (DocumentOrigin::Url(url), sha256) => {
            let cached = match sha256 {
                Some(sha256) => documents()?.cached(sha256),
                None => None,
            };
            let missing = || {
                ExecuteError::message(format!(
                    "{url} is not on this machine: `ensayo fetch` with the experiment's name brings it"
                ))
            };
            cached.ok_or_else(missing)?.path
        }
    };
    Ok(Document {
        origin: DocumentOrigin::Path(path),
        ..document.clone()
    })
}

/// That a document has to be fetched before anything can be said about it, if it is so.
pub(super) fn absent(document: &Document) -> Option<String> {
    let DocumentOrigin::Url(url) = &document.origin else {
        return None;
    };
    // What is wrong is said by whoever locates it.
    let is_here = |sha256: &String| documents().map_or(true, |all| all.cached(sha256).is_some());
    let here = document.sha256.as_ref().is_some_and(is_here);
    (!here).then(|| format!("{url}: not fetched yet, so it is not looked into"))
}

fn documents() -> Result<Documents, ExecuteError> {
    let documents = Documents::of(&Environment::read());
    documents.map_err(|fault| ExecuteError::message(fault.to_string()))
}
