//! A document at an address.

use super::super::CommandError;
use super::super::commits::{Commits, short};
use super::Download;
use super::bars::{Bars, Unit};
use crate::hub::documents::Documents;
use crate::hub::{Environment, size};

/// A document that runs need.
pub(super) struct Document {
    url: String,
    sha256: Option<String>,
    documents: Documents,
}

impl Document {
    pub(super) fn of(url: &str, sha256: Option<&str>) -> Result<Self, String> {
        let documents = Documents::of(&Environment::read());
        Ok(Self {
            url: url.to_owned(),
            sha256: sha256.map(str::to_owned),
            documents: documents.map_err(|fault| fault.to_string())?,
        })
    }

    fn cached(&self) -> Option<crate::hub::documents::Document> {
        self.documents.cached(self.sha256.as_deref()?)
    }
}

impl Download for Document {
    fn line(&self) -> Option<String> {
        let url = &self.url;
        if self.sha256.is_none() {
            return Some(format!(
                "{url}: `document.sha256` is missing; `ensayo fetch` prints the one to paste in"
            ));
        }
        self.cached().is_none().then(|| format!("{url}: to fetch"))
    }

    fn fetch(&self, _commits: &Commits) -> Result<(), CommandError> {
        let bars = Bars::new(&self.url, Unit::Bytes);
        let fetched = self
            .documents
            .fetch(&self.url, self.sha256.as_deref(), &bars);
        bars.clear();
        fetched.map(drop).map_err(CommandError::input)
    }

    fn row(&self, _commits: &Commits) -> [String; 6] {
        let document = self.cached();
        let sha256 = self.sha256.as_deref().unwrap_or_default();
        [
            self.url.clone(),
            String::new(),
            short(sha256).to_owned(),
            "1 file".to_owned(),
            size(document.as_ref().map_or(0, |document| document.bytes)),
            document.map_or_else(String::new, |found| found.path.display().to_string()),
        ]
    }
}
