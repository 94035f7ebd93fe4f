//! What a decoder is asked, from templates to text: prompt templates of experiments, and the chat
//! templates of checkpoints. Knows nothing of models, settings or tokens.

mod chat;
mod piece;
mod python;
mod template;

pub use chat::{ChatError, ChatTemplate, DEFAULT_DATE, Message, Role};
pub use piece::Piece;
pub use template::{Template, TemplateError};
