//! From texts to vectors with a neural encoder, as sentence-transformers does it: tokens, cut, encoder, pooling.
//!
//! Texts go through the encoder in batches of about the same number of tokens, the long ones first, concatenated without padding.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use burn::tensor::FloatDType;
use burn::tensor::backend::Backend;
use engine::models::{CheckpointError, Dense, SentenceEncoder, SentenceFiles};
use engine::nn::Tokens;
use engine::nn::ops::Operations;
use rayon::prelude::*;

use super::pooling::{normalise, pool};
use super::sentence_files::{Pooling, SentenceFilesError, SentenceSettings, Step};
use crate::data::{Tokenizer, TokenizerError};

/// Where an embedder comes from. Its folder also holds the tokeniser and, where there are any, sentence-transformers' files.
#[derive(Debug, Clone, Copy)]
pub enum EmbedderSource<'a> {
    /// A checkpoint's folder.
    Folder(&'a Path),
    /// A `config.json`, its weights drawn from a seed.
    Random {
        /// The file.
        config: &'a Path,
        /// The seed.
        seed: u64,
    },
}

/// Why texts cannot be embedded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedderError {
    /// The encoder's files.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The tokeniser.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// sentence-transformers' files.
    #[error(transparent)]
    Files(#[from] SentenceFilesError),
    /// More tokens than the encoder can number.
    #[error(
        "{}: `max_seq_length` is {length}, but the model's position embeddings end after {positions} tokens: set it to {positions} or less",
        .path.display()
    )]
    TooLong {
        /// The file that asks for it.
        path: PathBuf,
        /// What it asks for.
        length: usize,
        /// What the model can number.
        positions: usize,
    },
    /// No room for a text beside the special tokens.
    #[error(
        "{}: texts are cut at {length} tokens, of which {special} are special ones, so none is left for the text: set `max_seq_length` above {special}",
        .folder.display()
    )]
    NoRoom {
        /// The model's folder.
        folder: PathBuf,
        /// Where texts are cut.
        length: usize,
        /// Special tokens of each text.
        special: usize,
    },
    /// A linear layer that does not fit what comes before it.
    #[error("{}: a layer for vectors of {inputs} values follows one of {width}: the folder mixes two models", .folder.display())]
    Width {
        /// The layer's folder.
        folder: PathBuf,
        /// What it takes.
        inputs: usize,
        /// What it is given.
        width: usize,
    },
    /// A text without a single token.
    #[error("text {text} has no tokens, so there is nothing to embed: leave it out")]
    NoTokens {
        /// Which text of those given, from 0.
        text: usize,
    },
}

/// An embedder's files, read and checked as far as they can be without its weights, and its tokeniser.
#[derive(Debug)]
pub struct Embedder {
    files: SentenceFiles,
    settings: SentenceSettings,
    tokenizer: Tokenizer,
    frame: Frame,
    max_length: usize,
    width: usize,
}

