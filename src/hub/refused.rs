//! An answer by which the hub refuses something.

use serde_json::Value;
use ureq::http::HeaderMap;

/// An answer that is no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) of: String,
    pub(super) file: Option<String>,
    pub(super) host: String,
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(
        of: &str,
        host: String,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.trim().to_owned())
        };
        let said = serde_json::from_slice::<Value>(body).ok();
        let said = said.and_then(|body| Some(body.get("error")?.as_str()?.to_owned()));
        Self {
            of: of.to_owned(),
            file: None,
            host,
            status,
            code: header("x-error-code").unwrap_or_default(),
            message: header("x-error-message").or(said).unwrap_or_default(),
        }
    }

    pub(super) fn of_file(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}
