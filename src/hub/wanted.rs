//! Which files of a repository a run needs, and nothing else.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::HubError;
use super::cache::is_below;

/// What the model is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// An encoder with a classifier on top.
    Classifier,
    /// An encoder of sentences, with its pooling.
    SentenceEncoder,
    /// A decoder, with its chat template and generation settings.
    Decoder,
}

/// Where names can be looked up: a listing of the hub, or the cache.
pub(super) trait Shelf {
    /// Whether the file exists; `None` if that is not known.
    fn has(&self, file: &str) -> Option<bool>;
    /// A small file's content.
    fn read(&self, file: &str) -> Result<Vec<u8>, HubError>;
}

/// Files to have, and what is known of the others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Files that the run needs and that exist.
    pub(super) files: Vec<String>,
    /// Files that would be of use and do not exist.
    pub(super) missing: Vec<String>,
    /// Files that would be of use and may exist.
    pub(super) unknown: Vec<String>,
    /// What the run cannot do without and is not there, in words.
    pub(super) lacking: Option<Lacking>,
}

/// What a run cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    Config,
    Tokeniser,
    Weights,
}

/// Files of which one is needed, the preferred first.
const TOKENISERS: [&str; 4] = ["tokenizer.json", "spm.model", "vocab.txt", VOCABULARY];
const VOCABULARY: &str = "vocab.json";
/// What belongs to a vocabulary in JSON.
const MERGES: &str = "merges.txt";
/// The same of weights; the JSON files say which shards there are.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];
const INDEXES: [&str; 2] = [WEIGHTS[1], WEIGHTS[3]];
const OF_ALL: [&str; 2] = ["tokenizer_config.json", "special_tokens_map.json"];
const OF_SENTENCE_ENCODERS: [&str; 2] = [
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
];
const OF_DECODERS: [&str; 2] = ["generation_config.json", "chat_template.jinja"];
const MODULES: &str = "modules.json";

impl Wanted {
    /// Chooses from what the place has.
    pub(super) fn choose(self, repository: &str, place: &dyn Shelf) -> Result<Selection, HubError> {
        let mut chosen = Selection::default();
        if !chosen.take(place, "config.json") {
            chosen.lacking = Some(Lacking::Config);
        }
        let tokeniser = chosen.first_of(place, &TOKENISERS);
        let is_vocabulary = tokeniser.is_some_and(|file| file.starts_with("vocab"));
        let has_merges = tokeniser != Some(VOCABULARY) || chosen.take(place, MERGES);
        if tokeniser.is_none() || !has_merges {
            chosen.lacking.get_or_insert(Lacking::Tokeniser);
        }
        if is_vocabulary {
            chosen.take(place, "added_tokens.json");
        }
        let optional: &[&str] = match self {
            Self::Classifier => &[],
            Self::SentenceEncoder => &OF_SENTENCE_ENCODERS,
            Self::Decoder => &OF_DECODERS,
        };
        for file in OF_ALL.iter().chain(optional) {
            chosen.take(place, file);
        }
        if self == Self::SentenceEncoder && chosen.take(place, MODULES) {
            chosen.take_modules(repository, place)?;
        }
        match chosen.first_of(place, &WEIGHTS) {
            None => {
                chosen.lacking.get_or_insert(Lacking::Weights);
            }
            Some(index) if INDEXES.contains(&index) => {
                for shard in shards(repository, place, index)? {
                    if !chosen.take(place, &shard) {
                        chosen.lacking.get_or_insert(Lacking::Weights);
                    }
                }
            }
            Some(_) => {}
        }
        Ok(chosen)
    }
}

impl Selection {
    /// Whether a file is to be had.
    fn take(&mut self, place: &dyn Shelf, file: &str) -> bool {
        let list = match place.has(file) {
            Some(true) => &mut self.files,
            Some(false) => &mut self.missing,
            None => &mut self.unknown,
        };
        list.push(file.to_owned());
        place.has(file) == Some(true)
    }

    fn first_of<'a>(&mut self, place: &dyn Shelf, files: &[&'a str]) -> Option<&'a str> {
        files.iter().copied().find(|file| self.take(place, file))
    }

    /// The settings of each module of a sentence encoder, and the weights of its dense layers.
    fn take_modules(&mut self, repository: &str, place: &dyn Shelf) -> Result<(), HubError> {
        #[derive(Deserialize)]
        struct Module {
            #[serde(default)]
            path: String,
            #[serde(default, rename = "type")]
            kind: String,
        }
        let modules: Vec<Module> = parsed(repository, MODULES, &place.read(MODULES)?)?;
        for module in modules.iter().filter(|module| !module.path.is_empty()) {
            let folder = module.path.trim_end_matches('/');
            check_name(repository, MODULES, folder)?;
            self.take(place, &format!("{folder}/config.json"));
            if module.kind.ends_with("Dense") {
                let weights = ["model.safetensors", "pytorch_model.bin"];
                let weights = weights.map(|name| format!("{folder}/{name}"));
                self.first_of(place, &weights.each_ref().map(String::as_str));
            }
        }
        Ok(())
    }
}

/// The files that an index of shards names.
fn shards(repository: &str, place: &dyn Shelf, index: &str) -> Result<BTreeSet<String>, HubError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let read: Index = parsed(repository, index, &place.read(index)?)?;
    let shards: BTreeSet<String> = read.weight_map.into_values().collect();
    for shard in &shards {
        check_name(repository, index, shard)?;
    }
    Ok(shards)
}

fn check_name(repository: &str, named_in: &str, name: &str) -> Result<(), HubError> {
    if is_below(name) {
        return Ok(());
    }
    Err(HubError::BadName {
        repository: repository.to_owned(),
        named_in: named_in.to_owned(),
        name: name.to_owned(),
    })
}

fn parsed<T: serde::de::DeserializeOwned>(
    repository: &str,
    file: &str,
    content: &[u8],
) -> Result<T, HubError> {
    serde_json::from_slice(content).map_err(|error| HubError::Damaged {
        repository: repository.to_owned(),
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
