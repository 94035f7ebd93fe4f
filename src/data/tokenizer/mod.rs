//! From texts to token ids: a checkpoint's `tokenizer.json` or vocabulary, used as `transformers`
//! uses it, or else its `spm.model`. Knows nothing of batches or models.

mod decoder;
mod pipeline;
mod settings;

pub use decoder::{DecoderTokenizer, TextStream};

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tokenizers::utils::truncation::{TruncationDirection, TruncationParams};
use tokenizers::{PostProcessor, Tokenizer as Pipeline};

use super::deberta_pieces::DebertaPieces;
use pipeline::Built;
use settings::Settings;

/// A checkpoint's tokeniser.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    method: Method,
    path: PathBuf,
    max_length: usize,
    side: TruncationDirection,
    pad_id: Option<u32>,
    model_max_length: Option<usize>,
    model_vocabulary: usize,
    note: Option<String>,
}

/// How texts become tokens: by the file that the checkpoint has for it.
#[derive(Debug, Clone)]
enum Method {
    /// `tokenizer.json`, or a vocabulary and the rules of its class.
    Pipeline(Box<Pipeline>),
    /// `spm.model` alone, as DeBERTa's checkpoints have it.
    Pieces(Box<DebertaPieces>),
}

/// Why a tokeniser cannot be loaded or used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum TokenizerError {
    #[error("{}: cannot be read: {reason}{}", .path.display(), if reason.kind() == io::ErrorKind::NotFound {
        ": the model's folder must hold its `tokenizer.json`, or `vocab.txt` of a BERT, `vocab.json` and `merges.txt` of a RoBERTa, `spm.model` of a DeBERTa"
    } else {
        ""
    })]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{}: not a tokeniser: {reason}: copy the file from the checkpoint again", .path.display())]
    Broken { path: PathBuf, reason: String },
    #[error("{}: not there: a decoder's folder must hold it; `save_pretrained` of its tokeniser in transformers writes it", .path.display())]
    NoJson { path: PathBuf },
    #[error("{}: `{setting}` is not supported with an `spm.model`: save the tokeniser as a `tokenizer.json` beside it", .path.display())]
    Setting {
        path: PathBuf,
        setting: &'static str,
    },
    #[error("{}: `{setting}` {problem}", .path.display())]
    Unusable {
        path: PathBuf,
        setting: &'static str,
        problem: String,
    },
    #[error(
        "{}: it adds {special} special tokens to each text, so `training.max_length = {max_length}` leaves no room for the text: \
         set it above {special}",
        .path.display()
    )]
    NoRoom {
        path: PathBuf,
        max_length: usize,
        special: usize,
    },
    #[error("{}: text {text} cannot be encoded: {reason}", .path.display())]
    Encoding {
        path: PathBuf,
        text: usize,
        reason: String,
    },
    #[error(
        "{}: token `{token}` has the id {id}, but the model's `vocab_size` is {vocabulary}: the tokeniser belongs to another model",
        .path.display()
    )]
    UnknownToModel {
        path: PathBuf,
        token: String,
        id: u32,
        vocabulary: usize,
    },
}

impl Tokenizer {
    /// Loads a checkpoint's tokeniser: `tokenizer.json`, else the vocabulary of its class, else
    /// `spm.model`. Texts are cut to `max_length` tokens, special tokens included, on the side that
    /// the files name. `tokenizer_config.json` counts as it does for `transformers`; padding and
    /// length that `tokenizer.json` itself asks for are dropped, as there.
    ///
    /// # Errors
    ///
    /// If a file is missing or broken, asks for what cannot be obeyed, or `max_length` is no more
    /// than the special tokens of each text.
    pub fn from_folder(folder: &Path, max_length: usize) -> Result<Self, TokenizerError> {
        let settings = Settings::read(folder)?;
        let mut tokenizer = match pipeline::build(folder, &settings)? {
            Some(built) => Self::of_pipeline(built, max_length)?,
            None => Self::of_pieces(folder, &settings, max_length)?,
        };
        tokenizer.model_max_length = settings.model_max_length();
        Ok(tokenizer)
    }

