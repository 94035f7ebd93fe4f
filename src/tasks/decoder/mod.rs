//! From a `[model]` or `[generator]` table to a decoder that answers texts: its files, its
//! tokeniser, its chat template, and how it is drawn from.

mod answers;
mod error;
mod generation;
mod kept;
#[cfg(test)]
pub(super) mod scripted;
mod seeds;
#[cfg(test)]
mod tests;

pub use answers::{Answered, Answering, Asked, Listener, Pace, Stop};
pub use error::DecoderError;
pub use generation::{Defaults, Drawing};
pub use kept::{Kept, key};
pub use seeds::seed_of;

use std::path::Path;

use engine::FloatDType;
use engine::decoder::{self, DecoderFiles, TokenDecoder};
use engine::device::Device;
use jiff::civil::Date;

use super::format;
use super::snapshot::Snapshot;
use crate::config::{Generation, Model, Precision, Prompt, PromptFormat};
use crate::data::DecoderTokenizer;
use crate::hub::Wanted;
use crate::prompts::{ChatTemplate, DEFAULT_DATE, Message, Role, Template};

/// A decoder's files, read and checked as far as they can be without its weights.
#[derive(Debug)]
pub struct Decoder {
    files: DecoderFiles,
    tokenizer: DecoderTokenizer,
    defaults: Defaults,
}

/// Why a run with such a model cannot be executed, if it cannot.
#[must_use]
pub fn refusal(table: &str, model: &Model) -> Option<String> {
    let precision = match model.precision {
        Precision::Int8 => "int8",
        Precision::Fp4 => "fp4",
        Precision::Nf4 => "nf4",
        Precision::Auto | Precision::F32 | Precision::Bf16 | Precision::F16 => return None,
    };
    Some(format!(
        "{table}.precision is {precision}, in which this version of ensayo cannot hold a decoder: use \"auto\", \"f32\", \"bf16\" or \"f16\""
    ))
}

/// The number format of a decoder's weights on a device.
///
/// # Errors
/// When the settings ask for one that is not supported there.
pub fn format(precision: Precision, device: Device) -> Result<FloatDType, DecoderError> {
    format::format(precision, device)?.ok_or(DecoderError::Precision { precision })
}

impl Decoder {
    /// Opens the files of a model's table, and whatever stands beside them.
    ///
    /// # Errors
    /// When files are missing, broken or not supported, or do not fit each other.
    pub fn open(model: &Model) -> Result<Self, DecoderError> {
        let snapshot = Snapshot::locate(&model.origin, Wanted::Decoder)?;
        let files = DecoderFiles::open(snapshot.source(&model.origin))?;
        let tokenizer = DecoderTokenizer::from_folder(files.folder())?;
        Ok(Self {
            tokenizer: tokenizer.for_vocabulary(files.vocab_size()),
            defaults: Defaults::read(files.folder(), files.config_json())?,
            files,
        })
    }

