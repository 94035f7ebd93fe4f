//! Shows the prompts of a run.

use engine::device::Device;

use super::asking::Asking;
use super::embed::Lazy;
use super::fragments::Fragments;
use super::opened;
use super::search::{Place, search};
use crate::config::{Embedder, Generator, RagSettings};
use crate::plan::RunSpec;
use crate::record::results_of;
use crate::runner::{Event, ExecuteError, StopFlag};
use crate::tasks::decoder::Decoder;
use crate::tasks::watch::Progress;
use crate::tasks::{Prompted, ShownPrompt};

impl Prompted for RagSettings {
    fn prompts(
        &self,
        spec: &RunSpec,
        which: Option<&str>,
    ) -> Result<Vec<ShownPrompt>, ExecuteError> {
        let Generator::Model(table) = &self.generator else {
            return Err(ExecuteError::message("the run asks no decoder"));
        };
        let ids = || self.questions.iter().map(|question| question.id.as_str());
        let wanted = match which {
            None => Some(0),
            Some(which) => ids().position(|id| id == which).or_else(|| {
                let number: Option<usize> = which.parse().ok();
                number.filter(|&number| number < self.questions.len())
            }),
        };
        let Some(question) = wanted.and_then(|place| self.questions.get(place)) else {
            return Err(ExecuteError::message(format!(
                "there is no prompt `{}`: they are 0 to {}, or by their questions {}",
                which.unwrap_or_default(),
                self.questions.len().saturating_sub(1),
                ids().collect::<Vec<_>>().join(", ")
            )));
        };
        let decoder = Decoder::open(&table.model)?;
        let asking = Asking::new(self, &decoder)?;
        let open = || opened(&self.embedder, Device::Cpu);
        let lazy = Lazy::new(&open);
        let embedder = matches!(self.embedder, Embedder::Model(_)).then_some(&lazy);
        let fragments = Fragments::cut(self, embedder)?;
        let (mut events, stop) = (|_: Event| {}, StopFlag::new());
        let mut place = Place {
            results: results_of(&spec.folder),
            spec,
            progress: &mut Progress::new(spec.label(), &mut events, &stop),
        };
        // All of them: their vectors are kept together.
        let questions = self.questions.iter();
        let asked: Vec<(&str, &str)> = questions.map(|one| (&*one.id, &*one.text)).collect();
        let found = search(self, &asked, &fragments, embedder, &mut place)?;
        let found = found.ok_or_else(|| ExecuteError::message("stopped"))?;
        let hits = found
            .hits
            .get(wanted.unwrap_or(0))
            .map_or(&[][..], Vec::as_slice);
        // Also one that is too long.
        let prompt = asking.longest((&question.id, &question.text), hits, &fragments)?;
        Ok(vec![ShownPrompt {
            name: question.id.clone(),
            text: decoder.tokenizer().decode(&prompt, true),
            tokens: prompt.len(),
            max_new_tokens: asking.drawing.max_new_tokens(prompt.len()),
            context_length: decoder.context_length(),
        }])
    }
}
