//! Decoding: from prompts to the tokens that a decoder answers with.
//!
//! Takes plain arguments and knows no settings, texts or records: prompts and answers are tokens.

mod angles;
mod blocks;
mod loaded;
mod request;
mod sampling;

pub use loaded::LoadedDecoder;
pub use request::{
    Answer, Choice, Continuations, GenerationObserver, GenerationOptions, Next, Request, Sampling,
    Speed, StopReason, Unwatched,
};
pub use sampling::processed;
