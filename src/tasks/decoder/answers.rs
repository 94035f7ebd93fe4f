//! Lets a decoder answer prompts, several at once: with stop strings, progress, and answers that are
//! on disk as soon as they are complete.

use std::collections::HashMap;
use std::time::Instant;

use engine::decoder::TokenDecoder;
use engine::generation::{
    Answer, GenerationObserver, GenerationOptions, Next, Request, Speed, StopReason,
};
use engine::training::Control;
use serde::{Deserialize, Serialize};

use super::generation::Drawing;
use super::kept::{self, Kept};
use super::seeds::seed_of;
use crate::data::{DecoderTokenizer, TextStream};
use crate::record::{MeasurementRow, RecordError};
use crate::tasks::watch::Progress;

/// A prompt to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its number in the run, which its seed is made of.
    pub number: usize,
    /// Which attempt at it this is, from 0, which its seed is made of too.
    pub attempt: usize,
    /// Its tokens.
    pub prompt: Vec<u32>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What it says, without special tokens, up to a stop string.
    pub text: String,
    /// Tokens that were drawn for it, without the one that ended it.
    pub new_tokens: usize,
    /// Why it ends.
    pub stop: Stop,
    /// From its first token to its last.
    pub seconds: f64,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Complete {
    tokens: Vec<u32>,
    stop: Stop,
    seconds: f64,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// With a token that ends answers.
    EndToken(u32),
    /// After as many tokens as were allowed.
    Length,
    /// With a text that ends answers: its place among those that are set.
    Text(usize),
}

impl Stop {
    /// The word for it in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EndToken(_) => "end_token",
            Self::Length => "length",
            Self::Text(_) => "stop_string",
        }
    }
}

/// How fast the prompts of a run were read and its answers written, all calls together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace(Speed);

impl Pace {
    /// Adds a call.
    pub fn add(&mut self, speed: Speed) {
        self.0.read_tokens += speed.read_tokens;
        self.0.shared_tokens += speed.shared_tokens;
        self.0.read_seconds += speed.read_seconds;
        self.0.written_tokens += speed.written_tokens;
        self.0.write_seconds += speed.write_seconds;
    }

    /// The rows of `measurements.csv`.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn measurements(&self) -> Vec<MeasurementRow> {
        let speed = &self.0;
        let mut rows = vec![
            ("prefill_tokens", speed.read_tokens as f64),
            ("prefill_shared_tokens", speed.shared_tokens as f64),
            ("prefill_seconds", speed.read_seconds),
            ("decode_tokens", speed.written_tokens as f64),
            ("decode_seconds", speed.write_seconds),
        ];
        let rates = [
            (
                "prefill_tokens_per_second",
                speed.read_tokens,
                speed.read_seconds,
            ),
            (
                "decode_tokens_per_second",
                speed.written_tokens,
                speed.write_seconds,
            ),
        ];
        for (name, tokens, seconds) in rates {
            if seconds > 0.0 {
                rows.push((name, tokens as f64 / seconds));
            }
        }
        rows.into_iter()
            .map(|(metric, value)| MeasurementRow {
                metric: metric.to_owned(),
                value,
            })
            .collect()
    }
}

/// Tokens of keys and values that are kept at most for prompts that begin alike.
const KEPT_TOKENS: usize = 1 << 13;

/// Is told of a prompt, by its place in the call, what came to its answer.
pub type Listener<'a> = Box<dyn FnMut(usize, &str) + 'a>;

/// Everything that answers are made with.
pub struct Answering<'a, 'b> {
    /// The decoder.
    pub decoder: &'a mut dyn TokenDecoder,
    /// Its tokeniser.
    pub tokenizer: &'a DecoderTokenizer,
    /// How answers are drawn.
    pub drawing: &'a Drawing,
    /// The run's seed.
    pub seed: u64,
    /// Prompts that are answered side by side at most.
    pub at_once: usize,
    /// Answers of earlier sittings, and where new ones go; none where nothing is kept.
    pub kept: Option<&'a mut Kept>,
    /// Where progress goes.
    pub progress: &'a mut Progress<'b>,
    /// Follows the texts as they grow.
    pub listener: Option<Listener<'a>>,
    /// How fast it went.
    pub pace: Pace,
}

