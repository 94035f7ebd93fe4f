//! What sentence-transformers' files in a model's folder say: how token vectors become one vector,
//! and where texts are cut.

mod dense;
mod json;
mod pooling;

pub use dense::DenseFiles;
pub use pooling::Pooling;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use json::json;

/// What happens to a text's vector after the pooling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is scaled to unit length.
    Normalise,
    /// It goes through a linear layer.
    Dense(DenseFiles),
}

/// How a model turns texts into vectors, as its files describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceSettings {
    /// How token vectors become one.
    pub pooling: Pooling,
    /// What follows the pooling, in this order.
    pub steps: Vec<Step>,
    /// Tokens after which a text is cut, special ones included, and the file that says so.
    pub max_seq_length: Option<(usize, PathBuf)>,
    /// Whether texts are put into lower case first.
    pub lower_case: bool,
    /// What is put before every text.
    pub prompt: String,
    /// What a reader of the results should know.
    pub notes: Vec<String>,
}

/// Why such files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SentenceFilesError {
    /// A file that cannot be read.
    #[error("{}: cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file that cannot be read.
        path: PathBuf,
        /// What the system answered.
        reason: io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {reason}: copy the file from the checkpoint again", .path.display())]
    Broken {
        /// The broken file.
        path: PathBuf,
        /// What the parser found.
        reason: String,
    },
    /// Something that is understood but not supported.
    #[error("{}: {what} is not supported; supported: {supported}", .path.display())]
    Unsupported {
        /// The file that asks for it.
        path: PathBuf,
        /// What it asks for.
        what: String,
        /// What is supported instead.
        supported: &'static str,
    },
}

/// An entry of `modules.json`.
#[derive(Debug, Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

const STEPS: &str = "Transformer, then Pooling, then any of Dense and Normalize";

impl SentenceSettings {
    /// Reads the files in a model's folder. Without `modules.json`, it is mean pooling and nothing
    /// else, as in sentence-transformers, and a note says so.
    ///
    /// # Errors
    /// When a file cannot be read, is broken, or asks for something that is not supported.
    pub fn read(folder: &Path) -> Result<Self, SentenceFilesError> {
        let mut settings = Self {
            pooling: Pooling::Mean,
            steps: Vec::new(),
            max_seq_length: None,
            lower_case: false,
            prompt: String::new(),
            notes: Vec::new(),
        };
        let path = folder.join("modules.json");
        match json::<Vec<Module>>(&path)? {
            Some(modules) => settings.read_modules(folder, &path, &modules)?,
            None => settings.notes.push(format!(
                "{} has no modules.json, so its embeddings are the mean over tokens, as in sentence-transformers",
                folder.display()
            )),
        }
        settings.read_lengths(folder)?;
        settings.read_prompt(folder)?;
        Ok(settings)
    }

    fn read_modules(
        &mut self,
        folder: &Path,
        path: &Path,
        modules: &[Module],
    ) -> Result<(), SentenceFilesError> {
        let unsupported = |what: String| SentenceFilesError::Unsupported {
            path: path.to_owned(),
            what,
            supported: STEPS,
        };
        for (index, module) in modules.iter().enumerate() {
            let place = folder.join(&module.path);
            let kind = module.r#type.rsplit('.').next().unwrap_or_default();
            match (index, kind) {
                (0, "Transformer") => {
                    if !module.path.is_empty() {
                        let what = format!("a Transformer in `{}` of the folder", module.path);
                        return Err(unsupported(what));
                    }
                }
                (1, "Pooling") => self.pooling = pooling::read(&place.join("config.json"))?,
                (2.., "Normalize") => {
                    dense::reads_sentences(&place.join("config.json"))?;
                    self.steps.push(Step::Normalise);
                }
                (2.., "Dense") => self.steps.push(Step::Dense(dense::read(&place)?)),
                _ => {
                    let what = format!("module {index}, a `{}`, in this place", module.r#type);
                    return Err(unsupported(what));
                }
            }
        }
        if modules.len() < 2 {
            return Err(unsupported(format!("a list of {} modules", modules.len())));
        }
        Ok(())
    }

    /// `sentence_bert_config.json`, and where that says nothing of lengths, the tokeniser's own
    /// limit.
    fn read_lengths(&mut self, folder: &Path) -> Result<(), SentenceFilesError> {
        #[derive(Debug, Default, Deserialize)]
        struct EncoderSettings {
            max_seq_length: Option<usize>,
            #[serde(default)]
            do_lower_case: bool,
            transformer_task: Option<String>,
        }
        #[derive(Debug, Default, Deserialize)]
        struct TokenizerSettings {
            /// Where there is no limit, transformers writes 1e30.
            model_max_length: Option<f64>,
        }
        let path = folder.join("sentence_bert_config.json");
        let transformer = json::<EncoderSettings>(&path)?.unwrap_or_default();
        if let Some(task) = transformer.transformer_task
            && task != "feature-extraction"
        {
            let what = format!("`transformer_task`: {task}");
            let supported = "feature-extraction";
            return Err(SentenceFilesError::Unsupported {
                path,
                what,
                supported,
            });
        }
        self.lower_case = transformer.do_lower_case;
        self.max_seq_length = transformer.max_seq_length.map(|length| (length, path));
        if self.max_seq_length.is_none() {
            let path = folder.join("tokenizer_config.json");
            let limit = json::<TokenizerSettings>(&path)?.and_then(|file| file.model_max_length);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            if let Some(limit) = limit.filter(|limit| (1.0..1e9).contains(limit)) {
                self.max_seq_length = Some((limit as usize, path));
            }
        }
        Ok(())
    }

    /// `config_sentence_transformers.json` may name a prompt that goes before every text.
    fn read_prompt(&mut self, folder: &Path) -> Result<(), SentenceFilesError> {
        #[derive(Debug, Default, Deserialize)]
        struct Prompts {
            #[serde(default)]
            prompts: BTreeMap<String, String>,
            default_prompt_name: Option<String>,
        }
        let path = folder.join("config_sentence_transformers.json");
        let file = json::<Prompts>(&path)?.unwrap_or_default();
        let Some(name) = file.default_prompt_name else {
            return Ok(());
        };
        let Some(prompt) = file.prompts.get(&name) else {
            let reason =
                format!("`default_prompt_name` is `{name}`, which `prompts` does not have");
            return Err(SentenceFilesError::Broken { path, reason });
        };
        if !prompt.is_empty() {
            let note = format!("the model puts its prompt “{prompt}” before every text");
            self.notes.push(note);
        }
        self.prompt.clone_from(prompt);
        Ok(())
    }
}
