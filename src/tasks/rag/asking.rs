//! What a decoder is asked: the prompt of a question, from the template and the fragments that were
//! found.

use engine::retrieval::Hit;
use minijinja::{Value, context};

use super::fragments::Fragments;
use crate::config::{Overflow, RagSettings};
use crate::prompts::{Piece, Template};
use crate::retrieval::citation_in;
use crate::runner::ExecuteError;
use crate::tasks::decoder::{self, Decoder, DecoderError, Drawing, Writer};

/// Everything that prompts are made with.
pub(super) struct Asking<'a> {
    template: Template,
    decoder: &'a Decoder,
    writer: Writer<'a>,
    /// How their answers are drawn.
    pub(super) drawing: Drawing,
    on_overflow: Overflow,
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Its tokens.
    pub(super) tokens: Vec<u32>,
    /// How many of the fragments that were found it has, the best ones.
    pub(super) fragments: usize,
}

/// How the template wants fragments to be cited, where it shows it. One that cannot be read is
/// refused by whoever fills it in.
pub(super) fn citation(settings: &RagSettings) -> Option<String> {
    let prompt = settings.prompt.as_ref()?;
    match (&prompt.template, &prompt.template_file) {
        (Some(template), _) => citation_in(template),
        (None, Some(path)) => citation_in(&std::fs::read_to_string(path).ok()?),
        (None, None) => None,
    }
}

impl<'a> Asking<'a> {
    /// With the template and the settings of a run.
    pub(super) fn new(settings: &RagSettings, decoder: &'a Decoder) -> Result<Self, ExecuteError> {
        let prompt = settings.prompt.as_ref();
        let prompt = prompt.ok_or_else(|| ExecuteError::message("`[prompt]` is missing"))?;
        Ok(Self {
            template: decoder::template(prompt)?,
            writer: decoder.writer(prompt)?,
            drawing: decoder.drawing(&settings.generation, prompt.format)?,
            on_overflow: settings.retrieval.on_overflow,
            decoder,
        })
    }

    /// The prompt of a question with as many of the fragments that it found as the settings let it
    /// have.
    pub(super) fn prompt(
        &self,
        (id, question): (&str, &str),
        hits: &[Hit],
        fragments: &Fragments,
    ) -> Result<Asked, ExecuteError> {
        let mut count = hits.len();
        loop {
            let tokens = self
                .writer
                .tokens(&self.text(question, &hits[..count], fragments)?)?;
            let name = format!("the prompt of question `{id}`");
            let new = self.drawing.max_new_tokens(tokens.len());
            let fits = self.decoder.check_length(&name, tokens.len(), new);
            match fits {
                Ok(()) => {
                    return Ok(Asked {
                        tokens,
                        fragments: count,
                    });
                }
                Err(DecoderError::TooLong { .. })
                    if self.on_overflow == Overflow::Drop && count > 1 =>
                {
                    count -= 1;
                }
                Err(error @ DecoderError::TooLong { .. })
                    if self.on_overflow == Overflow::Error && count > 1 =>
                {
                    return Err(ExecuteError::message(format!(
                        "{error}, lower `retrieval.top_k`, or let `retrieval.on_overflow = \"drop\"` leave out the last fragments"
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The same, and where it cannot be made short enough, with all fragments.
    pub(super) fn longest(
        &self,
        question: (&str, &str),
        hits: &[Hit],
        fragments: &Fragments,
    ) -> Result<Vec<u32>, ExecuteError> {
        match self.prompt(question, hits, fragments) {
            Ok(prompt) => Ok(prompt.tokens),
            Err(_) => Ok(self
                .writer
                .tokens(&self.text(question.1, hits, fragments)?)?),
        }
    }

    /// The prompt as a text.
    fn text(
        &self,
        question: &str,
        hits: &[Hit],
        fragments: &Fragments,
    ) -> Result<String, ExecuteError> {
        let pieces = hits.iter().map(|hit| {
            Piece::new(fragments.texts[hit.chunk].as_str())
                .with("number", hit.chunk)
                .with("score", hit.score)
                .value()
        });
        let pieces: Vec<Value> = pieces.collect();
        let values = context! { question, count => pieces.len(), fragments => pieces };
        self.template
            .render(&values)
            .map_err(|error| ExecuteError::message(format!("the prompt's template: {error}")))
    }
}