impl Answering<'_, '_> {
    /// Answers the prompts. `done` of `total` answers of the run were there before. `None` if the run
    /// is to stop.
    ///
    /// # Errors
    /// When an answer cannot be kept.
    pub fn answer(
        &mut self,
        asked: &[Asked],
        done: usize,
        total: usize,
    ) -> Result<Option<Vec<Answered>>, RecordError> {
        let requests: Vec<Request> = asked
            .iter()
            .map(|asked| Request {
                prompt: asked.prompt.clone(),
                max_new_tokens: self.drawing.max_new_tokens(asked.prompt.len()),
                seed: seed_of(self.seed, asked.number, asked.attempt),
            })
            .collect();
        let keys: Vec<String> = requests
            .iter()
            .map(|request| kept::key(&request.prompt, request.seed, request.max_new_tokens))
            .collect();
        let mut answers: Vec<Option<Answered>> = keys
            .iter()
            .map(|key| {
                let complete = self.kept.as_ref()?.find(key)?;
                Some(self.finished(&complete))
            })
            .collect();
        let open: Vec<usize> = (0..asked.len())
            .filter(|&place| answers[place].is_none())
            .collect();
        let options = GenerationOptions {
            sampling: self.drawing.sampling,
            end_tokens: self.drawing.end_tokens.clone(),
            at_once: self.at_once,
            kept_tokens: KEPT_TOKENS,
        };
        let wanted: Vec<Request> = open.iter().map(|&place| requests[place].clone()).collect();
        let mut watch = Watching {
            tokenizer: self.tokenizer,
            stop: &self.drawing.stop,
            places: &open,
            keys: &keys,
            kept: self.kept.as_deref_mut(),
            listener: self.listener.as_mut(),
            progress: self.progress,
            growing: HashMap::new(),
            complete: Vec::new(),
            done: done + asked.len() - open.len(),
            total,
            began: Instant::now(),
            tokens: 0,
            failure: None,
            stopped: false,
        };
        if !wanted.is_empty() {
            let speed = self.decoder.generate(&wanted, &options, &mut watch);
            self.pace.add(speed);
        }
        let Watching {
            complete, failure, ..
        } = watch;
        if let Some(failure) = failure {
            return Err(failure);
        }
        for (place, complete) in complete {
            answers[place] = Some(self.finished(&complete));
        }
        Ok(answers.into_iter().collect())
    }

    fn finished(&self, complete: &Complete) -> Answered {
        let mut text = self.tokenizer.decode(&complete.tokens, false);
        if let Stop::Text(_) = complete.stop
            && let Some((place, _)) = first_stop(&text, &self.drawing.stop)
        {
            text.truncate(place);
        }
        Answered {
            text,
            new_tokens: complete.tokens.len(),
            stop: complete.stop,
            seconds: complete.seconds,
        }
    }
}

/// Where the first of the stop strings begins in a text, and which it is.
fn first_stop(text: &str, stop: &[String]) -> Option<(usize, usize)> {
    let found = stop.iter().enumerate().filter(|(_, stop)| !stop.is_empty());
    let found = found.filter_map(|(which, stop)| Some((text.find(stop.as_str())?, which)));
    found.min()
}

/// An answer while it grows.
#[derive(Debug)]
struct Growing {
    stream: TextStream,
    text: String,
    /// What of the text its listener knows.
    told: usize,
    began: Instant,
    stop: Option<usize>,
}

/// Follows a call.
struct Watching<'a, 'b, 'c> {
    tokenizer: &'a DecoderTokenizer,
    stop: &'a [String],
    /// The place of each request among all prompts.
    places: &'a [usize],
    keys: &'a [String],
    kept: Option<&'a mut Kept>,
    listener: Option<&'a mut Listener<'c>>,
    progress: &'a mut Progress<'b>,
    growing: HashMap<usize, Growing>,
    complete: Vec<(usize, Complete)>,
    done: usize,
    total: usize,
    began: Instant,
    tokens: usize,
    failure: Option<RecordError>,
    /// Whether answers that end now are not complete.
    stopped: bool,
}

