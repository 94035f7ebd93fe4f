//! From texts to token ids: a checkpoint's `tokenizer.json`, used as `transformers` uses it. Knows nothing of batches or models.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use tokenizers::utils::truncation::{TruncationDirection, TruncationParams};
use tokenizers::{PostProcessor, Tokenizer as Pipeline};

/// A checkpoint's tokeniser.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    pipeline: Pipeline,
    path: PathBuf,
    pad_id: Option<u32>,
    model_vocabulary: usize,
}

/// Why a tokeniser cannot be loaded or used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// There is no `tokenizer.json`, or it cannot be read.
    #[error("{}: cannot be read: {reason}{}", .path.display(), if reason.kind() == io::ErrorKind::NotFound {
        ": the model's folder must hold its `tokenizer.json`"
    } else {
        ""
    })]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// The file is not a tokeniser.
    #[error("{}: not a tokeniser: {reason}: copy the file from the checkpoint again", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        reason: String,
    },
    /// No room for a text beside the special tokens.
    #[error(
        "{}: it adds {special} special tokens to each text, so `training.max_length = {max_length}` leaves no room for the text: \
         set it above {special}",
        .path.display()
    )]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// The limit asked for.
        max_length: usize,
        /// Special tokens that each text gets.
        special: usize,
    },
    /// A text cannot be encoded.
    #[error("{}: text {text} cannot be encoded: {reason}", .path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Which text of those given, from 0.
        text: usize,
        /// The tokeniser's reason.
        reason: String,
    },
    /// A token that the model has no embedding for.
    #[error(
        "{}: token `{token}` has the id {id}, but the model's `vocab_size` is {vocabulary}: the tokeniser belongs to another model",
        .path.display()
    )]
    UnknownToModel {
        /// The file.
        path: PathBuf,
        /// The token.
        token: String,
        /// Its id.
        id: u32,
        /// Ids that the model knows.
        vocabulary: usize,
    },
}

impl Tokenizer {
    /// Loads `tokenizer.json` from a checkpoint's folder. Texts are cut on the right to `max_length` tokens, special tokens
    /// included. Padding and truncation that the file itself asks for are dropped, as `transformers` does.
    ///
    /// # Errors
    ///
    /// If the file is missing or broken, or `max_length` is no more than the special tokens of each text.
    pub fn from_folder(folder: &Path, max_length: usize) -> Result<Self, TokenizerError> {
        let path = folder.join("tokenizer.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(reason) => return Err(TokenizerError::Unreadable { path, reason }),
        };
        let parsed = guarded(|| Pipeline::from_bytes(&bytes).map_err(|error| error.to_string()));
        let mut pipeline = match parsed {
            Ok(pipeline) => pipeline,
            Err(reason) => return Err(TokenizerError::Broken { path, reason }),
        };
        let pad_id = pad_id(folder, &pipeline);
        let special = pipeline
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(false));
        if max_length <= special {
            return Err(TokenizerError::NoRoom {
                path,
                max_length,
                special,
            });
        }
        let truncation = TruncationParams {
            max_length,
            direction: TruncationDirection::Right,
            ..TruncationParams::default()
        };
        pipeline.with_padding(None);
        if let Err(reason) = pipeline.with_truncation(Some(truncation)) {
            return Err(TokenizerError::Broken {
                path,
                reason: reason.to_string(),
            });
        }
        Ok(Self {
            pipeline,
            path,
            pad_id,
            model_vocabulary: usize::MAX,
        })
    }

    /// Lets [`encode`](Self::encode) refuse tokens that a model with so many embeddings does not know.
    #[must_use]
    pub fn for_vocabulary(mut self, vocabulary: usize) -> Self {
        self.model_vocabulary = vocabulary;
        self
    }

    /// Token ids of each text, special tokens added, in the order of the texts. A special token that is spelled out in a text
    /// becomes that token, as in `transformers`. Runs on all of rayon's threads.
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
        let encode = || {
            let encoded = self.pipeline.encode_fast(content, true);
            encoded.map_err(|error| error.to_string())
        };
        let encoding = guarded(encode).map_err(|reason| TokenizerError::Encoding {
            path: self.path.clone(),
            text,
            reason,
        })?;
        let ids = encoding.get_ids();
        match ids.iter().find(|&&id| id as usize >= self.model_vocabulary) {
            None => Ok(ids.to_vec()),
            Some(&id) => Err(TokenizerError::UnknownToModel {
                path: self.path.clone(),
                token: self.pipeline.id_to_token(id).unwrap_or_default(),
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
        self.pipeline.get_vocab_size(true)
    }
}

/// Turns a panic into an error: the `tokenizers` crate has files and texts at which it panics, such as expressions that take too long.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(said.unwrap_or("it cannot be used").to_owned())
    })
}

