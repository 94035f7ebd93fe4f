//! Everything that can be known of a model without its weights.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use super::client::check_names;
use super::header::tensors_of_file;
use super::shelves::{Cached, Folder, Listed};
use super::wanted::Shelf;
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
    /// The commit; none of a folder.
    pub commit: Option<String>,
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
        let (weights, readable) = weights(id, &place)?;
        let mut tensors = Vec::new();
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
            commit: Some(commit),
            config,
        })
    }
}

/// The same for a model's folder, of which there are no facts.
///
/// # Errors
/// When a file cannot be read or is damaged.
pub fn inspect_folder(folder: &Path) -> Result<Inspection, HubError> {
    let id = folder.display().to_string();
    let place = Folder { folder, id: &id };
    let config = match place.has("config.json") {
        Some(true) => Some(config(&id, &place)?),
        _ => None,
    };
    let (weights, readable) = weights(&id, &place)?;
    let mut tensors = Vec::new();
    for file in weights.iter().filter(|_| readable) {
        tensors.extend(tensors_of_file(&id, folder, file)?);
    }
    let file = |name: String| ListedFile {
        bytes: folder.join(&name).metadata().ok().map(|file| file.len()),
        name,
    };
    let walk = WalkDir::new(folder).sort_by_file_name().follow_links(true);
    let names = walk.into_iter().flatten().filter_map(|entry| {
        let name = entry.path().strip_prefix(folder).ok()?;
        let is_file = entry.file_type().is_file();
        is_file.then(|| name.to_string_lossy().into_owned())
    });
    Ok(Inspection {
        tensors: readable.then_some(tensors),
        weights: weights.into_iter().map(file).collect(),
        files: names.map(file).collect(),
        facts: Facts::default(),
        id,
        commit: None,
        config,
    })
}

/// The files with the weights that a run would take, and whether their headers can be read.
fn weights(id: &str, place: &dyn Shelf) -> Result<(Vec<String>, bool), HubError> {
    let chosen = Wanted::Classifier.choose(id, place)?;
    let is_weights =
        |name: &String| has_extension(name, "safetensors") || has_extension(name, "bin");
    let weights: Vec<String> = chosen.files.into_iter().filter(is_weights).collect();
    let mut names = weights.iter();
    let readable = !weights.is_empty() && names.all(|name| has_extension(name, "safetensors"));
    Ok((weights, readable))
}

fn config(id: &str, place: &dyn Shelf) -> Result<Value, HubError> {
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