impl Watching<'_, '_, '_> {
    fn control(&mut self) -> Control {
        let unit = self.unit();
        let control = if self.done < self.total {
            self.progress.advance(self.done, self.total, &unit, None)
        } else {
            self.progress.control()
        };
        if control == Control::Stop || self.failure.is_some() {
            self.stopped = true;
        }
        if self.stopped {
            Control::Stop
        } else {
            Control::Continue
        }
    }

    /// What is counted, and how fast answers grow.
    #[allow(clippy::cast_precision_loss)]
    fn unit(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        if self.tokens == 0 || seconds < 0.1 {
            return "answers".to_owned();
        }
        format!("answers ({:.0} tokens/s)", self.tokens as f64 / seconds)
    }

    /// Tells a listener what is certain: nothing that may turn out to begin a stop string.
    fn tell(&mut self, request: usize, all: bool) {
        let place = self.places[request];
        let (Some(listener), Some(growing)) =
            (self.listener.as_deref_mut(), self.growing.get_mut(&request))
        else {
            return;
        };
        let text = &growing.text;
        let end = match (first_stop(text, self.stop), all) {
            (Some((place, _)), _) => place,
            (None, true) => text.len(),
            (None, false) => text.len() - begun_stop(text, self.stop),
        };
        if end > growing.told {
            listener(place, &text[growing.told..end]);
            growing.told = end;
        }
    }
}

/// Bytes at the end of a text that a stop string begins with.
fn begun_stop(text: &str, stop: &[String]) -> usize {
    let begun = stop.iter().flat_map(|stop| {
        let ends = stop.char_indices().map(|(place, _)| place).skip(1);
        ends.filter(|&end| text.ends_with(&stop[..end]))
    });
    begun.max().unwrap_or(0)
}

impl GenerationObserver for Watching<'_, '_, '_> {
    fn read(&mut self, _: usize) -> Control {
        self.control()
    }

    fn token(&mut self, request: usize, token: u32) -> Next {
        self.tokens += 1;
        if self.control() == Control::Stop {
            return Next::End;
        }
        let watched = self.listener.is_some() || !self.stop.is_empty();
        let growing = self.growing.entry(request).or_insert_with(|| Growing {
            stream: TextStream::default(),
            text: String::new(),
            told: 0,
            began: Instant::now(),
            stop: None,
        });
        if !watched {
            return Next::GoOn;
        }
        let new = growing.stream.push(self.tokenizer, token);
        if !new.is_empty() {
            growing.text.push_str(&new);
            growing.stop = first_stop(&growing.text, self.stop).map(|(_, which)| which);
        }
        let ends = growing.stop.is_some();
        self.tell(request, false);
        if ends { Next::End } else { Next::GoOn }
    }

    fn answered(&mut self, request: usize, answer: Answer) {
        if let Some(growing) = self.growing.get_mut(&request) {
            let rest = growing.stream.finish(self.tokenizer);
            growing.text.push_str(&rest);
        }
        self.tell(request, true);
        let growing = self.growing.remove(&request);
        let stop = match (
            answer.stop,
            growing.as_ref().and_then(|growing| growing.stop),
        ) {
            (StopReason::Observer, Some(which)) => Stop::Text(which),
            // It was told to end, so it is not complete.
            (StopReason::Observer, None) => return,
            (StopReason::EndToken(token), _) => Stop::EndToken(token),
            (StopReason::Length, _) => Stop::Length,
        };
        let seconds = growing.map_or(0.0, |growing| growing.began.elapsed().as_secs_f64());
        let place = self.places[request];
        let complete = Complete {
            tokens: answer.tokens,
            stop,
            seconds,
        };
        if let Some(kept) = self.kept.as_deref_mut()
            && let Err(error) = kept.add(self.keys[place].clone(), &complete)
        {
            self.failure.get_or_insert(error);
        }
        self.complete.push((place, complete));
        self.done += 1;
        let unit = self.unit();
        self.progress.advance(self.done, self.total, &unit, None);
    }
}
