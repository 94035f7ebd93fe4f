//! What retrieval reads, looked at before anything runs.

use std::collections::BTreeSet;

use engine::device::Device;

use crate::config::{ChunkStrategy, DocumentOrigin, Embedder, RagSettings};
use crate::hub::Wanted;
use crate::retrieval::Side;
use crate::tasks::inspect::{Inspection, Look};

use super::embed::Lazy;
use super::fragments::Fragments;
use super::judge::Relevance;
use super::{located, opened};
use crate::tasks::{Task, snapshot};

/// The document and what the questions find in it; the embedder.
pub fn look(settings: &RagSettings, inspection: &mut Inspection) -> Vec<Look> {
    if settings.refusal().is_some() {
        return Vec::new();
    }
    let key = (
        "document",
        &settings.document,
        &settings.chunks,
        &settings.embedder,
        &settings.retrieval,
        &settings.questions,
    );
    let look = inspection.once(&key, || {
        let model = match &settings.embedder {
            Embedder::Model(model) => Some(model),
            Embedder::Lexical(_) => None,
        };
        if let Some(said) = located::absent(&settings.document) {
            return Ok(vec![said]);
        }
        let absent =
            model.and_then(|table| snapshot::absent(&table.model.origin, Wanted::SentenceEncoder));
        // Its tokens say where sentences are cut.
        if absent.is_some() && settings.chunks.strategy == ChunkStrategy::Sentences {
            return Ok(absent.into_iter().collect());
        }
        let open = || opened(&settings.embedder, Device::Cpu);
        let lazy = Lazy::new(&open);
        let embedder = model.filter(|_| absent.is_none()).map(|_| &lazy);
        let mut of_embedder = Vec::new();
        if let Some(embedder) = embedder {
            let embedder = embedder.get().map_err(|error| error.to_string())?;
            let sides = [Side::Query, Side::Document];
            of_embedder.extend(sides.into_iter().flat_map(|side| embedder.notes(side)));
            let mut seen = BTreeSet::new();
            of_embedder.retain(|note| seen.insert(note.clone()));
        }
        let fragments = Fragments::cut(settings, embedder).map_err(|error| error.to_string())?;
        let mut said = fragments.notes.clone();
        for question in &settings.questions {
            let relevance =
                Relevance::of(question, &fragments).map_err(|error| error.to_string())?;
            said.extend(relevance.note(&question.id));
        }
        let name = match &settings.document.origin {
            DocumentOrigin::Path(path) => path.display().to_string(),
            DocumentOrigin::Url(url) => url.clone(),
        };
        let size = format!(
            "{name}: {} words in {} chunks",
            fragments.words,
            fragments.texts.len()
        );
        let notes = said.into_iter().map(|note| format!("{size}: {note}"));
        let facts = absent.into_iter().chain([size.clone()]);
        let of_embedder = model.into_iter().flat_map(|table| {
            let name = &table.model.origin;
            of_embedder
                .iter()
                .map(move |note| format!("{name}: {note}"))
        });
        Ok(facts.chain(of_embedder).chain(notes).collect())
    });
    vec![look]
}
