//! SentencePiece's unigram tokeniser from its model file alone, with the same tokens as
//! <https://github.com/google/sentencepiece> (arXiv 1808.06226, 1804.10959). Knows nothing of the
//! special tokens that a checkpoint puts around a text.

mod model_file;
mod normaliser;
mod trie;
mod unigram;

use model_file::{Algorithm, Kind, ModelFile};
use normaliser::Normaliser;
use unigram::Unigram;

/// A model file with its tokeniser.
#[derive(Debug, Clone)]
pub(super) struct SentencePiece {
    normaliser: Normaliser,
    unigram: Unigram,
    /// Text of every piece, and whether it stands for something other than a text of its own.
    pieces: Vec<(String, bool)>,
}

/// Why a model file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ModelError {
    #[error("byte {byte} begins no field of a SentencePiece model")]
    Field { byte: usize },
    #[error("its `model_type` is {number}, which is none")]
    Algorithm { number: u64 },
    #[error("it is a {name} model, and only unigram models can be used without a `tokenizer.json`")]
    NotUnigram { name: &'static str },
    #[error("its `precompiled_charsmap` is damaged")]
    Charsmap,
    #[error(
        "piece {id} is empty, or has a zero byte, a score that is not a number, or an invalid byte"
    )]
    Piece { id: u32 },
    #[error("it has no pieces of text")]
    Empty,
    #[error("it must have one piece for unknown characters")]
    Unknowns,
    #[error("it spells unknown characters in bytes, but lacks pieces for some of the 256")]
    Bytes,
}

impl SentencePiece {
    /// Reads a model file's content.
    ///
    /// # Errors
    /// When it is damaged or not a unigram model.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let file = ModelFile::read(bytes)?;
        let name = match file.algorithm {
            Algorithm::Unigram => None,
            Algorithm::BytePairs => Some("BPE"),
            Algorithm::Words => Some("word"),
            Algorithm::Characters => Some("character"),
        };
        if let Some(name) = name {
            return Err(ModelError::NotUnigram { name });
        }
        let pieces = file.pieces.iter().map(|piece| {
            let text = String::from_utf8_lossy(&piece.text).into_owned();
            (text, matches!(piece.kind, Kind::Control | Kind::Unknown))
        });
        Ok(Self {
            normaliser: Normaliser::new(&file)?,
            unigram: Unigram::new(&file)?,
            pieces: pieces.collect(),
        })
    }

    /// Token ids of a text, without special tokens. Whatever the text spells out is text.
    pub(super) fn encode(&self, text: &str) -> Vec<u32> {
        self.unigram.encode(&self.normaliser.normalise(text))
    }

    /// The id of a piece that marks something other than text.
    pub(super) fn control(&self, name: &str) -> Option<u32> {
        let found = self
            .pieces
            .iter()
            .position(|(text, is_control)| *is_control && text == name);
        found.and_then(|id| u32::try_from(id).ok())
    }

    /// A piece's text.
    pub(super) fn piece(&self, id: u32) -> Option<&str> {
        let (text, _) = self.pieces.get(id as usize)?;
        Some(text)
    }

    /// Pieces in all.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }
}

#[cfg(test)]
mod tests;
