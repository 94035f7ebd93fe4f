//! A decoder's tokeniser: from prompts to token ids, and from the ids of an answer back to text, at
//! once or while it grows.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokenizers::Tokenizer as Pipeline;

use super::settings::Settings;
use super::{TokenizerError, guarded, pipeline};

/// A checkpoint's tokeniser as a decoder uses it. Nothing is ever cut.
#[derive(Debug, Clone)]
pub struct DecoderTokenizer {
    pipeline: Pipeline,
    path: PathBuf,
    /// What stands around a raw prompt, where the settings say so themselves; else the file's own
    /// post-processor adds it.
    around: Option<[Option<u32>; 2]>,
    eos_id: Option<u32>,
    special_tokens: BTreeMap<String, String>,
    chat_template: Option<(PathBuf, String)>,
    model_vocabulary: usize,
}

impl DecoderTokenizer {
    /// Loads the tokeniser of a checkpoint's folder, with its chat template where it has one.
    ///
    /// # Errors
    ///
    /// If a file is missing or broken, or asks for what cannot be obeyed.
    pub fn from_folder(folder: &Path) -> Result<Self, TokenizerError> {
        let settings = Settings::read(folder)?;
        let built = pipeline::build(folder, &settings)?.ok_or_else(|| TokenizerError::NoJson {
            path: folder.join("tokenizer.json"),
        })?;
        let mut pipeline = built.pipeline;
        let path = built.path;
        if let Err(reason) = pipeline.with_truncation(None) {
            let reason = reason.to_string();
            return Err(TokenizerError::Broken { path, reason });
        }
        let id = |key: &str| {
            let token = settings.special(key)?;
            pipeline.token_to_id(&token.content)
        };
        // As transformers 5: whoever says one of the two gets no post-processor but these.
        let says = settings.says("add_bos_token") || settings.says("add_eos_token");
        let around = (says || pipeline.get_post_processor().is_none()).then(|| {
            [
                ("add_bos_token", "bos_token"),
                ("add_eos_token", "eos_token"),
            ]
            .map(|(switch, key)| {
                let added = settings.switch(switch) == Some(true);
                added.then(|| id(key)).flatten()
            })
        });
        Ok(Self {
            eos_id: id("eos_token"),
            around,
            special_tokens: settings.named_tokens(),
            chat_template: chat_template(folder, &settings)?,
            model_vocabulary: usize::MAX,
            pipeline,
            path,
        })
    }

    /// Lets [`encode`](Self::encode) refuse tokens that a model with so many embeddings does not
    /// know.
    #[must_use]
    pub fn for_vocabulary(mut self, vocabulary: usize) -> Self {
        self.model_vocabulary = vocabulary;
        self
    }

    /// The token ids of a text. Special tokens that are spelled out in it become these tokens, as in
    /// `transformers`. `raw` texts also get what stands around every text of this tokeniser; a chat
    /// that its template wrote has it already.
    ///
    /// # Errors
    ///
    /// If it cannot be encoded, or a token is unknown to the model.
    pub fn encode(&self, text: &str, raw: bool) -> Result<Vec<u32>, TokenizerError> {
        let own = raw && self.around.is_none();
        let encode = || {
            let encoded = self.pipeline.encode_fast(text, own);
            encoded.map_err(|error| error.to_string())
        };
        let encoding = guarded(encode).map_err(|reason| TokenizerError::Encoding {
            path: self.path.clone(),
            text: 0,
            reason,
        })?;
        let [before, after] = self.around.filter(|_| raw).unwrap_or_default();
        let ids = before.into_iter().chain(encoding.get_ids().iter().copied());
        let ids: Vec<u32> = ids.chain(after).collect();
        match ids.iter().find(|&&id| id as usize >= self.model_vocabulary) {
            None => Ok(ids),
            Some(&id) => Err(TokenizerError::UnknownToModel {
                path: self.path.clone(),
                token: self.pipeline.id_to_token(id).unwrap_or_default(),
                id,
                vocabulary: self.model_vocabulary,
            }),
        }
    }

    /// The text of token ids; ids without a token say nothing.
    #[must_use]
    pub fn decode(&self, ids: &[u32], special_tokens: bool) -> String {
        let decode = || {
            let decoded = self.pipeline.decode(ids, !special_tokens);
            decoded.map_err(|error| error.to_string())
        };
        guarded(decode).unwrap_or_default()
    }

    /// The token that ends what the assistant says in a chat.
    #[must_use]
    pub fn eos_id(&self) -> Option<u32> {
        self.eos_id
    }

    /// The token of an id, as the vocabulary has it.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        self.pipeline.id_to_token(id)
    }

    /// The texts of `bos_token`, `eos_token` and the like.
    #[must_use]
    pub fn special_tokens(&self) -> &BTreeMap<String, String> {
        &self.special_tokens
    }

    /// The checkpoint's chat template, and the file that it stands in.
    #[must_use]
    pub fn chat_template(&self) -> Option<(&Path, &str)> {
        let (path, source) = self.chat_template.as_ref()?;
        Some((path, source))
    }
}

/// The chat template of a folder: a file of its own, or a key of `tokenizer_config.json`.
fn chat_template(
    folder: &Path,
    settings: &Settings,
) -> Result<Option<(PathBuf, String)>, TokenizerError> {
    let path = folder.join("chat_template.jinja");
    match fs::read_to_string(&path) {
        Ok(source) => return Ok(Some((path, source))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(reason) => return Err(TokenizerError::Unreadable { path, reason }),
    }
    let template = settings.chat_template()?;
    Ok(template.map(|source| (settings.path.clone(), source)))
}

/// The text of an answer while it grows. Bytes of a character that is not whole yet are held back.
#[derive(Debug, Clone, Default)]
pub struct TextStream {
    /// Tokens from the last ones that are told; the earlier ones do not matter any more.
    window: Vec<u32>,
    /// How many of them are told.
    told: usize,
}

impl TextStream {
    /// What a further token adds to the text; often nothing.
    pub fn push(&mut self, tokenizer: &DecoderTokenizer, token: u32) -> String {
        self.window.push(token);
        let (before, now) = self.texts(tokenizer);
        let whole = !now.ends_with(char::REPLACEMENT_CHARACTER);
        match now.strip_prefix(before.as_str()) {
            Some(new) if whole && !new.is_empty() => {
                let new = new.to_owned();
                self.window.drain(..self.told);
                self.told = self.window.len();
                new
            }
            _ => String::new(),
        }
    }

    /// What was held back, when no more tokens come.
    pub fn finish(&mut self, tokenizer: &DecoderTokenizer) -> String {
        let (before, now) = self.texts(tokenizer);
        self.told = self.window.len();
        now.strip_prefix(before.as_str()).unwrap_or("").to_owned()
    }

    /// The text of the tokens that are told, and of all.
    fn texts(&self, tokenizer: &DecoderTokenizer) -> (String, String) {
        let told = tokenizer.decode(&self.window[..self.told], false);
        (told, tokenizer.decode(&self.window, false))
    }
}
