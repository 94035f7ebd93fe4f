//! What a server answered.

use std::io::Read;
use std::time::Duration;

use ureq::Body;
use ureq::http::HeaderMap;

use super::HttpFault;

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer {
    /// The status, 404 for instance.
    pub status: u16,
    /// The headers of the last answer, which brings the body.
    pub headers: HeaderMap,
    /// The headers of the answer that the asked server gave itself, before it sent us to another
    /// host. The hub puts a file's commit, hash and size there.
    pub first_headers: HeaderMap,
    /// The address that answered last.
    pub url: String,
    /// How long to wait, if the server said so.
    pub told_wait: Option<Duration>,
    pub(super) host: String,
    pub(super) body: Body,
}

impl Answer {
    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header's text, of the asked server's own answer.
    #[must_use]
    pub fn first_header(&self, name: &str) -> Option<&str> {
        self.first_headers.get(name)?.to_str().ok()
    }

    /// The announced length of the body, where there is one and nothing is encoded.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    /// Whether the body says of itself that it is a web page.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.header("content-type").is_some_and(|kind| {
            kind.trim_start()
                .to_ascii_lowercase()
                .starts_with("text/html")
        })
    }

    /// The body as it comes.
    #[must_use]
    pub fn into_reader(self) -> impl Read {
        self.body.into_with_config().limit(u64::MAX).reader()
    }

    /// The host that answered last.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The whole body.
    ///
    /// # Errors
    /// When the connection breaks or stalls, or the body is larger than `limit`.
    pub fn read(self, limit: u64) -> Result<Vec<u8>, HttpFault> {
        let (host, url) = (self.host.clone(), self.url.clone());
        let expected = self.content_length();
        let mut bytes = Vec::new();
        let read = self.into_reader().take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| HttpFault::from_ureq(error.into(), &host, None))?;
        let length = bytes.len() as u64;
        if length > limit {
            return Err(HttpFault::TooLarge { url, limit });
        }
        match expected {
            Some(expected) if expected != length => Err(HttpFault::Cut {
                host,
                reason: format!("{length} of {expected} bytes came"),
            }),
            _ => Ok(bytes),
        }
    }
}
