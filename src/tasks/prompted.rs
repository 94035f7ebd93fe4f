//! Prompts of runs, to be looked at.

use crate::plan::RunSpec;
use crate::runner::ExecuteError;

/// Runs that ask a decoder.
pub trait Prompted {
    /// The prompts of a run by their names, or the one that is asked for: by its name, or its number
    /// from 0.
    ///
    /// # Errors
    /// When the run's inputs cannot be read, or it has no such prompt.
    fn prompts(
        &self,
        spec: &RunSpec,
        which: Option<&str>,
    ) -> Result<Vec<ShownPrompt>, ExecuteError>;
}

/// A prompt as the decoder gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPrompt {
    /// Its name.
    pub name: String,
    /// What it says, special tokens spelled out.
    pub text: String,
    /// How many tokens it has.
    pub tokens: usize,
    /// Tokens that its answer may have.
    pub max_new_tokens: usize,
    /// Tokens that the model takes, prompt and answer together.
    pub context_length: usize,
}
