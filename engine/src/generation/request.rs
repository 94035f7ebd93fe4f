//! What is asked of a decoder, what it answers, and who watches.

use crate::training::Control;

/// How the next token is chosen from the logits, in transformers' order
/// (<https://github.com/huggingface/transformers/blob/main/src/transformers/generation/logits_process.py>):
/// repetition penalty; then, where it is drawn, temperature, top-k, top-p and min-p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Divides the positive logits of all tokens in prompt and answer, and multiplies the negative
    /// ones: 1 changes nothing.
    pub repetition_penalty: f64,
    /// How it is chosen from what is left.
    pub choice: Choice,
}

/// How a token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// The likeliest, the first of equal ones.
    Greedy,
    /// Drawn by its probability.
    Drawn {
        /// Divides the logits; above 0.
        temperature: f64,
        /// Only so many of the likeliest, and what ties with the last of them.
        top_k: Option<usize>,
        /// Only the likeliest that together have this probability, the one that crosses it
        /// included.
        top_p: Option<f64>,
        /// Only those with at least this share of the likeliest one's probability.
        min_p: Option<f64>,
    },
}

/// What holds for all prompts of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationOptions {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens that end an answer. They are not part of it.
    pub end_tokens: Vec<u32>,
    /// Prompts that are answered side by side at most; 1 or more. The answers do not depend on it.
    pub at_once: usize,
    /// Tokens of keys and values that are held at most beside those of the prompts that are being
    /// answered, for prompts that begin alike.
    pub kept_tokens: usize,
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its tokens, special ones included: at least one.
    pub prompt: Vec<u32>,
    /// Tokens after which the answer is cut.
    pub max_new_tokens: usize,
    /// Seed of all that is drawn for it, whatever else is answered with it.
    pub seed: u64,
}

/// What may follow a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuations {
    /// The prompt's tokens.
    pub prompt: Vec<u32>,
    /// The tokens of each continuation.
    pub continuations: Vec<Vec<u32>>,
}

/// What a decoder answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The new tokens, without the one that ended them.
    pub tokens: Vec<u32>,
    /// Why they end.
    pub stop: StopReason,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// With one of the tokens that end answers.
    EndToken(u32),
    /// After as many tokens as were allowed.
    Length,
    /// The observer ended it.
    Observer,
}

/// Whether an answer goes on after a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It does.
    GoOn,
    /// It ends with this token.
    End,
}

/// Follows answers as they grow. Requests go by their place in the call.
pub trait GenerationObserver {
    /// Prompt tokens were read; looked at after each piece, and asked whether to go on at all.
    fn read(&mut self, tokens: usize) -> Control;
    /// A token of an answer, which does not end it.
    fn token(&mut self, request: usize, token: u32) -> Next;
    /// An answer is complete.
    fn answered(&mut self, request: usize, answer: Answer);
}

/// Keeps the answers, and lets a decoder go on unwatched.
#[derive(Debug, Default)]
pub struct Unwatched {
    /// By request; those that are not complete are missing.
    pub answers: std::collections::BTreeMap<usize, Answer>,
}

impl GenerationObserver for Unwatched {
    fn read(&mut self, _: usize) -> Control {
        Control::Continue
    }

    fn token(&mut self, _: usize, _: u32) -> Next {
        Next::GoOn
    }

    fn answered(&mut self, request: usize, answer: Answer) {
        self.answers.insert(request, answer);
    }
}

/// How fast a call went, reading and writing apart.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speed {
    /// Prompt tokens that were computed.
    pub read_tokens: usize,
    /// Prompt tokens whose keys and values were there already.
    pub shared_tokens: usize,
    /// Seconds spent on prompts.
    pub read_seconds: f64,
    /// Tokens of answers, those that end them included.
    pub written_tokens: usize,
    /// Seconds spent on answers.
    pub write_seconds: f64,
}
