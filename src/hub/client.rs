//! The hub's client: what it is made of, and the requests that its parts share.

use serde::de::DeserializeOwned;
use ureq::http::HeaderMap;

use super::cache::{RepositoryCache, is_below};
use super::http::{
    Http, HttpFault, Redirects, Request, Settings, host, origin, path_segment, query,
};
use super::listing::Listing;
use super::refused::Refusal;
use super::{Environment, HubError, Observer};

/// The most that an answer with data may have; a listing of a thousand models is about 5 MB.
const MOST_BYTES: u64 = 256 << 20;

/// A client for one hub and one cache. Cheap to share.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(super) environment: Environment,
    pub(super) http: Http,
}

impl Hub {
    /// A client for what the environment says.
    ///
    /// # Errors
    /// When a proxy's address or the certificates cannot be used.
    pub fn new(environment: Environment) -> Result<Self, HubError> {
        let settings = environment.settings();
        Self::with_settings(environment, settings)
    }

    /// A client that is as patient as `settings` say.
    ///
    /// # Errors
    /// When a proxy's address or the certificates cannot be used.
    pub fn with_settings(environment: Environment, settings: Settings) -> Result<Self, HubError> {
        let certificates = environment.certificates.as_deref();
        let http = Http::new(settings, environment.proxies.clone(), certificates);
        let http = http.map_err(HubError::Setup)?;
        Ok(Self { environment, http })
    }

    /// Where it looks.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// How it asks; documents and reviews ask the same way.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The token, if the address is the hub's.
    pub(super) fn token_for(&self, url: &str) -> Option<&str> {
        let ours = origin(url) == origin(&self.environment.endpoint);
        self.environment.token.as_deref().filter(|_| ours)
    }

    pub(super) fn repository(&self, id: &str, revision: &str) -> RepositoryCache {
        let environment = &self.environment;
        RepositoryCache::new(&environment.cache, id, revision, environment.links)
    }

    /// Data from the hub. `of` names in errors what was asked for.
    pub(super) fn data<T: DeserializeOwned>(
        &self,
        of: &str,
        url: &str,
        observer: &dyn Observer,
    ) -> Result<(T, HeaderMap), HubError> {
        let request = Request {
            token: self.token_for(url),
            redirects: Redirects::All,
            ..Request::get(url)
        };
        let (status, headers, body) = self
            .http
            .text(&request, observer, MOST_BYTES)
            .map_err(|fault| network(of, fault))?;
        if status != 200 {
            let refusal = Refusal::new(of, host(url), status, &headers, &body);
            return Err(self.refused(&refusal, observer));
        }
        match serde_json::from_slice(&body) {
            Ok(data) => Ok((data, headers)),
            Err(error) => {
                let is_page = body.trim_ascii_start().starts_with(b"<");
                Err(HubError::NotData {
                    repository: of.to_owned(),
                    file: None,
                    host: host(url),
                    what: if is_page {
                        "a web page".to_owned()
                    } else {
                        format!("something else ({error})")
                    },
                })
            }
        }
    }

    /// What the hub says of a repository at a revision.
    pub(super) fn listing(
        &self,
        id: &str,
        revision: &str,
        observer: &dyn Observer,
    ) -> Result<Listing, HubError> {
        let url = format!(
            "{}/api/models/{id}/revision/{}{}",
            self.environment.endpoint,
            path_segment(revision),
            query(&[("blobs", "true".into())]),
        );
        let (listing, _) = self
            .data::<Listing>(id, &url, observer)
            .map_err(|error| self.of_revision(error, revision, observer))?;
        Ok(listing)
    }

    /// The commit that a revision stands for on the hub now.
    ///
    /// # Errors
    /// When the hub cannot be asked or refuses.
    pub fn newest_commit(
        &self,
        id: &str,
        revision: &str,
        observer: &dyn Observer,
    ) -> Result<String, HubError> {
        check_names(id, revision)?;
        self.online(id, revision, &[format!("refs/{revision}")])?;
        let listing = self.listing(id, revision, observer)?;
        self.commit_of(id, &listing)
    }

    pub(super) fn commit_of(&self, id: &str, listing: &Listing) -> Result<String, HubError> {
        let commit = listing
            .sha
            .clone()
            .filter(|sha| super::cache::is_commit(sha));
        commit.ok_or_else(|| HubError::NotData {
            repository: id.to_owned(),
            file: None,
            host: host(&self.environment.endpoint),
            what: "a description without a commit".to_owned(),
        })
    }

    /// Fails where the network is switched off.
    pub(super) fn online(
        &self,
        id: &str,
        revision: &str,
        missing: &[String],
    ) -> Result<(), HubError> {
        if !self.environment.offline {
            return Ok(());
        }
        Err(HubError::Offline {
            repository: id.to_owned(),
            revision: revision.to_owned(),
            missing: missing.to_vec(),
            cache: self.environment.cache.clone(),
        })
    }
}

pub(super) fn network(repository: &str, fault: HttpFault) -> HubError {
    HubError::Network {
        repository: repository.to_owned(),
        fault,
    }
}

/// Refuses names that could lead elsewhere in URLs or in the cache.
pub(super) fn check_names(id: &str, revision: &str) -> Result<(), HubError> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.len() <= 96
            && !word.starts_with(['-', '.'])
            && !word.ends_with(['-', '.'])
            && !word.contains("--")
            && !word.contains("..")
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if id.split('/').count() > 2 || !id.split('/').all(is_word) {
        return Err(HubError::BadId { id: id.to_owned() });
    }
    if !is_below(revision) || revision.contains(char::is_whitespace) {
        return Err(HubError::BadRevision {
            repository: id.to_owned(),
            revision: revision.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_anything_is_asked() {
        for id in ["gpt2", "microsoft/deberta-v3-base", "a/B_c.1"] {
            assert!(check_names(id, "main").is_ok(), "{id}");
        }
        for id in [
            "", "a/b/c", "../x", "a/..", "a b", "/a", "a/", "a--b/c", "http://x",
        ] {
            assert!(
                matches!(check_names(id, "main"), Err(HubError::BadId { .. })),
                "{id}"
            );
        }
        assert!(check_names("a/b", "refs/pr/1").is_ok());
        for revision in ["", "../main", "/x", "a b"] {
            let checked = check_names("a/b", revision);
            assert!(
                matches!(checked, Err(HubError::BadRevision { .. })),
                "{revision}"
            );
        }
    }
}
