//! A new question to the document of a run, answered as the run answers its own.

use std::path::Path;

use engine::device::Device;

use super::embed::Lazy;
use super::fragments::Fragments;
use super::search::{Place, search};
use super::{answer, opened, phrases};
use crate::config::{Embedder, Question, RagSettings, Settings};
use crate::plan::RunSpec;
use crate::record::results_of;
use crate::runner::{Event, ExecuteError, StopFlag};
use crate::tasks::watch::Progress;
use crate::tasks::{Asked, Finished, FoundFragment, Searchable};

impl Searchable for RagSettings {
    fn ask(
        &self,
        finished: Finished<'_>,
        question: &str,
        device: Device,
    ) -> Result<Asked, ExecuteError> {
        let Finished {
            folder,
            record,
            settings,
        } = finished;
        // With its document and its model where these are now.
        let spec = RunSpec::of_finished(record, folder, settings, &[])?;
        let Settings::Rag(here) = spec.settings.clone() else {
            return Err(ExecuteError::message("the run searched no document"));
        };
        here.search_again(question, &spec, results_of(folder), device)
    }
}

impl RagSettings {
    /// Searches the document that a run was made with.
    fn search_again(
        &self,
        question: &str,
        spec: &RunSpec,
        results: &Path,
        device: Device,
    ) -> Result<Asked, ExecuteError> {
        let open = || opened(&self.embedder, device);
        let lazy = Lazy::new(&open);
        let embedder = matches!(self.embedder, Embedder::Model(_)).then_some(&lazy);
        let fragments = Fragments::cut(self, embedder)?;
        let question = Question {
            id: "asked".to_owned(),
            text: question.to_owned(),
            relevant: Vec::new(),
            answer: None,
        };
        let stop = StopFlag::new();
        let mut events = |_: Event| {};
        let mut progress = Progress::new(spec.label(), &mut events, &stop);
        let mut place = Place {
            results,
            spec,
            progress: &mut progress,
        };
        let found = search(
            self,
            &[(&question.id, &question.text)],
            &fragments,
            embedder,
            &mut place,
        )?;
        let Some(mut found) = found else {
            return Err(ExecuteError::message("stopped"));
        };
        let hits = found.hits.pop().unwrap_or_default();
        let phrases = phrases(self, &question.text);
        Ok(Asked {
            answer: answer(self, &question, &hits, &fragments).map(|row| row.answer),
            fragments: hits
                .iter()
                .map(|hit| FoundFragment {
                    citation: phrases.cite(hit.chunk),
                    score: hit.score,
                    text: fragments.texts[hit.chunk].clone(),
                })
                .collect(),
            notes: fragments.notes.into_iter().chain(found.notes).collect(),
        })
    }
}
