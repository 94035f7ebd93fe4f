//! New questions to the document of a run, answered as the run answers its own.

use std::path::Path;

use engine::device::Device;

use super::answers::{self, Desk};
use super::embed::Lazy;
use super::fragments::Fragments;
use super::search::{Place, search};
use super::{Models, opened, phrases};
use crate::config::{Embedder, Generator, RagSettings, Settings};
use crate::plan::RunSpec;
use crate::record::results_of;
use crate::runner::{Event, ExecuteError, StopFlag};
use crate::tasks::watch::Progress;
use crate::tasks::{Asked, Finished, FoundFragment, Listener, Searchable};

impl Searchable for RagSettings {
    fn ask(
        &self,
        finished: Finished<'_>,
        questions: &[String],
        device: Device,
        listener: Option<Listener<'_, '_>>,
    ) -> Result<Vec<Asked>, ExecuteError> {
        let Finished {
            folder,
            record,
            settings,
        } = finished;
        // With its document and its models where these are now.
        let spec = RunSpec::of_finished(record, folder, settings, &[])?;
        let Settings::Rag(here) = spec.settings.clone() else {
            return Err(ExecuteError::message("the run searched no document"));
        };
        let models = Models {
            open: &|| opened(&here.embedder, device),
            load: &|files, format, device| files.load(format, device),
        };
        let place = (&spec, results_of(folder), device);
        here.search_again(questions, place, &models, listener)
    }
}

impl RagSettings {
    /// Searches the document that a run was made with.
    pub(super) fn search_again(
        &self,
        questions: &[String],
        (spec, results, device): (&RunSpec, &Path, Device),
        models: &Models<'_>,
        listener: Option<Listener<'_, '_>>,
    ) -> Result<Vec<Asked>, ExecuteError> {
        let lazy = Lazy::new(models.open);
        let embedder = matches!(self.embedder, Embedder::Model(_)).then_some(&lazy);
        let fragments = Fragments::cut(self, embedder)?;
        let names: Vec<String> = (1..=questions.len())
            .map(|number| match questions.len() {
                1 => "asked".to_owned(),
                _ => format!("asked {number}"),
            })
            .collect();
        let names = names.iter().map(String::as_str);
        let asked: Vec<(&str, &str)> = names.zip(questions.iter().map(String::as_str)).collect();
        let stop = StopFlag::new();
        let mut events = |_: Event| {};
        let mut progress = Progress::new(spec.label(), &mut events, &stop);
        let mut place = Place {
            results,
            spec,
            progress: &mut progress,
        };
        let found = search(self, &asked, &fragments, embedder, &mut place)?;
        let found = found.ok_or_else(|| ExecuteError::message("stopped"))?;
        let heard = listener.is_some() && matches!(self.generator, Generator::Model(_));
        let mut desk = Desk {
            load: models.load,
            device,
            seed: spec.seed,
            folder: None,
            halvings: 0,
            progress: &mut progress,
            listener,
        };
        let answers = answers::answer(self, &asked, &found.hits, &fragments, &mut desk)?;
        let answers = answers.ok_or_else(|| ExecuteError::message("stopped"))?;
        let notes = fragments.notes.iter().chain(&found.notes);
        let notes: Vec<String> = notes.chain(&answers.notes).cloned().collect();
        let each = questions.iter().zip(&found.hits).enumerate();
        let each = each.map(|(place, (question, hits))| {
            let phrases = phrases(self, question);
            let fragment = |hit: &engine::retrieval::Hit| FoundFragment {
                citation: phrases.cite(hit.chunk),
                score: hit.score,
                text: fragments.texts[hit.chunk].clone(),
            };
            Asked {
                answer: answers.replies.get(place).map(|reply| reply.text.clone()),
                heard,
                fragments: hits.iter().map(fragment).collect(),
                // Once, with the first.
                notes: if place == 0 {
                    notes.clone()
                } else {
                    Vec::new()
                },
            }
        });
        Ok(each.collect())
    }
}
