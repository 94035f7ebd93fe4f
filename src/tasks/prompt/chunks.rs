//! The study's way: several texts in a prompt, their labels read from the answer, and asked again
//! until it has the form of one.

use engine::decoder::TokenDecoder;

use super::parse::Form;
use super::results::Predicted;
use super::written::Written;
use super::{Prepared, Run};
use crate::record::AttemptRow;
use crate::runner::ExecuteError;
use crate::tasks::decoder::{Answering, Asked};

/// What became of the chunks.
pub(super) struct Chunks {
    /// The class of each text of each prompt; none where no answer had the form.
    classes: Vec<Option<Vec<usize>>>,
    /// Answers in all.
    pub(super) tries: usize,
    /// The rows of `attempts.csv`, in the order of prompts and tries.
    pub(super) rows: Vec<AttemptRow>,
}

impl Run<'_, '_> {
    /// Answers all chunks; none if the run is to stop.
    pub(super) fn chunks(
        &mut self,
        model: &mut dyn TokenDecoder,
    ) -> Result<Option<Chunks>, ExecuteError> {
        let asked = &self.settings.classification;
        let drawing = &self.prepared.drawing;
        // The likeliest answer would be said again.
        let most = if drawing.varies() { asked.max_tries } else { 1 };
        let forms = self
            .prompts
            .iter()
            .map(|prompt| Form::new(&self.prepared.rows.words, &asked.separator, prompt.count));
        let forms: Vec<Form> = forms.collect::<Result<_, _>>()?;
        let total = self.prompts.len();
        let mut found = Chunks {
            classes: vec![None; total],
            tries: 0,
            rows: Vec::new(),
        };
        let mut attempts: Vec<Vec<AttemptRow>> = vec![Vec::new(); total];
        for attempt in 0..most.max(1) {
            let open: Vec<usize> = (0..total)
                .filter(|&number| found.classes[number].is_none())
                .collect();
            if open.is_empty() {
                break;
            }
            let asked: Vec<Asked> = open
                .iter()
                .map(|&number| Asked {
                    number,
                    attempt,
                    prompt: self.prompts[number].tokens.clone(),
                })
                .collect();
            let mut answering = Answering {
                decoder: model,
                tokenizer: self.prepared.decoder.tokenizer(),
                drawing,
                seed: self.seed,
                at_once: self.at_once,
                kept: Some(self.kept),
                progress: self.progress,
                listener: None,
                pace: self.pace,
            };
            let answers = answering.answer(&asked, total - open.len(), total)?;
            self.pace = answering.pace;
            let Some(answers) = answers else {
                return Ok(None);
            };
            for (number, answer) in open.into_iter().zip(answers) {
                let prompt = &self.prompts[number];
                let classes = forms[number].read(&answer.text);
                found.tries += 1;
                attempts[number].push(AttemptRow {
                    evaluation: self.prepared.rows.sets[prompt.set].0.clone(),
                    chunk: prompt.number,
                    attempt: attempt + 1,
                    prompt_tokens: prompt.tokens.len(),
                    new_tokens: answer.new_tokens,
                    stop: answer.stop.word().to_owned(),
                    parsed: classes.is_some(),
                    answer: answer.text,
                });
                found.classes[number] = classes;
            }
        }
        found.rows = attempts.into_iter().flatten().collect();
        Ok(Some(found))
    }
}

impl Chunks {
    /// Prompts without an answer that has the form.
    pub(super) fn failed(&self) -> usize {
        self.classes
            .iter()
            .filter(|classes| classes.is_none())
            .count()
    }

    /// What was predicted, by set and row.
    pub(super) fn predictions(&self, prepared: &Prepared, prompts: &[Written]) -> Vec<Predicted> {
        let sets = prepared.rows.sets.iter();
        let mut predicted: Vec<Predicted> = sets
            .map(|(_, rows)| Predicted {
                classes: vec![None; rows.len()],
                probabilities: None,
            })
            .collect();
        for (prompt, classes) in prompts.iter().zip(&self.classes) {
            let places = &mut predicted[prompt.set].classes[prompt.first..][..prompt.count];
            for (place, class) in places.iter_mut().zip(classes.iter().flatten()) {
                *place = Some(*class);
            }
        }
        predicted
    }

    /// What a reader of the results should know.
    pub(super) fn notes(&self, prepared: &Prepared) -> Option<String> {
        let failed = self.failed();
        (failed > 0).then(|| {
            let again = if prepared.drawing.varies() {
                ", however often it was asked; their rows count as wrong"
            } else {
                ", and the likeliest answer is always the same; their rows count as wrong"
            };
            format!(
                "{failed} of {} chunks got no answer of the wanted form{again} (attempts.csv has the answers)",
                self.classes.len()
            )
        })
    }
}
