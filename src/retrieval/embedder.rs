//! From texts to vectors: tokens, cut, and the engine's embedder.

use std::path::PathBuf;

use engine::FloatDType;
use engine::device::Device;
use engine::embedder::{self, TokenEmbedder};
use engine::models::Source;
use engine::retrieval::{EmbedderFiles, Step};

use super::prefixes::{Given, Prefixes, Side};
use crate::data::{Tokenizer, TokenizerError};

/// Why texts cannot be embedded.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum EmbedderError {
    #[error(transparent)]
    Model(#[from] engine::retrieval::EmbedderError),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error(
        "{}: texts are cut at {length} tokens, of which {special} are special ones, so none is left for the text: set `max_seq_length` above {special}",
        .folder.display()
    )]
    NoRoom {
        folder: PathBuf,
        length: usize,
        special: usize,
    },
    #[error("text {text} has no tokens, so there is nothing to embed: leave it out")]
    NoTokens { text: usize },
}

/// An embedder's files, read and checked as far as they can be without its weights, and its
/// tokeniser.
#[derive(Debug)]
pub struct Embedder {
    model: EmbedderFiles,
    tokenizer: Tokenizer,
    frame: Frame,
    prefixes: Prefixes,
    notes: Vec<String>,
}

/// Special tokens that every text gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    before: usize,
    after: usize,
}

/// Tokens of a text, special ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextTokens {
    /// Before it is cut.
    pub whole: usize,
    /// Those that the encoder reads.
    pub kept: usize,
}

/// The vectors of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// Values of one vector.
    pub width: usize,
    /// `[texts, width]`, in the order of the texts.
    pub values: Vec<f32>,
    /// The tokens of each text.
    pub tokens: Vec<TextTokens>,
}

impl Embedder {
    /// Opens an embedder, with what is given put before its texts, or else what its files say.
    ///
    /// # Errors
    /// When files are missing, broken or not supported, or do not fit each other.
    pub fn open(source: Source<'_>, given: Given<'_>) -> Result<Self, EmbedderError> {
        let model = EmbedderFiles::open(source)?;
        let tokenizer =
            Tokenizer::from_folder(model.folder(), usize::MAX)?.for_vocabulary(model.vocab_size());
        let frame = Frame::of(&tokenizer)?;
        let special = frame.before + frame.after;
        if model.max_length() <= special {
            return Err(EmbedderError::NoRoom {
                folder: model.folder().to_owned(),
                length: model.max_length(),
                special,
            });
        }
        // Which prompts there are, and before what they go, is said side by side.
        let of_all = format!(
            "the model puts its prompt “{}” before every text",
            model.settings().prompt
        );
        let settings = model.settings().notes.iter();
        let settings = settings.filter(|note| **note != of_all);
        let notes = settings.cloned().chain(tokenizer.note().map(str::to_owned));
        Ok(Self {
            notes: notes.collect(),
            prefixes: Prefixes::of(model.folder(), given),
            model,
            tokenizer,
            frame,
        })
    }

    /// What a reader of the results should know, whatever texts of a side it embeds.
    #[must_use]
    pub fn notes(&self, side: Side) -> Vec<String> {
        let of_prefix = self.prefixes.note(side).map(str::to_owned);
        self.notes.iter().cloned().chain(of_prefix).collect()
    }

    /// Tokens after which a text is cut, special ones included.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.model.max_length()
    }

    /// Values of a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.model.width()
    }

    /// Whether every vector has length 1, so that cosine, dot product and euclidean distance order
    /// alike.
    #[must_use]
    pub fn has_unit_length(&self) -> bool {
        self.model.settings().steps.last() == Some(&Step::Normalise)
    }

    /// Token ids of each text of a side with what goes before it, uncut.
    ///
    /// # Errors
    /// When a text cannot be encoded.
    pub fn encode(&self, side: Side, texts: &[&str]) -> Result<Vec<Vec<u32>>, EmbedderError> {
        if self.prefixes.text(side).is_empty() && !self.model.settings().lower_case {
            return Ok(self.tokenizer.encode(texts)?);
        }
        let changed = texts.iter().map(|text| self.changed(side, text));
        let changed: Vec<String> = changed.collect();
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        Ok(self.tokenizer.encode(&changed)?)
    }

    /// A text with what goes before it, in lower case where the model wants it: letter by letter,
    /// as the tokenisers do it.
    fn changed(&self, side: Side, text: &str) -> String {
        let text = format!("{}{text}", self.prefixes.text(side));
        if self.model.settings().lower_case {
            text.chars().flat_map(char::to_lowercase).collect()
        } else {
            text
        }
    }

    /// Loads the weights onto a device. Those of the encoder and its activations are in `format`;
    /// what follows it is always in f32.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load(self, format: FloatDType, device: Device) -> Result<LoadedEmbedder, EmbedderError> {
        Ok(LoadedEmbedder {
            model: embedder::load(&self.model, format, device)?,
            files: self,
        })
    }
}

