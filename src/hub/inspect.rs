//! Everything that can be known of a model without its weights.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::client::check_names;
use super::shelves::{Cached, Listed};
use super::{Facts, Hub, HubError, Observer, Tensor, Wanted};

/// A file of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Its name.
    pub name: String,
    /// Its size, where the hub gives it.
    pub bytes: Option<u64>,
}

/// What the hub, the configuration and the weights' headers say.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The repository, as the hub spells it.
    pub id: String,
    /// The commit.
    pub commit: String,
    /// `config.json`, if there is one.
    pub config: Option<Value>,
    /// The tensors of the weights that a run would take, where these are safetensors.
    pub tensors: Option<Vec<Tensor>>,
    /// The files with these weights.
    pub weights: Vec<ListedFile>,
    /// All files.
    pub files: Vec<ListedFile>,
    /// What the hub says about it in general.
    pub facts: Facts,
}

impl Inspection {
    /// The number of parameters in the weights' headers.
    #[must_use]
    pub fn parameters(&self) -> Option<u64> {
        let tensors = self.tensors.as_ref()?;
        Some(tensors.iter().map(Tensor::elements).sum())
    }

    /// Parameters by number format.
    #[must_use]
    pub fn parameters_by_dtype(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for tensor in self.tensors.iter().flatten() {
            *counts.entry(tensor.dtype.as_str()).or_default() += tensor.elements();
        }
        counts
    }

    /// Bytes of the weights that a run would take.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        self.weights.iter().filter_map(|file| file.bytes).sum()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().filter_map(|file| file.bytes).sum()
    }
}

impl Hub {
    /// What is known of a model. Asks the hub, reads `config.json` and the headers of safetensors
    /// files by ranges.
    ///
    /// # Errors
    /// When the hub cannot be asked or refuses, or a file is damaged.
    pub fn inspect(
        &self,
        id: &str,
        revision: &str,
        observer: &dyn Observer,
    ) -> Result<Inspection, HubError> {
        check_names(id, revision)?;
        self.online(id, revision, &["its description".to_owned()])?;
        let listing = self.listing(id, revision, observer)?;
        let commit = self.commit_of(id, &listing)?;
        let cache = self.repository(id, revision);
        let place = Listed {
            hub: self,
            observer,
            cached: Cached {
                id,
                cache: &cache,
                commit: &commit,
            },
            listing: &listing,
            read: std::cell::RefCell::default(),
        };
        let config = match listing.file("config.json") {
            Some(_) => Some(config(id, &place)?),
            None => None,
        };
        let chosen = Wanted::Classifier.choose(id, &place)?;
        let is_weights =
            |name: &&String| has_extension(name, "safetensors") || has_extension(name, "bin");
        let weights: Vec<String> = chosen.files.iter().filter(is_weights).cloned().collect();
        let mut tensors = Vec::new();
        let readable = !weights.is_empty()
            && weights
                .iter()
                .all(|name| has_extension(name, "safetensors"));
        for file in weights.iter().filter(|_| readable) {
            tensors.extend(self.tensors(id, &commit, file, observer)?);
        }
        let file = |name: &String| ListedFile {
            name: name.clone(),
            bytes: listing.file(name).and_then(super::listing::Sibling::bytes),
        };
        Ok(Inspection {
            tensors: readable.then_some(tensors),
            weights: weights.iter().map(file).collect(),
            files: listing
                .siblings
                .iter()
                .map(|listed| file(&listed.rfilename))
                .collect(),
            facts: listing.facts(),
            id: if listing.id.is_empty() {
                id.to_owned()
            } else {
                listing.id.clone()
            },
            commit,
            config,
        })
    }
}

fn config(id: &str, place: &Listed<'_>) -> Result<Value, HubError> {
    use super::wanted::Shelf;
    let file = "config.json";
    serde_json::from_slice(&place.read(file)?).map_err(|error| HubError::Damaged {
        repository: id.to_owned(),
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == extension)
}
