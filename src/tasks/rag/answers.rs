//! From what the questions found to answers: sentences of the chunks, or what a decoder writes.

use std::path::Path;
use std::time::Instant;

use engine::FloatDType;
use engine::decoder::TokenDecoder;
use engine::device::{Device, format_name};
use engine::retrieval::Hit;

use super::asking::Asking;
use super::fragments::Fragments;
use super::{passages, phrases};
use crate::config::{Generator, Model, RagSettings, SimpleGeneration};
use crate::record::{GenerationRow, MeasurementRow};
use crate::retrieval::extract;
use crate::runner::ExecuteError;
use crate::tasks::Listener;
use crate::tasks::decoder::{self, Answering, Asked, Decoder, DecoderError, Kept, Pace};
use crate::tasks::watch::Progress;

/// Loads a decoder's weights.
pub(super) type Load<'a> =
    &'a dyn Fn(&Decoder, FloatDType, Device) -> Result<Box<dyn TokenDecoder>, DecoderError>;

/// Where and how answers are written.
pub(super) struct Desk<'a, 'b, 'l> {
    pub(super) load: Load<'a>,
    pub(super) device: Device,
    /// The run's seed.
    pub(super) seed: u64,
    /// Where answers are kept until the run ends; none where they are not.
    pub(super) folder: Option<&'a Path>,
    /// How often the run ran out of memory before.
    pub(super) halvings: u32,
    pub(super) progress: &'a mut Progress<'b>,
    /// Follows the answers as they grow: which of the questions, and what came to it.
    pub(super) listener: Option<Listener<'a, 'l>>,
}

/// The answers to all questions, and what there is to say of them.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// One for each question; none where retrieval alone is wanted.
    pub(super) replies: Vec<Reply>,
    /// How they were drawn.
    pub(super) drawing: Vec<GenerationRow>,
    pub(super) notes: Vec<String>,
    pub(super) measurements: Vec<MeasurementRow>,
    /// The number format of the decoder's weights.
    pub(super) precision: Option<&'static str>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) text: String,
    /// How many of the fragments that were found it was made from, the best ones.
    pub(super) fragments: usize,
    pub(super) drawn: Option<Drawn>,
}

/// What there is to know of an answer that a decoder wrote.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawn {
    pub(super) prompt_tokens: usize,
    pub(super) new_tokens: usize,
    pub(super) seconds: f64,
    pub(super) stop: &'static str,
}

/// Answers all questions, each an id and a text. `None` if the run is to stop.
pub(super) fn answer(
    settings: &RagSettings,
    questions: &[(&str, &str)],
    hits: &[Vec<Hit>],
    fragments: &Fragments,
    desk: &mut Desk<'_, '_, '_>,
) -> Result<Option<Answers>, ExecuteError> {
    match &settings.generator {
        Generator::Model(table) => {
            written(settings, &table.model, (questions, hits), fragments, desk)
        }
        Generator::Simple(generator) if generator.kind == SimpleGeneration::Extractive => {
            let asked = questions.iter().zip(hits);
            let replies = asked.map(|(&(_, question), hits)| Reply {
                text: extract(
                    question,
                    &passages(hits, fragments),
                    &phrases(settings, question),
                ),
                fragments: hits.len(),
                drawn: None,
            });
            Ok(Some(Answers {
                replies: replies.collect(),
                ..Answers::default()
            }))
        }
        Generator::Simple(_) => Ok(Some(Answers::default())),
    }
}

/// What a decoder writes.
fn written(
    settings: &RagSettings,
    model: &Model,
    (questions, hits): (&[(&str, &str)], &[Vec<Hit>]),
    fragments: &Fragments,
    desk: &mut Desk<'_, '_, '_>,
) -> Result<Option<Answers>, ExecuteError> {
    let format = decoder::format(model.precision, desk.device)?;
    let files = Decoder::open(model)?;
    let asking = Asking::new(settings, &files)?;
    // All prompts before the weights: one that is too long should not be found out after minutes.
    let mut prompts = Vec::new();
    for (question, hits) in questions.iter().zip(hits) {
        prompts.push(asking.prompt(*question, hits, fragments)?);
    }
    let found: usize = hits.iter().map(Vec::len).sum();
    let given: usize = prompts.iter().map(|prompt| prompt.fragments).sum();
    let mut notes = asking.drawing.notes.clone();
    if given < found {
        notes.push(format!(
            "{} of {found} fragments were left out of the prompts, which would have been too long with them",
            found - given
        ));
    }
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    // Whoever listens hears one answer after the other.
    let streams = desk.listener.is_some();
    let at_once = if streams {
        1
    } else {
        // Prompts that begin alike beside each other.
        order.sort_by(|&one, &other| prompts[one].tokens.cmp(&prompts[other].tokens));
        settings.generation.rows_at_once() >> desk.halvings.min(usize::BITS - 1)
    };
    let asked: Vec<Asked> = order
        .iter()
        .map(|&question| Asked {
            number: question,
            attempt: 0,
            prompt: prompts[question].tokens.clone(),
        })
        .collect();

    let mut kept = desk.folder.map(Kept::open).transpose()?;
    desk.progress.stage("loading the decoder");
    let begun = Instant::now();
    let mut weights = (desk.load)(&files, format, desk.device)?;
    let load_seconds = begun.elapsed().as_secs_f64();
    if let Some(kept) = kept.as_ref().filter(|kept| kept.count() > 0) {
        desk.progress.note(&format!(
            "goes on with {} answers that were there when it was interrupted",
            kept.count()
        ));
    }
    desk.progress.stage("answering");
    let mut told = desk.listener.as_deref_mut();
    let mut tell = |place: usize, new: &str| {
        if let Some(listener) = told.as_deref_mut() {
            listener(order[place], new);
        }
    };
    let mut answering = Answering {
        decoder: weights.as_mut(),
        tokenizer: files.tokenizer(),
        drawing: &asking.drawing,
        seed: desk.seed,
        at_once: at_once.max(1),
        kept: kept.as_mut(),
        progress: desk.progress,
        listener: streams.then(|| Box::new(&mut tell) as decoder::Listener<'_>),
        pace: Pace::default(),
    };
    let total = asked.len();
    let Some(answered) = answering.answer(&asked, 0, total)? else {
        return Ok(None);
    };
    let mut measurements = vec![MeasurementRow {
        metric: "load_seconds".to_owned(),
        value: load_seconds,
    }];
    measurements.extend(answering.pace.measurements());
    let mut replies: Vec<(usize, Reply)> = order
        .iter()
        .zip(answered)
        .map(|(&question, answered)| {
            let reply = Reply {
                text: answered.text,
                fragments: prompts[question].fragments,
                drawn: Some(Drawn {
                    prompt_tokens: prompts[question].tokens.len(),
                    new_tokens: answered.new_tokens,
                    seconds: answered.seconds,
                    stop: answered.stop.word(),
                }),
            };
            (question, reply)
        })
        .collect();
    replies.sort_by_key(|(question, _)| *question);
    Ok(Some(Answers {
        replies: replies.into_iter().map(|(_, reply)| reply).collect(),
        drawing: asking.drawing.rows.clone(),
        notes,
        measurements,
        precision: Some(format_name(format)),
    }))
}
