//! From texts to token ids: a checkpoint's `tokenizer.json`, used as `transformers` uses it, or
//! else its `spm.model`. Knows nothing of batches or models.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use tokenizers::utils::truncation::{TruncationDirection, TruncationParams};
use tokenizers::{PostProcessor, Tokenizer as Pipeline};

use super::deberta_pieces::DebertaPieces;
use super::long_texts;

/// A checkpoint's tokeniser.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    method: Method,
    path: PathBuf,
    max_length: usize,
    pad_id: Option<u32>,
    model_vocabulary: usize,
}

/// How texts become tokens: by the file that the checkpoint has for it.
#[derive(Debug, Clone)]
enum Method {
    /// `tokenizer.json`.
    Pipeline(Box<Pipeline>),
    /// `spm.model` alone, as DeBERTa's checkpoints have it.
    Pieces(Box<DebertaPieces>),
}

/// Why a tokeniser cannot be loaded or used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum TokenizerError {
    #[error("{}: cannot be read: {reason}{}", .path.display(), if reason.kind() == io::ErrorKind::NotFound {
        ": the model's folder must hold its `tokenizer.json`, or its `spm.model`"
    } else {
        ""
    })]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{}: not a tokeniser: {reason}: copy the file from the checkpoint again", .path.display())]
    Broken { path: PathBuf, reason: String },
    #[error("{}: `{setting}` is not supported with an `spm.model`: save the tokeniser as a `tokenizer.json` beside it", .path.display())]
    Setting {
        path: PathBuf,
        setting: &'static str,
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
    /// Loads `tokenizer.json` from a checkpoint's folder, or `spm.model` where there is none. Texts
    /// are cut on the right to `max_length` tokens, special tokens included. Padding and truncation
    /// that the file itself asks for are dropped, as `transformers` does.
    ///
    /// # Errors
    ///
    /// If the file is missing or broken, or `max_length` is no more than the special tokens of each
    /// text.
    pub fn from_folder(folder: &Path, max_length: usize) -> Result<Self, TokenizerError> {
        let [json, pieces] = TOKENISER_FILES.map(|name| folder.join(name));
        let is_json = json.exists() || !pieces.exists();
        let path = if is_json { json } else { pieces };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(reason) => return Err(TokenizerError::Unreadable { path, reason }),
        };
        let broken = |reason: String| TokenizerError::Broken {
            path: path.clone(),
            reason,
        };
        let (method, pad_id, special) = if is_json {
            let parse = || {
                long_texts::refuse(&bytes)?;
                Pipeline::from_bytes(&bytes).map_err(|reason| reason.to_string())
            };
            let mut pipeline = guarded(parse).map_err(broken)?;
            let pad_id = pad_id(folder, &pipeline);
            let special = pipeline
                .get_post_processor()
                .map_or(0, |processor| processor.added_tokens(false));
            pipeline.with_padding(None);
            if max_length > special {
                let truncation = TruncationParams {
                    max_length,
                    direction: TruncationDirection::Right,
                    ..TruncationParams::default()
                };
                let cut = pipeline.with_truncation(Some(truncation));
                cut.map_err(|reason| broken(reason.to_string()))?;
            }
            (Method::Pipeline(Box::new(pipeline)), pad_id, special)
        } else {
            refuse_settings(folder)?;
            let pieces =
                DebertaPieces::read(&bytes).map_err(|reason| broken(reason.to_string()))?;
            let pad_id = pieces.pad_id();
            (
                Method::Pieces(Box::new(pieces)),
                pad_id,
                DebertaPieces::SPECIAL,
            )
        };
        if max_length <= special {
            return Err(TokenizerError::NoRoom {
                path,
                max_length,
                special,
            });
        }
        Ok(Self {
            method,
            path,
            max_length,
            pad_id,
            model_vocabulary: usize::MAX,
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
    /// that is spelled out in a text becomes that token with a `tokenizer.json`, as in
    /// `transformers`, and stays text with an `spm.model`. Runs on all of rayon's threads.
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
            Method::Pieces(pieces) => pieces.encode(content, self.max_length),
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

/// Files with a tokeniser, the preferred one first.
const TOKENISER_FILES: [&str; 2] = ["tokenizer.json", "spm.model"];

/// What `tokenizer_config.json` may ask of DeBERTa's tokeniser and none of its published
/// checkpoints does.
fn refuse_settings(folder: &Path) -> Result<(), TokenizerError> {
    let path = folder.join("tokenizer_config.json");
    let Ok(bytes) = fs::read(&path) else {
        return Ok(());
    };
    let settings: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    for setting in ["do_lower_case", "split_by_punct"] {
        if settings[setting] == Value::Bool(true) {
            return Err(TokenizerError::Setting { path, setting });
        }
    }
    Ok(())
}

/// What the checkpoint names as its padding token: in `tokenizer_config.json`, else in
/// `special_tokens_map.json`, else in the padding settings of `tokenizer.json`.
fn pad_id(folder: &Path, pipeline: &Pipeline) -> Option<u32> {
    let named = ["tokenizer_config.json", "special_tokens_map.json"]
        .into_iter()
        .find_map(|file| {
            let settings: Value =
                serde_json::from_slice(&fs::read(folder.join(file)).ok()?).ok()?;
            let token = &settings["pad_token"];
            let token = token.as_str().or_else(|| token["content"].as_str())?;
            pipeline.token_to_id(token)
        });
    named.or_else(|| pipeline.get_padding().map(|padding| padding.pad_id))
}

#[cfg(test)]
mod tests;