    fn of_pipeline(built: Built, max_length: usize) -> Result<Self, TokenizerError> {
        let Built {
            mut pipeline,
            path,
            pad_id,
            side,
            note,
        } = built;
        let special = pipeline
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(false));
        has_room(&path, max_length, special)?;
        let truncation = TruncationParams {
            max_length,
            direction: side,
            ..TruncationParams::default()
        };
        if let Err(reason) = pipeline.with_truncation(Some(truncation)) {
            let reason = reason.to_string();
            return Err(TokenizerError::Broken { path, reason });
        }
        Ok(Self {
            method: Method::Pipeline(Box::new(pipeline)),
            path,
            max_length,
            side,
            pad_id,
            model_max_length: None,
            model_vocabulary: usize::MAX,
            note,
        })
    }

    fn of_pieces(
        folder: &Path,
        settings: &Settings,
        max_length: usize,
    ) -> Result<Self, TokenizerError> {
        let path = folder.join("spm.model");
        let bytes = fs::read(&path).map_err(|reason| TokenizerError::Unreadable {
            path: match reason.kind() {
                io::ErrorKind::NotFound => folder.join("tokenizer.json"),
                _ => path.clone(),
            },
            reason,
        })?;
        // None of DeBERTa's published checkpoints asks for them.
        for setting in ["do_lower_case", "split_by_punct"] {
            if settings.switch(setting) == Some(true) {
                let path = settings.path.clone();
                return Err(TokenizerError::Setting { path, setting });
            }
        }
        let pieces = DebertaPieces::read(&bytes).map_err(|reason| TokenizerError::Broken {
            path: path.clone(),
            reason: reason.to_string(),
        })?;
        has_room(&path, max_length, DebertaPieces::SPECIAL)?;
        Ok(Self {
            pad_id: pieces.pad_id(),
            method: Method::Pieces(Box::new(pieces)),
            path,
            max_length,
            side: settings
                .truncation_side()
                .unwrap_or(TruncationDirection::Right),
            model_max_length: None,
            model_vocabulary: usize::MAX,
            note: None,
        })
    }

    /// Lets [`encode`](Self::encode) refuse tokens that a model with so many embeddings does not
    /// know.
    #[must_use]
    pub fn for_vocabulary(mut self, vocabulary: usize) -> Self {
        self.model_vocabulary = vocabulary;
        self
    }

    /// Token ids of each text, special tokens added, in the order of the texts. A special token
    /// that is spelled out in a text becomes that token, as in `transformers`. Runs on all of rayon's threads.
    ///
    /// # Errors
    ///
    /// If a text cannot be encoded, or a token is unknown to the model.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<u32>>, TokenizerError> {
        let encoded = texts
            .par_iter()
            .enumerate()
            .map(|(text, content)| self.encode_one(text, content));
        encoded.collect::<Vec<_>>().into_iter().collect()
    }

    fn encode_one(&self, text: usize, content: &str) -> Result<Vec<u32>, TokenizerError> {
        let ids = match &self.method {
            Method::Pipeline(pipeline) => {
                let encode = || {
                    let encoded = pipeline.encode_fast(content, true);
                    encoded.map_err(|error| error.to_string())
                };
                let encoding = guarded(encode).map_err(|reason| TokenizerError::Encoding {
                    path: self.path.clone(),
                    text,
                    reason,
                })?;
                encoding.get_ids().to_vec()
            }
            Method::Pieces(pieces) => pieces.encode(content, self.max_length, self.cuts_left()),
        };
        match ids.iter().find(|&&id| id as usize >= self.model_vocabulary) {
            None => Ok(ids),
            Some(&id) => Err(TokenizerError::UnknownToModel {
                path: self.path.clone(),
                token: match &self.method {
                    Method::Pipeline(pipeline) => pipeline.id_to_token(id).unwrap_or_default(),
                    Method::Pieces(pieces) => pieces.token(id).unwrap_or_default().to_owned(),
                },
                id,
                vocabulary: self.model_vocabulary,
            }),
        }
    }

    /// Whether texts that are too long lose their beginning rather than their end.
    #[must_use]
    pub fn cuts_left(&self) -> bool {
        matches!(self.side, TruncationDirection::Left)
    }

    /// Tokens after which the checkpoint wants texts to be cut, special ones included.
    #[must_use]
    pub fn model_max_length(&self) -> Option<usize> {
        self.model_max_length
    }

    /// What a reader of the results should know.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The padding token's id, if there is one.
    #[must_use]
    pub fn pad_id(&self) -> Option<u32> {
        self.pad_id
    }

    /// Tokens in all, added ones included.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        match &self.method {
            Method::Pipeline(pipeline) => pipeline.get_vocab_size(true),
            Method::Pieces(pieces) => pieces.vocab_size(),
        }
    }
}

/// Turns a panic into an error: the `tokenizers` crate has files and texts at which it panics, such
/// as expressions that take too long.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(said.unwrap_or("it cannot be used").to_owned())
    })
}

fn has_room(path: &Path, max_length: usize, special: usize) -> Result<(), TokenizerError> {
    if max_length > special {
        return Ok(());
    }
    Err(TokenizerError::NoRoom {
        path: path.to_owned(),
        max_length,
        special,
    })
}

#[cfg(test)]
mod tests;
