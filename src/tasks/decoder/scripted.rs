//! A decoder that answers from a list, for tests.

use std::collections::VecDeque;

use engine::decoder::{Continuations, TokenDecoder};
use engine::generation::{
    Answer, GenerationObserver, GenerationOptions, Next, Request, Speed, StopReason,
};
use engine::training::Control;

/// How likely a continuation is after a prompt.
pub type Likelihood = fn(&[u32], &[u32]) -> f64;

/// Answers with what it is given, in the order of the requests.
#[derive(Debug, Default)]
pub struct Scripted {
    /// The tokens of the answers to come; the last one stays.
    pub answers: VecDeque<Vec<u32>>,
    /// What was asked so far.
    pub asked: Vec<Request>,
    /// What the options were.
    pub options: Vec<GenerationOptions>,
    /// The likelihood of a continuation after a prompt.
    pub likelihood: Option<Likelihood>,
}

impl TokenDecoder for Scripted {
    fn generate(
        &mut self,
        requests: &[Request],
        options: &GenerationOptions,
        observer: &mut dyn GenerationObserver,
    ) -> Speed {
        let mut speed = Speed::default();
        self.options.push(options.clone());
        for (place, request) in requests.iter().enumerate() {
            if observer.read(request.prompt.len()) == Control::Stop {
                break;
            }
            self.asked.push(request.clone());
            let answer = match self.answers.len() {
                0 => Vec::new(),
                1 => self.answers[0].clone(),
                _ => self.answers.pop_front().unwrap_or_default(),
            };
            speed.read_tokens += request.prompt.len();
            let (mut tokens, mut stop) = (Vec::new(), StopReason::Length);
            for token in answer {
                if options.end_tokens.contains(&token) {
                    stop = StopReason::EndToken(token);
                    break;
                }
                tokens.push(token);
                speed.written_tokens += 1;
                if observer.token(place, token) == Next::End {
                    stop = StopReason::Observer;
                    break;
                }
                if tokens.len() == request.max_new_tokens {
                    break;
                }
            }
            observer.answered(place, Answer { tokens, stop });
        }
        speed
    }

    fn likelihoods(
        &mut self,
        asked: &[Continuations],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Option<Vec<Vec<f64>>> {
        let mut likelihoods = Vec::new();
        for (place, asked) in asked.iter().enumerate() {
            let likelihood = self.likelihood.unwrap_or(|_, _| 0.0);
            let each = asked.continuations.iter();
            likelihoods.push(
                each.map(|tokens| likelihood(&asked.prompt, tokens))
                    .collect(),
            );
            if advance(place + 1) == Control::Stop {
                return None;
            }
        }
        Some(likelihoods)
    }

    fn logits(&mut self, _: &[u32]) -> Vec<f32> {
        Vec::new()
    }
}
