//! A decoder with its store of keys and values: reads prompts in pieces and writes answers side by
//! side.

use std::time::Instant;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rayon::prelude::*;

use super::angles::{angles, is_long};
use super::blocks::Blocks;
use super::request::{
    Answer, Continuations, GenerationObserver, GenerationOptions, Next, Request, Speed, StopReason,
};
use super::sampling::{Draw, log_probability, next};
use crate::models::decoder::{Decoder, Kept, Step};
use crate::nn::ops::{BLOCK, Contexts, Operations, Rows, Segments};
use crate::training::Control;

/// Tokens of a prompt that go through the network together.
const PIECE: usize = 512;

/// A decoder, loaded.
#[derive(Debug)]
pub struct LoadedDecoder<B: Backend> {
    model: Decoder<B>,
    kept: Vec<Kept<B>>,
    blocks: Blocks,
}

/// A text whose keys and values are kept.
#[derive(Debug)]
struct Text {
    /// Its blocks, in order.
    blocks: Vec<usize>,
    /// Tokens that are kept.
    length: usize,
    /// Whether they have the angles of long texts.
    long: bool,
}

/// A request on its way.
#[derive(Debug)]
struct Running {
    request: usize,
    text: Text,
    /// Prompt and answer; all but the last are kept.
    tokens: Vec<u32>,
    /// Tokens of the prompt.
    prompt: usize,
}

impl Running {
    fn answer(&self, stop: StopReason) -> Answer {
        Answer {
            tokens: self.tokens[self.prompt..].to_vec(),
            stop,
        }
    }
}

impl<B: Operations> LoadedDecoder<B> {
    /// A decoder without anything kept yet.
    #[must_use]
    pub fn new(model: Decoder<B>) -> Self {
        Self {
            kept: Vec::new(),
            blocks: Blocks::new(0),
            model,
        }
    }

    /// Makes room for so many blocks, if there is less. What was kept for later is lost then.
    fn reserve(&mut self, blocks: usize) {
        if self.blocks.count() < blocks {
            // The old ones go before the new ones come.
            self.kept = Vec::new();
            self.kept = self.model.room(blocks * BLOCK);
            self.blocks = Blocks::new(blocks);
        }
    }

    /// Sends tokens of several texts through the network, which are the next ones of each.
    fn step(&mut self, texts: &mut [(&mut Text, &[u32])], rows: Rows) -> Tensor<B, 2> {
        let mut ids = Vec::new();
        let mut lengths = Vec::new();
        let mut positions = Vec::new();
        for (text, tokens) in &mut *texts {
            ids.extend_from_slice(tokens);
            lengths.push(tokens.len());
            positions.extend((text.length..text.length + tokens.len()).map(|at| (at, text.long)));
            text.length += tokens.len();
            while text.blocks.len() * BLOCK < text.length {
                let block = self.blocks.take();
                text.blocks.push(block.expect("room was made beforehand"));
            }
        }
        let first_rows = |text: &Text| text.blocks.iter().map(|block| block * BLOCK).collect();
        let contexts = Contexts::new(
            Segments::new(&lengths),
            texts.iter().map(|(text, _)| first_rows(text)).collect(),
            texts.iter().map(|(text, _)| text.length).collect(),
            &self.model.device(),
        );
        let step = Step {
            ids: &ids,
            angles: angles(self.model.config().rotary(), positions.into_iter()),
            contexts: &contexts,
            rows,
        };
        self.model.hidden_states(&step, &mut self.kept)
    }

    /// Reads a prompt, what is kept of it already left out. Hands the hidden states of each piece
    /// to `piece`, with the place of its first token. `None` if the observer says so.
    fn read(
        &mut self,
        prompt: &[u32],
        speed: &mut Speed,
        observer: &mut dyn FnMut(usize) -> Control,
        piece: &mut dyn FnMut(&Self, usize, Tensor<B, 2>),
    ) -> Option<Text> {
        let begun = Instant::now();
        let long = is_long(self.model.config().rotary(), prompt.len());
        let (blocks, mut chain) = self.blocks.shared(prompt, long);
        let shared = blocks.len() * BLOCK;
        speed.shared_tokens += shared;
        let mut text = Text {
            length: shared,
            blocks,
            long,
        };
        while text.length < prompt.len() {
            let first = text.length;
            // Pieces end at the same places, whatever was shared.
            let end = ((first / PIECE + 1) * PIECE).min(prompt.len());
            let tokens = &prompt[first..end];
            let hidden = self.step(&mut [(&mut text, tokens)], Rows::OfOneText);
            piece(self, first, hidden);
            speed.read_tokens += tokens.len();
            if observer(tokens.len()) == Control::Stop {
                self.blocks.give_back(&text.blocks);
                return None;
            }
        }
        let (whole, _) = prompt.as_chunks::<BLOCK>();
        for (index, tokens) in whole.iter().enumerate().skip(shared / BLOCK) {
            chain = self.blocks.name(text.blocks[index], chain, *tokens);
        }
        speed.read_seconds += begun.elapsed().as_secs_f64();
        Some(text)
    }

