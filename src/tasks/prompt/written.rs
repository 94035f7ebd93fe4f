//! The prompts of a run: which texts each of them is about, and what it says.

use minijinja::{Value, context};

use super::rows::Rows;
use crate::config::{ClassificationMode, PromptSettings};
use crate::data::Example;
use crate::prompts::{Piece, Template};
use crate::runner::ExecuteError;
use crate::tasks::decoder::{Decoder, DecoderError, Writer};

/// A prompt of a run.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// The set that its texts are of.
    pub(super) set: usize,
    /// Its number within the set, from 0.
    pub(super) number: usize,
    /// The place of its first text within the set.
    pub(super) first: usize,
    /// How many texts it is about.
    pub(super) count: usize,
    /// Its tokens.
    pub(super) tokens: Vec<u32>,
}

/// A text that says nothing of its class, to measure how much the decoder likes each word anyway.
pub(super) const CONTENT_FREE: [&str; 3] = ["N/A", "[MASK]", "..."];

/// Writes prompts.
pub(super) struct Scribe<'a> {
    template: Template,
    writer: Writer<'a>,
    rows: &'a Rows,
    mode: ClassificationMode,
    chunk_size: usize,
}

impl<'a> Scribe<'a> {
    /// Reads the template of a run.
    pub(super) fn new(
        settings: &PromptSettings,
        rows: &'a Rows,
        decoder: &'a Decoder,
    ) -> Result<Self, ExecuteError> {
        Ok(Self {
            template: crate::tasks::decoder::template(&settings.prompt)?,
            writer: decoder.writer(&settings.prompt)?,
            rows,
            mode: settings.classification.mode,
            chunk_size: match settings.classification.mode {
                ClassificationMode::Chunks => settings.classification.chunk_size.max(1),
                ClassificationMode::Likelihood => 1,
            },
        })
    }

    /// What is filled in for these texts.
    fn values(&self, texts: &[&str]) -> Value {
        let piece =
            |(number, text): (usize, &&str)| Piece::new(*text).with("number", number + 1).value();
        let reviews: Vec<Value> = texts.iter().enumerate().map(piece).collect();
        let example = |(number, example): (usize, &Example)| {
            Piece::new(example.text.as_str())
                .with("number", number + 1)
                .with("label", self.rows.words[example.label].as_str())
                .value()
        };
        let examples = self.rows.examples.iter().enumerate().map(example);
        let base = context! {
            count => texts.len(),
            examples => examples.collect::<Vec<Value>>(),
            classes => self.rows.words.clone(),
            reviews => reviews.clone(),
        };
        match self.mode {
            ClassificationMode::Chunks => base,
            ClassificationMode::Likelihood => {
                context! { review => reviews.first(), ..base }
            }
        }
    }

    /// The tokens of a prompt about these texts.
    pub(super) fn tokens(&self, texts: &[&str]) -> Result<Vec<u32>, ExecuteError> {
        let text = self
            .template
            .render(&self.values(texts))
            .map_err(|error| ExecuteError::message(format!("the prompt's template: {error}")))?;
        Ok(self.writer.tokens(&text)?)
    }

    /// The name of a prompt in messages.
    pub(super) fn name(&self, set: usize, number: usize) -> String {
        let set = &self.rows.sets[set].0;
        match self.mode {
            ClassificationMode::Chunks => format!("the prompt of chunk {number} of `{set}`"),
            ClassificationMode::Likelihood => format!("the prompt of text {number} of `{set}`"),
        }
    }

    /// All prompts, in the order of sets and rows; each that does not fit is refused by `fits`.
    pub(super) fn all(
        &self,
        fits: impl Fn(&str, usize) -> Result<(), DecoderError>,
    ) -> Result<Vec<Written>, ExecuteError> {
        let mut prompts = Vec::new();
        for (set, (_, rows)) in self.rows.sets.iter().enumerate() {
            for (number, chunk) in rows.chunks(self.chunk_size).enumerate() {
                let texts: Vec<&str> = chunk.iter().map(|row| row.text.as_str()).collect();
                let tokens = self.tokens(&texts)?;
                fits(&self.name(set, number), tokens.len())?;
                prompts.push(Written {
                    set,
                    number,
                    first: number * self.chunk_size,
                    count: chunk.len(),
                    tokens,
                });
            }
        }
        Ok(prompts)
    }
}