impl Frame {
    /// Finds them by what an empty text and one letter have in common.
    fn of(tokenizer: &Tokenizer) -> Result<Self, TokenizerError> {
        let [empty, letter] = ["", "a"].map(|text| tokenizer.encode(&[text]));
        let (empty, letter) = (empty?.remove(0), letter?.remove(0));
        let both = empty.iter().zip(&letter);
        let before = both.take_while(|(a, b)| a == b).count();
        Ok(Self {
            before,
            after: empty.len() - before,
        })
    }

    /// Cuts a text to `max_length` tokens without losing the special ones around it: its end, or
    /// with `left` its beginning.
    fn cut(self, tokens: &mut Vec<u32>, max_length: usize, left: bool) {
        let Some(surplus) = tokens.len().checked_sub(max_length) else {
            return;
        };
        let start = if left {
            self.before
        } else {
            max_length - self.after
        };
        tokens.drain(start..start + surplus);
    }
}

/// An embedder on a device.
pub struct LoadedEmbedder {
    files: Embedder,
    model: Box<dyn TokenEmbedder>,
}

impl LoadedEmbedder {
    /// What it was loaded from.
    #[must_use]
    pub fn files(&self) -> &Embedder {
        &self.files
    }

    /// The vectors of the `texts` of a side. `done` gets the number of finished texts after each batch.
    ///
    /// # Errors
    /// When a text cannot be encoded or has no tokens.
    pub fn embed(
        &self,
        side: Side,
        texts: &[&str],
        done: impl FnMut(usize) + Send,
    ) -> Result<Embeddings, EmbedderError> {
        self.embed_in_batches(side, texts, None, done)
    }

    /// [`LoadedEmbedder::embed`] with batches of up to `budget` tokens, or of one text.
    ///
    /// # Errors
    /// As [`LoadedEmbedder::embed`].
    pub fn embed_in_batches(
        &self,
        side: Side,
        texts: &[&str],
        budget: Option<usize>,
        mut done: impl FnMut(usize) + Send,
    ) -> Result<Embeddings, EmbedderError> {
        let mut encoded = self.files.encode(side, texts)?;
        if let Some(text) = encoded.iter().position(Vec::is_empty) {
            return Err(EmbedderError::NoTokens { text });
        }
        let tokens = encoded.iter_mut().map(|ids| {
            let whole = ids.len();
            let left = self.files.tokenizer.cuts_left();
            self.files.frame.cut(ids, self.files.max_length(), left);
            let kept = ids.len();
            TextTokens { whole, kept }
        });
        let tokens = tokens.collect();
        let vectors = self.model.embed(&encoded, budget, &mut done);
        Ok(Embeddings {
            width: vectors.width,
            values: vectors.values,
            tokens,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_texts_keep_their_special_tokens() {
        let frame = Frame {
            before: 1,
            after: 1,
        };
        let cut = |length: usize, left: bool| {
            let mut tokens = vec![0, 7, 8, 9, 2];
            frame.cut(&mut tokens, length, left);
            tokens
        };
        assert_eq!(cut(5, false), [0, 7, 8, 9, 2]);
        assert_eq!(cut(4, false), [0, 7, 8, 2]);
        assert_eq!(cut(3, false), [0, 7, 2]);
        assert_eq!(cut(5, true), [0, 7, 8, 9, 2]);
        assert_eq!(cut(4, true), [0, 8, 9, 2]);
        assert_eq!(cut(3, true), [0, 9, 2]);
    }
}
