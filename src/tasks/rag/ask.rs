//! A new question to the document of a run, answered as the run answers its own.

use engine::device::Device;

use super::embed::Lazy;
use super::fragments::Fragments;
use super::search::{Place, search};
use super::{answer, opened};
use crate::config::{Embedder, Question, RagSettings};
use crate::content::Contents;
use crate::plan::{Change, RunSpec};
use crate::record::results_of;
use crate::runner::{Event, ExecuteError, StopFlag};
use crate::tasks::watch::Progress;
use crate::tasks::{Asked, Finished, Searchable};

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
        let spec = RunSpec {
            experiment: record.experiment.clone(),
            run: record.run.clone(),
            seed: record.seed,
            settings: settings.clone(),
            folder: folder.to_owned(),
            identity: record.identity.clone(),
            identity_parts: record.identity_parts.clone(),
            format: record.environment.precision.clone(),
            overrides: Vec::new(),
            axes: Vec::new(),
            seen: Vec::new(),
            source: None,
        };
        let results = results_of(folder);
        let changes = spec.changes(&mut Contents::open(results))?;
        if !changes.is_empty() {
            let changes: Vec<_> = changes.iter().map(Change::to_string).collect();
            return Err(ExecuteError::message(format!(
                "changed since the run: {}; run it again",
                changes.join(", ")
            )));
        }
        let open = || opened(&self.embedder, device);
        let lazy = Lazy::new(&open);
        let embedder = matches!(self.embedder, Embedder::Model(_)).then_some(&lazy);
        let fragments = Fragments::cut(self, embedder)?;
        let question = Question {
            id: "asked".to_owned(),
            text: question.to_owned(),
            relevant: Vec::new(),
        };
        let stop = StopFlag::new();
        let mut events = |_: Event| {};
        let mut progress = Progress::new(spec.label(), &mut events, &stop);
        let mut place = Place {
            results,
            spec: &spec,
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
        Ok(Asked {
            answer: answer(self, &question, &hits, &fragments).map(|row| row.answer),
            fragments: hits
                .iter()
                .map(|hit| (hit.chunk, hit.score, fragments.texts[hit.chunk].clone()))
                .collect(),
            notes: found.notes,
        })
    }
}
