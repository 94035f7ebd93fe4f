//! The two places where a run's files are looked up: the cache, and the hub's listing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::cache::{Presence, RepositoryCache};
use super::disk::At;
use super::http::Request;
use super::listing::{Listing, Sibling};
use super::wanted::Shelf;
use super::{Hub, HubError, Observer};

/// The most that a file may have that is read to know of others.
const MOST_BYTES: u64 = 64 << 20;

/// What the cache has of a commit.
pub(super) struct Cached<'a> {
    pub(super) id: &'a str,
    pub(super) cache: &'a RepositoryCache,
    pub(super) commit: &'a str,
}

impl Shelf for Cached<'_> {
    fn has(&self, file: &str) -> Option<bool> {
        match self.cache.presence(self.commit, file) {
            Presence::Here(_) => Some(true),
            Presence::Missing => Some(false),
            Presence::Unknown => None,
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, HubError> {
        let path = self.cache.snapshot(self.commit).join(file);
        fs::read(&path).at(&path).map_err(|fault| HubError::Disk {
            repository: self.id.to_owned(),
            fault,
        })
    }
}

/// What a folder has.
pub(super) struct Folder<'a> {
    pub(super) folder: &'a Path,
    /// What it is called in errors.
    pub(super) id: &'a str,
}

impl Shelf for Folder<'_> {
    fn has(&self, file: &str) -> Option<bool> {
        Some(self.folder.join(file).is_file())
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, HubError> {
        let path = self.folder.join(file);
        fs::read(&path).at(&path).map_err(|fault| HubError::Disk {
            repository: self.id.to_owned(),
            fault,
        })
    }
}

/// What the hub lists. Small files are read from the cache where they are there.
pub(super) struct Listed<'a> {
    pub(super) hub: &'a Hub,
    pub(super) observer: &'a dyn Observer,
    pub(super) cached: Cached<'a>,
    pub(super) listing: &'a Listing,
    pub(super) read: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Shelf for Listed<'_> {
    fn has(&self, file: &str) -> Option<bool> {
        Some(self.listing.file(file).is_some())
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, HubError> {
        if self.cached.has(file) == Some(true) {
            return self.cached.read(file);
        }
        if let Some(content) = self.read.borrow().get(file) {
            return Ok(content.clone());
        }
        let Cached { id, commit, .. } = self.cached;
        let content = self.hub.small_file(id, commit, file, self.observer)?;
        // What it names decides what is fetched.
        let sum = self.listing.file(file).and_then(Sibling::sum);
        if let Some(sum) = sum.filter(|sum| !sum.is_of(&content)) {
            return Err(HubError::Corrupted {
                repository: id.to_owned(),
                file: file.to_owned(),
                expected: sum.text().to_owned(),
                found: "another".to_owned(),
            });
        }
        let mut read = self.read.borrow_mut();
        read.insert(file.to_owned(), content.clone());
        Ok(content)
    }
}

impl Hub {
    /// A file's content, without the cache.
    pub(super) fn small_file(
        &self,
        id: &str,
        commit: &str,
        file: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>, HubError> {
        let url = self.file_url(id, commit, file);
        let request = Request {
            token: self.token_for(&url),
            identity: true,
            ..Request::get(&url)
        };
        let answer = self.http.ask(&request, observer, |answer| {
            let host = answer.host().to_owned();
            let (status, headers) = (answer.status, answer.first_headers.clone());
            let is_html = answer.is_html();
            Ok((status, headers, host, is_html, answer.read(MOST_BYTES)?))
        });
        let (status, headers, host, is_html, body) =
            answer.map_err(|fault| super::client::network(id, fault))?;
        if status != 200 {
            let refusal = super::refused::Refusal::new(id, host, status, &headers, &body);
            let error = self.refused(&refusal.of_file(file), observer);
            return Err(self.of_revision(error, commit, observer));
        }
        if is_html {
            return Err(HubError::NotData {
                repository: id.to_owned(),
                file: Some(file.to_owned()),
                host,
                what: "a web page".to_owned(),
            });
        }
        Ok(body)
    }
}
