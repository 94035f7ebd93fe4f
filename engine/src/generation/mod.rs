//! Decoding: from prompts to the tokens that a decoder answers with.
//!
//! Takes plain arguments and knows no settings, texts or records: prompts and answers are tokens.

mod request;

pub use request::{
    Answer, Choice, GenerationObserver, GenerationOptions, Next, Request, Sampling, Speed,
    StopReason, Unwatched,
};