/// Special tokens that every text gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    before: usize,
    behind: usize,
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
    /// Opens an embedder.
    ///
    /// # Errors
    /// When files are missing, broken or not supported, or do not fit each other.
    pub fn open(source: EmbedderSource<'_>) -> Result<Self, EmbedderError> {
        let (folder, files) = match source {
            EmbedderSource::Folder(folder) => (folder, SentenceFiles::open(folder)?),
            EmbedderSource::Random { config, seed } => (
                config.parent().unwrap_or_else(|| Path::new("")),
                SentenceFiles::random(config, seed)?,
            ),
        };
        let settings = SentenceSettings::read(folder)?;
        let shapes = files.config().shapes();
        let tokenizer =
            Tokenizer::from_folder(folder, usize::MAX)?.for_vocabulary(shapes.vocab_size);
        let frame = Frame::of(&tokenizer)?;
        let limit = files.config().position_limit();
        let max_length = match (&settings.max_seq_length, limit) {
            (Some((length, path)), Some(positions)) if *length > positions => {
                // The tokeniser's own limit may count the rows of the table that no text uses.
                if path.ends_with("tokenizer_config.json") {
                    positions
                } else {
                    return Err(EmbedderError::TooLong {
                        path: path.clone(),
                        length: *length,
                        positions,
                    });
                }
            }
            (Some((length, _)), _) => *length,
            (None, _) => shapes.max_positions,
        };
        let special = frame.before + frame.behind;
        if max_length <= special {
            return Err(EmbedderError::NoRoom {
                folder: folder.to_owned(),
                length: max_length,
                special,
            });
        }
        let mut width = shapes.hidden_size;
        for step in &settings.steps {
            let Step::Dense(layer) = step else { continue };
            if layer.inputs != width {
                return Err(EmbedderError::Width {
                    folder: layer.folder.clone(),
                    inputs: layer.inputs,
                    width,
                });
            }
            width = layer.outputs;
        }
        Ok(Self {
            files,
            settings,
            tokenizer,
            frame,
            max_length,
            width,
        })
    }

    /// What a reader of the results should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.settings.notes
    }

    /// Tokens after which a text is cut, special ones included.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Values of a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether every vector has length 1, so that cosine, dot product and euclidean distance order alike.
    #[must_use]
    pub fn has_unit_length(&self) -> bool {
        self.settings.steps.last() == Some(&Step::Normalise)
    }

    /// Token ids of each text, uncut.
    ///
    /// # Errors
    /// When a text cannot be encoded.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, EmbedderError> {
        if self.settings.prompt.is_empty() && !self.settings.lower_case {
            return Ok(self.tokenizer.encode(texts)?);
        }
        let changed: Vec<String> = texts.iter().map(|text| self.changed(text)).collect();
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        Ok(self.tokenizer.encode(&changed)?)
    }

    /// A text with the prompt before it, in lower case where the model wants it: letter by letter, as the tokenisers do it.
    fn changed(&self, text: &str) -> String {
        let text = format!("{}{text}", self.settings.prompt);
        if self.settings.lower_case {
            text.chars().flat_map(char::to_lowercase).collect()
        } else {
            text
        }
    }

    /// Loads the weights. Those of the encoder and its activations are in `format`; what comes behind it is f32 always.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load<B: Operations>(
        self,
        format: FloatDType,
        device: &B::Device,
    ) -> Result<LoadedEmbedder<B>, EmbedderError> {
        let mut steps = Vec::new();
        for step in &self.settings.steps {
            steps.push(match step {
                Step::Normalise => None,
                Step::Dense(layer) => Some(layer.load(self.files.drawn(), device)?),
            });
        }
        Ok(LoadedEmbedder {
            encoder: self.files.load(format, device)?,
            pooling: self.settings.pooling,
            steps,
            device: device.clone(),
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
            behind: empty.len() - before,
        })
    }

    /// Cuts a text to `max_length` tokens without losing the special ones behind it.
    fn cut(self, tokens: &mut Vec<u32>, max_length: usize) {
        if tokens.len() > max_length {
            let behind = tokens.len() - self.behind;
            tokens.drain(max_length - self.behind..behind);
        }
    }
}

/// An embedder on a device.
#[derive(Debug)]
pub struct LoadedEmbedder<B: Backend> {
    files: Embedder,
    encoder: SentenceEncoder<B>,
    pooling: Pooling,
    /// A linear layer, or `None` where vectors are scaled to unit length.
    steps: Vec<Option<Dense<B>>>,
    device: B::Device,
}

impl<B: Operations> LoadedEmbedder<B> {
    /// What it was loaded from.
    #[must_use]
    pub fn files(&self) -> &Embedder {
        &self.files
    }

    /// The vectors of `texts`. `done` is told how many texts of all are done, after each batch.
    ///
    /// # Errors
    /// When a text cannot be encoded or has no tokens.
    pub fn embed(
        &self,
        texts: &[&str],
        done: impl FnMut(usize) + Send,
    ) -> Result<Embeddings, EmbedderError> {
        self.embed_in_batches(texts, B::portions().tokens, done)
    }