/// What the checkpoint names as its padding token: in `tokenizer_config.json`, else in `special_tokens_map.json`, else in the
/// padding settings of `tokenizer.json`.
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
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        folder: String,
        max_length: usize,
        pad_id: u32,
        vocab_size: usize,
        ids: Vec<Vec<u32>>,
    }

    #[derive(Deserialize)]
    struct Fixture {
        texts: Vec<String>,
        cases: Vec<Case>,
    }

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/tokenizer")
    }

    fn fixture() -> Fixture {
        let text = include_str!("../../tests/parity/tokenizer/expected.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn ids_are_those_of_transformers() {
        let Fixture { texts, cases } = fixture();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for case in cases {
            let folder = fixtures().join(&case.folder);
            let tokenizer = Tokenizer::from_folder(&folder, case.max_length).unwrap();
            let encoded = tokenizer.encode(&texts).unwrap();
            for ((text, ids), expected) in texts.iter().zip(&encoded).zip(&case.ids) {
                assert_eq!(
                    ids, expected,
                    "{} {}: {text:?}",
                    case.folder, case.max_length
                );
            }
            assert_eq!(encoded.len(), case.ids.len());
            assert_eq!(tokenizer.pad_id(), Some(case.pad_id));
            assert_eq!(tokenizer.vocab_size(), case.vocab_size);
        }
    }

    #[test]
    fn padding_of_the_file_itself_names_the_pad_token_where_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = "tokenizer.json";
        fs::copy(
            fixtures().join("word-piece").join(file),
            folder.path().join(file),
        )
        .unwrap();
        let tokenizer = Tokenizer::from_folder(folder.path(), 16).unwrap();
        assert_eq!(tokenizer.pad_id(), Some(3));
    }

    #[test]
    fn tokens_unknown_to_the_model_are_refused() {
        let folder = fixtures().join("word-piece");
        let tokenizer = Tokenizer::from_folder(&folder, 16)
            .unwrap()
            .for_vocabulary(100);
        let error = tokenizer.encode(&["2", "great"]).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "token `great` has the id 153, but the model's `vocab_size` is 100: the tokeniser belongs to another model"
            ),
            "{error}"
        );
        assert!(tokenizer.for_vocabulary(178).encode(&["great"]).is_ok());
    }

    #[test]
    fn lengths_without_room_for_a_text_are_refused() {
        let folder = fixtures().join("word-piece");
        for max_length in [0, 1, 2] {
            let error = Tokenizer::from_folder(&folder, max_length).unwrap_err();
            assert!(
                matches!(error, TokenizerError::NoRoom { special: 2, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn missing_and_broken_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Tokenizer::from_folder(folder.path(), 16)
            .unwrap_err()
            .to_string();
        assert!(error.contains("tokenizer.json: cannot be read"), "{error}");
        assert!(
            error.ends_with("the model's folder must hold its `tokenizer.json`"),
            "{error}"
        );
        for content in ["{\"version\": ", "[]", "{\"version\": \"1.0\"}", "\u{0}"] {
            fs::write(folder.path().join("tokenizer.json"), content).unwrap();
            let error = Tokenizer::from_folder(folder.path(), 16).unwrap_err();
            assert!(matches!(error, TokenizerError::Broken { .. }), "{error}");
        }
    }
}