    /// Reads a prompt; also the logits after its last token.
    fn read_for_next(
        &mut self,
        prompt: &[u32],
        speed: &mut Speed,
        observer: &mut dyn FnMut(usize) -> Control,
    ) -> Option<(Text, Vec<f32>)> {
        let mut logits = Vec::new();
        let text = self.read(prompt, speed, observer, &mut |this, first, hidden| {
            let count = hidden.dims()[0];
            if first + count == prompt.len() {
                logits = this.after(hidden.narrow(0, count - 1, 1));
            }
        })?;
        Some((text, logits))
    }

    /// The logits after hidden states `[tokens, hidden]`, on the host.
    fn after(&self, hidden: Tensor<B, 2>) -> Vec<f32> {
        let logits = self.model.logits(hidden, Rows::OfSeveralTexts).into_data();
        logits.into_vec().expect("logits are f32")
    }

    /// Blocks that a request may need.
    fn blocks_of(request: &Request) -> usize {
        (request.prompt.len() + request.max_new_tokens).div_ceil(BLOCK)
    }

    /// Adds a token to a running request; says why it ends, if it does.
    fn add(
        running: &mut Running,
        token: u32,
        request: &Request,
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Option<StopReason> {
        if options.end_tokens.contains(&token) {
            return Some(StopReason::EndToken(token));
        }
        running.tokens.push(token);
        if observer.token(running.request, token) == Next::End {
            return Some(StopReason::Observer);
        }
        let written = running.tokens.len() - running.prompt;
        (written >= request.max_new_tokens).then_some(StopReason::Length)
    }

    /// A step of all that is running: the logits after the last token of each.
    fn write(&mut self, running: &mut [Running], speed: &mut Speed) -> Vec<f32> {
        // Where the angles of long texts begin, everything is computed anew with them.
        for one in &mut *running {
            let long = is_long(self.model.config().rotary(), one.tokens.len());
            if long && !one.text.long {
                self.blocks.give_back(&one.text.blocks);
                let before = &one.tokens[..one.tokens.len() - 1];
                let mut text = Text {
                    blocks: Vec::new(),
                    length: 0,
                    long: true,
                };
                for tokens in before.chunks(PIECE) {
                    let _ = self.step(&mut [(&mut text, tokens)], Rows::OfOneText);
                }
                one.text = text;
            }
        }
        let mut texts: Vec<(&mut Text, &[u32])> = running
            .iter_mut()
            .map(|one| {
                let last = one.tokens.len() - 1;
                (&mut one.text, &one.tokens[last..])
            })
            .collect();
        let hidden = self.step(&mut texts, Rows::OfSeveralTexts);
        speed.written_tokens += texts.len();
        self.after(hidden)
    }
}

impl<B: Operations> LoadedDecoder<B> {
    /// [`TokenDecoder::generate`](crate::decoder::TokenDecoder::generate).
    pub fn generate(
        &mut self,
        requests: &[Request],
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Speed {
        let mut speed = Speed::default();
        let at_once = options.at_once.max(1);
        let mut sizes: Vec<usize> = requests.iter().map(Self::blocks_of).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let used: usize = sizes.iter().take(at_once).sum();
        let kept = options.kept_tokens.div_ceil(BLOCK);
        self.reserve((used + kept).min(sizes.iter().sum()));
        let vocabulary = self.model.config().vocab_size();
        let mut running: Vec<Running> = Vec::new();
        let mut waiting = requests.iter().enumerate();
        loop {
            while running.len() < at_once {
                let Some((index, request)) = waiting.next() else {
                    break;
                };
                let mut on = |tokens| observer.read(tokens);
                let read = self.read_for_next(&request.prompt, &mut speed, &mut on);
                let Some((text, logits)) = read else {
                    for one in &running {
                        self.blocks.give_back(&one.text.blocks);
                    }
                    return speed;
                };
                let mut one = Running {
                    request: index,
                    text,
                    tokens: request.prompt.clone(),
                    prompt: request.prompt.len(),
                };
                let ended = if request.max_new_tokens == 0 {
                    Some(StopReason::Length)
                } else {
                    let draw = Draw {
                        seed: request.seed,
                        number: 0,
                    };
                    let token = next(&logits, &one.tokens, &options.sampling, draw);
                    speed.written_tokens += 1;
                    Self::add(&mut one, token, request, options, observer)
                };
                match ended {
                    Some(stop) => {
                        self.blocks.give_back(&one.text.blocks);
                        observer.answered(index, one.answer(stop));
                    }
                    None => running.push(one),
                }
            }
            if running.is_empty() {
                return speed;
            }
            let begun = Instant::now();
            let logits = self.write(&mut running, &mut speed);
            let rows = logits.par_chunks_exact(vocabulary).zip(&running);
            let tokens: Vec<u32> = rows
                .map(|(row, one)| {
                    let draw = Draw {
                        seed: requests[one.request].seed,
                        number: one.tokens.len() - one.prompt,
                    };
                    next(row, &one.tokens, &options.sampling, draw)
                })
                .collect();
            let mut place = 0;
            for token in tokens {
                let one = &mut running[place];
                let request = &requests[one.request];
                match Self::add(one, token, request, options, observer) {
                    Some(stop) => {
                        let done = running.remove(place);
                        self.blocks.give_back(&done.text.blocks);
                        observer.answered(done.request, done.answer(stop));
                    }
                    None => place += 1,
                }
            }
            speed.write_seconds += begun.elapsed().as_secs_f64();
            if observer.read(0) == Control::Stop {
                for one in &running {
                    self.blocks.give_back(&one.text.blocks);
                }
                return speed;
            }
        }
    }

    /// [`TokenDecoder::likelihoods`](crate::decoder::TokenDecoder::likelihoods).
    pub fn likelihoods(
        &mut self,
        asked: &[Continuations],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Option<Vec<Vec<f64>>> {
        let longest = |asked: &Continuations| {
            let longest = asked.continuations.iter().map(Vec::len).max();
            (asked.prompt.len() + longest.unwrap_or(0)).div_ceil(BLOCK)
        };
        let blocks = asked.iter().map(longest).max().unwrap_or(0);
        // Twice, so that what prompts share outlives what they do not.
        self.reserve(2 * blocks);
        let vocabulary = self.model.config().vocab_size();
        let mut speed = Speed::default();
        let mut found = Vec::with_capacity(asked.len());
        for (done, asked) in asked.iter().enumerate() {
            let mut on = |_| Control::Continue;
            let (text, first) = self.read_for_next(&asked.prompt, &mut speed, &mut on)?;
            self.blocks.give_back(&text.blocks);
            let mut sums = Vec::with_capacity(asked.continuations.len());
            for continuation in &asked.continuations {
                let mut sum = log_probability(&first, continuation[0]);
                if continuation.len() > 1 {
                    let start = asked.prompt.len();
                    let kept = continuation.len() - 1;
                    let whole = [&asked.prompt[..], &continuation[..kept]].concat();
                    let mut logits = Vec::new();
                    let text =
                        self.read(&whole, &mut speed, &mut on, &mut |this, at, hidden| {
                            let end = at + hidden.dims()[0];
                            if end > start {
                                let from = start.max(at);
                                let part = hidden.narrow(0, from - at, end - from);
                                logits.extend(this.after(part));
                            }
                        })?;
                    self.blocks.give_back(&text.blocks);
                    let rows = logits.chunks_exact(vocabulary);
                    for (row, token) in rows.zip(&continuation[1..]) {
                        sum += log_probability(row, *token);
                    }
                }
                sums.push(sum);
            }
            found.push(sums);
            if advance(done + 1) == Control::Stop {
                return None;
            }
        }
        Some(found)
    }

    /// [`TokenDecoder::logits`](crate::decoder::TokenDecoder::logits).
    pub fn logits(&mut self, prompt: &[u32]) -> Vec<f32> {
        // Nothing may be shared: the logits of all tokens are wanted.
        self.kept = Vec::new();
        self.blocks = Blocks::new(0);
        self.reserve(prompt.len().div_ceil(BLOCK));
        let mut all = Vec::new();
        let mut on = |_| Control::Continue;
        let mut speed = Speed::default();
        let text = self.read(prompt, &mut speed, &mut on, &mut |this, _, hidden| {
            all.extend(this.after(hidden));
        });
        if let Some(text) = text {
            self.blocks.give_back(&text.blocks);
        }
        all
    }
}