    /// [`LoadedEmbedder::embed`] with batches of up to `budget` tokens, or of one text.
    ///
    /// # Errors
    /// As [`LoadedEmbedder::embed`].
    pub fn embed_in_batches(
        &self,
        texts: &[&str],
        budget: usize,
        done: impl FnMut(usize) + Send,
    ) -> Result<Embeddings, EmbedderError> {
        let mut encoded = self.files.encode(texts)?;
        if let Some(text) = encoded.iter().position(Vec::is_empty) {
            return Err(EmbedderError::NoTokens { text });
        }
        let tokens = encoded.iter_mut().map(|ids| {
            let whole = ids.len();
            self.files.frame.cut(ids, self.files.max_length);
            let kept = ids.len();
            TextTokens { whole, kept }
        });
        let tokens: Vec<TextTokens> = tokens.collect();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(tokens[text].kept));

        let width = self.files.width;
        let batches = batches(&order, &tokens, budget);
        let next = AtomicUsize::new(0);
        let progress = Mutex::new((0, done));
        let lanes = B::portions().side_by_side.min(batches.len());
        let vectors = (0..lanes).into_par_iter().flat_map_iter(|_| {
            let mut vectors = Vec::new();
            // Each lane takes the next batch that nobody has taken.
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let rows: Vec<&[u32]> =
                    batch.iter().map(|&text| encoded[text].as_slice()).collect();
                vectors.push((*batch, self.forward(&Tokens::new(&rows, &self.device))));
                let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.0 += batch.len();
                let (finished, done) = &mut *progress;
                done(*finished);
            }
            vectors
        });
        let vectors: Vec<(&[usize], Vec<f32>)> = vectors.collect();
        let mut values = vec![0.0; texts.len() * width];
        for (batch, vectors) in vectors {
            for (&text, vector) in batch.iter().zip(vectors.chunks_exact(width)) {
                values[text * width..][..width].copy_from_slice(vector);
            }
        }
        Ok(Embeddings {
            width,
            values,
            tokens,
        })
    }

    /// `[texts, width]`.
    fn forward(&self, tokens: &Tokens<B>) -> Vec<f32> {
        let pooled = pool(self.encoder.hidden_states(tokens), tokens, self.pooling);
        let vectors = self.steps.iter().fold(pooled, |vectors, step| match step {
            Some(layer) => layer.forward(vectors),
            None => normalise(vectors),
        });
        vectors.into_data().iter::<f32>().collect()
    }
}

/// Cuts `order` into batches of up to `budget` tokens, or of one text.
fn batches<'a>(order: &'a [usize], tokens: &[TextTokens], budget: usize) -> Vec<&'a [usize]> {
    let mut batches = Vec::new();
    let (mut first, mut total) = (0, 0);
    for (place, &text) in order.iter().enumerate() {
        let kept = tokens[text].kept;
        if place > first && total + kept > budget {
            batches.push(&order[first..place]);
            (first, total) = (place, 0);
        }
        total += kept;
    }
    if first < order.len() {
        batches.push(&order[first..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(kept: &[usize]) -> Vec<TextTokens> {
        let of = |&kept| TextTokens { whole: kept, kept };
        kept.iter().map(of).collect()
    }

    #[test]
    fn batches_keep_to_the_budget_and_lose_no_text() {
        let tokens = tokens(&[9, 5, 4, 4, 1, 1]);
        let order = [0, 1, 2, 3, 4, 5];
        assert_eq!(
            batches(&order, &tokens, 8),
            [&[0][..], &[1], &[2, 3], &[4, 5]]
        );
        assert_eq!(batches(&order, &tokens, 1).len(), 6);
        assert_eq!(batches(&order, &tokens, 100), [&order[..]]);
        assert!(batches(&[], &tokens, 8).is_empty());
    }

    #[test]
    fn cut_texts_keep_their_special_tokens() {
        let frame = Frame {
            before: 1,
            behind: 1,
        };
        let cut = |length: usize| {
            let mut tokens = vec![0, 7, 8, 9, 2];
            frame.cut(&mut tokens, length);
            tokens
        };
        assert_eq!(cut(5), [0, 7, 8, 9, 2]);
        assert_eq!(cut(4), [0, 7, 8, 2]);
        assert_eq!(cut(3), [0, 7, 2]);
    }
}
