//! Token ids of texts, kept under the results so that the runs of a sweep tokenise each data set
//! once.
//!
//! An entry is named by what decides it: the texts, the tokeniser's files, the length at which
//! texts are cut, the vocabulary. It carries a checksum; one that is missing, damaged or another
//! version's is made again, and one that cannot be written is left out.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hex;
use crate::record::write_atomically;

/// The format, and with it everything in ensayo that decides which tokens a text has.
const VERSION: &[u8] = b"ensayo tokens 2";

/// The files of a model's folder that a tokeniser is made from.
const FILES: [&str; 9] = [
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spm.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    // Its `model_type` says which class of tokeniser it is.
    "config.json",
];

/// Bytes of a checksum.
const CHECKSUM: usize = 32;

/// The entries of one tokeniser.
#[derive(Debug)]
pub(crate) struct TokenCache {
    folder: PathBuf,
    /// Over everything that decides an entry but the texts.
    begun: Sha256,
}

impl TokenCache {
    /// The entries below `results` of the tokeniser in a model's folder, with this limit of tokens
    /// and of vocabulary.
    pub(crate) fn new(results: &Path, model: &Path, max_length: usize, vocabulary: usize) -> Self {
        let mut begun = Sha256::new_with_prefix(VERSION);
        for name in FILES {
            let content = fs::read(model.join(name)).unwrap_or_default();
            add(&mut begun, &content);
        }
        add(&mut begun, &max_length.to_le_bytes());
        add(&mut begun, &vocabulary.to_le_bytes());
        Self {
            folder: results.join(".cache").join("tokens"),
            begun,
        }
    }

    /// Token ids of each text, in the order of the texts; `tokenise` makes those that are not kept.
    ///
    /// # Errors
    /// Those of `tokenise`.
    pub(crate) fn encode<E>(
        &self,
        texts: &[&str],
        tokenise: impl FnOnce(&[&str]) -> Result<Vec<Vec<u32>>, E>,
    ) -> Result<Vec<Vec<u32>>, E> {
        let mut name = self.begun.clone();
        for text in texts {
            add(&mut name, text.as_bytes());
        }
        let path = self.folder.join(hex(&name.finalize()));
        if let Some(tokens) = fs::read(&path)
            .ok()
            .and_then(|bytes| decode(&bytes, texts.len()))
        {
            return Ok(tokens);
        }
        let tokens = tokenise(texts)?;
        // Whatever keeps it from being written, the tokens are there.
        let _ = write_atomically(&path, &encode(&tokens));
        Ok(tokens)
    }
}

/// Adds bytes and their number, so that no two lists of texts read the same.
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

/// The lengths of all texts, their ids, and a checksum; numbers have 32 bits, little-endian.
fn encode(tokens: &[Vec<u32>]) -> Vec<u8> {
    #[allow(clippy::cast_possible_truncation)]
    let lengths = tokens.iter().map(|text| text.len() as u32);
    let mut bytes: Vec<u8> = lengths
        .chain(tokens.iter().flatten().copied())
        .flat_map(u32::to_le_bytes)
        .collect();
    let checksum = Sha256::digest(&bytes);
    bytes.extend(checksum);
    bytes
}

/// The tokens of `count` texts; `None` of a damaged entry.
fn decode(bytes: &[u8], count: usize) -> Option<Vec<Vec<u32>>> {
    let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if Sha256::digest(content)[..] != *checksum {
        return None;
    }
    let (numbers, rest) = content.as_chunks();
    let numbers: Vec<u32> = numbers
        .iter()
        .map(|&number| u32::from_le_bytes(number))
        .collect();
    let (lengths, mut ids) = numbers.split_at_checked(count)?;
    let mut tokens = Vec::with_capacity(count);
    for &length in lengths {
        let (text, others) = ids.split_at_checked(length as usize)?;
        tokens.push(text.to_vec());
        ids = others;
    }
    (rest.is_empty() && ids.is_empty()).then_some(tokens)
}

#[cfg(test)]
mod tests;