    /// Loads the weights.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load(
        &self,
        format: FloatDType,
        device: Device,
    ) -> Result<Box<dyn TokenDecoder>, DecoderError> {
        Ok(decoder::load(&self.files, format, device)?)
    }

    /// Its tokeniser.
    #[must_use]
    pub fn tokenizer(&self) -> &DecoderTokenizer {
        &self.tokenizer
    }

    /// Tokens of prompt and answer together that it was made for.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.files.context_length()
    }

    /// The folder of its configuration and tokeniser.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.files.folder()
    }

    /// Bytes of its weights in a number format.
    #[must_use]
    pub fn weight_bytes(&self, format: FloatDType) -> u64 {
        self.files.weight_bytes(format)
    }

    /// How answers are drawn under such settings.
    ///
    /// # Errors
    /// When what the checkpoint says of it cannot be used.
    pub fn drawing(
        &self,
        settings: &Generation,
        format: PromptFormat,
    ) -> Result<Drawing, DecoderError> {
        let chat = format == PromptFormat::Chat;
        Drawing::resolve(settings, &self.defaults, &self.tokenizer, chat)
    }

    /// What turns texts into prompts as a table asks for it.
    ///
    /// # Errors
    /// When it asks for a chat, and the checkpoint has no chat template or a broken one.
    pub fn writer(&self, prompt: &Prompt) -> Result<Writer<'_>, DecoderError> {
        let chat = match prompt.format {
            PromptFormat::Raw => None,
            PromptFormat::Chat => Some(self.chat(prompt)?),
        };
        Ok(Writer {
            tokenizer: &self.tokenizer,
            chat,
        })
    }

    fn chat(&self, prompt: &Prompt) -> Result<Chat, DecoderError> {
        let (path, source) =
            self.tokenizer
                .chat_template()
                .ok_or_else(|| DecoderError::NoChat {
                    folder: self.folder().to_owned(),
                })?;
        let date = match &prompt.date {
            None => DEFAULT_DATE,
            Some(date) => date
                .parse::<Date>()
                .map_err(|_| DecoderError::Date { date: date.clone() })?,
        };
        let special = self.tokenizer.special_tokens().clone();
        let template =
            ChatTemplate::parse(source, special, date).map_err(|source| DecoderError::Chat {
                path: path.to_owned(),
                source,
            })?;
        Ok(Chat {
            template,
            path: path.to_owned(),
            system: prompt.system.clone(),
        })
    }
}

/// Turns texts into prompts.
#[derive(Debug)]
pub struct Writer<'a> {
    tokenizer: &'a DecoderTokenizer,
    chat: Option<Chat>,
}

#[derive(Debug)]
struct Chat {
    template: ChatTemplate,
    path: std::path::PathBuf,
    system: Option<String>,
}

impl Writer<'_> {
    /// The tokens of a prompt that says a text: the text as it is, or a chat in which the user says
    /// it.
    ///
    /// # Errors
    /// When the chat template refuses it, or it cannot be encoded.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, DecoderError> {
        let Some(chat) = &self.chat else {
            return Ok(self.tokenizer.encode(text, true)?);
        };
        let system = chat.system.iter();
        let system = system.map(|system| Message::new(Role::System, system.as_str()));
        let messages: Vec<Message> = system.chain([Message::new(Role::User, text)]).collect();
        let written = chat
            .template
            .render(&messages)
            .map_err(|source| DecoderError::Chat {
                path: chat.path.clone(),
                source,
            })?;
        Ok(self.tokenizer.encode(&written, false)?)
    }
}

impl Decoder {
    /// Makes sure that a prompt and the `new` tokens of its answer fit into what the model was made
    /// for. `name` is what messages call the prompt: `the prompt of chunk 3`.
    ///
    /// # Errors
    /// When they do not fit, or the prompt has no tokens.
    pub fn check_length(&self, name: &str, prompt: usize, new: usize) -> Result<(), DecoderError> {
        let limit = self.context_length();
        if prompt == 0 {
            return Err(DecoderError::NoTokens {
                name: name.to_owned(),
            });
        }
        if prompt.saturating_add(new) > limit {
            return Err(DecoderError::TooLong {
                name: name.to_owned(),
                prompt,
                new,
                limit,
            });
        }
        Ok(())
    }
}

/// The template of a prompt's table.
///
/// # Errors
/// When its file cannot be read, or its syntax is broken.
pub fn template(prompt: &Prompt) -> Result<Template, DecoderError> {
    let (name, source) = match (&prompt.template, &prompt.template_file) {
        (None, Some(path)) => {
            let read = std::fs::read_to_string(path);
            let source = read.map_err(|error| DecoderError::Template {
                name: path.display().to_string(),
                reason: error.to_string(),
            })?;
            (path.display().to_string(), source)
        }
        (source, _) => (
            "prompt.template".to_owned(),
            source.clone().unwrap_or_default(),
        ),
    };
    Template::parse(&source).map_err(|error| DecoderError::Template {
        name,
        reason: error.to_string(),
    })
}
