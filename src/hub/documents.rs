//! Documents by address and hash: fetched once, checked, kept under their hash.

use std::fs;
use std::path::{Path, PathBuf};

use super::disk::{At, DiskFault, check_space};
use super::http::{Http, HttpFault};
use super::sum::{Sum, hex, sha256};
use super::transfer::{Transfer, TransferFault};
use super::{Environment, Event, Observer, lock};

/// The most that a document may have.
const MOST_BYTES: u64 = 256 << 20;

/// A document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Nothing says which content is meant.
    #[error(
        "{url}: `sha256` is missing: a document of an experiment must stay the same; the one that is there now has\nsha256 = \"{found}\""
    )]
    NoHash {
        /// The address.
        url: String,
        /// The hash of what is there now.
        found: String,
    },
    /// The hash that was given is none.
    #[error("{url}: `sha256 = \"{given}\"` is not a SHA-256: expected 64 hexadecimal digits")]
    BadHash {
        /// The address.
        url: String,
        /// What was given.
        given: String,
    },
    /// Another content.
    #[error(
        "{url}: what is there now has sha256 {found} instead of {expected}: the document has changed; take the right version's address, or, if the new one is meant, its hash"
    )]
    Changed {
        /// The address.
        url: String,
        /// The hash that was given.
        expected: String,
        /// The hash of what is there.
        found: String,
    },
    /// Not a text.
    #[error("{url} is {what}, not a text: {cure}")]
    NotText {
        /// The address.
        url: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// Not here, and nothing may be asked.
    #[error("{url} is not in the cache {}, and the network is switched off by HF_HUB_OFFLINE: unset it, or run `ensayo fetch` on a machine with network and the same cache", .cache.display())]
    Offline {
        /// The address.
        url: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The server says no.
    #[error("{url}: the server answers {status}: check the address")]
    Refused {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The download broke too often.
    #[error("{url}: the download broke off {attempts} times: {reason}: try again later")]
    Broken {
        /// The address.
        url: String,
        /// Attempts without progress.
        attempts: u32,
        /// What happened last.
        reason: String,
    },
    /// No answer.
    #[error("{url}: {fault}")]
    Network {
        /// The address.
        url: String,
        /// What happened.
        fault: HttpFault,
    },
    /// The disk.
    #[error("{url}: {fault}")]
    Disk {
        /// The address.
        url: String,
        /// What happened.
        fault: DiskFault,
    },
}

/// A document in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file.
    pub path: PathBuf,
    /// The hash of its content.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// Documents in one folder.
#[derive(Debug, Clone)]
pub struct Documents {
    http: Http,
    folder: PathBuf,
    offline: bool,
}

impl Documents {
    /// Documents in this machine's cache.
    ///
    /// # Errors
    /// When no client can be made with the environment's proxies and certificates.
    pub fn of(environment: &Environment) -> Result<Self, HttpFault> {
        let folder = environment.own_cache.join("documents");
        let http = environment.client(environment.settings())?;
        Ok(Self::new(http, folder, environment.offline))
    }

    /// Documents that are kept in `folder`.
    #[must_use]
    pub fn new(http: Http, folder: PathBuf, offline: bool) -> Self {
        Self {
            http,
            folder,
            offline,
        }
    }

    /// A document that is here already; asks nothing.
    #[must_use]
    pub fn cached(&self, sha256: &str) -> Option<Document> {
        let hash = is_hash(sha256)?;
        let path = self.place(&hash);
        // Kept files are small; reading them again costs less than trusting a damaged one.
        let found = super::sum::sha256(&path).ok()?;
        let bytes = path.metadata().ok()?.len();
        (found == hash).then_some(Document {
            path,
            sha256: hash,
            bytes,
        })
    }

    /// The document, fetched if it is not here.
    ///
    /// # Errors
    /// When it cannot be had, is no text, or has another hash; without a hash always, with the one
    /// that was found.
    pub fn fetch(
        &self,
        url: &str,
        expected: Option<&str>,
        observer: &dyn Observer,
    ) -> Result<Document, DocumentError> {
        let hash = expected
            .map(|given| {
                is_hash(given).ok_or_else(|| DocumentError::BadHash {
                    url: url.to_owned(),
                    given: given.to_owned(),
                })
            })
            .transpose()?;
        if let Some(here) = hash.as_deref().and_then(|hash| self.cached(hash)) {
            return Ok(here);
        }
        if self.offline {
            return Err(DocumentError::Offline {
                url: url.to_owned(),
                cache: self.folder.clone(),
            });
        }
        let disk = |fault| DocumentError::Disk {
            url: url.to_owned(),
            fault,
        };
        let name = hash.clone().unwrap_or_else(|| address_name(url));
        let locks = self.folder.join(".locks").join(format!("{name}.lock"));
        let lock = lock::acquire(&locks, url, observer).map_err(disk)?;
        let _lock = lock.map_err(|fault| DocumentError::Network {
            url: url.to_owned(),
            fault,
        })?;
        // Whoever held the lock may have brought it.
        if let Some(here) = hash.as_deref().and_then(|hash| self.cached(hash)) {
            return Ok(here);
        }
        let part = self.folder.join(format!("{name}.incomplete"));
        check_space(&self.folder, 1).map_err(disk)?;
        self.transfer(url, &part, hash.as_deref(), observer)?;
        let document = self.keep(url, &part).map_err(disk)??;
        observer.event(&Event::Finished { file: url });
        match hash {
            Some(_) => Ok(document),
            None => Err(DocumentError::NoHash {
                url: url.to_owned(),
                found: document.sha256,
            }),
        }
    }

    fn place(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.txt"))
    }

    /// Gives a complete part its final name, if it is a text.
    fn keep(&self, url: &str, part: &Path) -> Result<Result<Document, DocumentError>, DiskFault> {
        let content = fs::read(part).at(part)?;
        if let Some((what, cure)) = no_text(&content) {
            fs::remove_file(part).at(part)?;
            return Ok(Err(DocumentError::NotText {
                url: url.to_owned(),
                what,
                cure,
            }));
        }
        let hash = sha256(part).at(part)?;
        let path = self.place(&hash);
        fs::rename(part, &path).at(part)?;
        Ok(Ok(Document {
            path,
            sha256: hash,
            bytes: content.len() as u64,
        }))
    }

    fn transfer(
        &self,
        url: &str,
        part: &Path,
        hash: Option<&str>,
        observer: &dyn Observer,
    ) -> Result<(), DocumentError> {
        let sum = hash.map(|hash| Sum::Sha256(hash.to_owned()));
        let transfer = Transfer {
            http: &self.http,
            url,
            token: None,
            file: url,
            part,
            size: None,
            sum: sum.as_ref(),
            limit: MOST_BYTES,
        };
        let url = url.to_owned();
        transfer.run(observer).map_err(|fault| match fault {
            TransferFault::Http(fault) => DocumentError::Network { url, fault },
            TransferFault::Disk(fault) => DocumentError::Disk { url, fault },
            TransferFault::Refused { status, .. } => DocumentError::Refused { url, status },
            TransferFault::Html => DocumentError::NotText {
                url,
                what: PAGE.0,
                cure: PAGE.1,
            },
            TransferFault::Broken {
                attempts, reason, ..
            } => DocumentError::Broken {
                url,
                attempts,
                reason,
            },
            TransferFault::Sum { expected, found } => DocumentError::Changed {
                url,
                expected,
                found,
            },
            TransferFault::Size { expected, found } => DocumentError::Broken {
                url,
                attempts: 1,
                reason: format!("{found} bytes arrived instead of {expected}"),
            },
        })
    }
}

const PAGE: (&str, &str) = (
    "a web page",
    "take the address of its plain text, or save the text and name it with `path`",
);
const PDF: (&str, &str) = (
    "a PDF",
    "make a text of it, with `pdftotext` for instance, and name it with `path`",
);
const BINARY: (&str, &str) = ("a binary file", "make a text of it and name it with `path`");

/// What a content is, if it is no text.
fn no_text(content: &[u8]) -> Option<(&'static str, &'static str)> {
    let start = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let start = start.trim_ascii_start();
    let head = start[..start.len().min(64)].to_ascii_lowercase();
    if head.starts_with(b"%pdf-") {
        return Some(PDF);
    }
    if head.starts_with(b"<!doctype html") || head.starts_with(b"<html") {
        return Some(PAGE);
    }
    content.contains(&0).then_some(BINARY)
}

fn is_hash(given: &str) -> Option<String> {
    let hash = given.trim().to_ascii_lowercase();
    let is_hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then_some(hash)
}

fn address_name(url: &str) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(url.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_are_texts() {
        assert_eq!(no_text(b"%PDF-1.7\n%"), Some(PDF));
        assert_eq!(no_text(b"\xef\xbb\xbf\n <!DOCTYPE html><p>"), Some(PAGE));
        assert_eq!(no_text(b"<html lang='es'>"), Some(PAGE));
        assert_eq!(no_text(b"PK\x03\x04\x00"), Some(BINARY));
        for text in [&b"1 < 2 and <html> is a tag"[..], b"", b"\xf1and\xfa"] {
            assert_eq!(no_text(text), None);
        }
    }
}
