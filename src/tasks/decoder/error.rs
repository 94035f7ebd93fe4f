//! Why a decoder cannot be used.

use std::path::PathBuf;

use engine::checkpoint::CheckpointError;
use engine::device::DeviceError;
use thiserror::Error;

use crate::config::Precision;
use crate::data::TokenizerError;
use crate::prompts::ChatError;
use crate::tasks::snapshot::OriginError;

/// Why a decoder cannot be used.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum DecoderError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error("precision: {0}")]
    Device(#[from] DeviceError),
    #[error(
        "precision {precision:?} is not for decoders in this version; use \"auto\", \"f32\", \"bf16\" or \"f16\""
    )]
    Precision { precision: Precision },
    #[error("{}: {reason}: copy the file from the checkpoint again", path.display())]
    Broken { path: PathBuf, reason: String },
    #[error("{}: `{key}` is {value}, but must be {wanted}", path.display())]
    Setting {
        path: PathBuf,
        key: &'static str,
        value: String,
        wanted: &'static str,
    },
    #[error(
        "{} has no chat template (`chat_template.jinja`, or `chat_template` in `tokenizer_config.json`): use `format = \"raw\"` in `[prompt]`, or a model for chats",
        folder.display()
    )]
    NoChat { folder: PathBuf },
    #[error("the chat template in {}: {source}", path.display())]
    Chat { path: PathBuf, source: ChatError },
    #[error("{name}: {reason}")]
    Template { name: String, reason: String },
    #[error("`prompt.date` is \"{date}\", which is no day: write it as \"2024-07-26\"")]
    Date { date: String },
    #[error("{name} has no tokens: let its template say something")]
    NoTokens { name: String },
    #[error(
        "{name} has {prompt} tokens, and its answer may have {new}: together more than the {limit} that the model takes; shorten the prompt or lower `generation.max_new_tokens`"
    )]
    TooLong {
        name: String,
        prompt: usize,
        new: usize,
        limit: usize,
    },
}
