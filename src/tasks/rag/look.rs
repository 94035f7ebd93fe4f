//! What retrieval reads, looked at before anything runs.

use engine::device::Device;

use crate::config::{DocumentOrigin, Embedder, RagSettings};
use crate::tasks::inspect::{Inspection, Look};

use super::embed::Lazy;
use super::fragments::Fragments;
use super::judge::Relevance;
use super::opened;
use crate::tasks::Task;

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
        let open = || opened(&settings.embedder, Device::Cpu);
        let lazy = Lazy::new(&open);
        let embedder = matches!(settings.embedder, Embedder::Model(_)).then_some(&lazy);
        if let Some(embedder) = embedder {
            embedder.get().map_err(|error| error.to_string())?;
        }
        let fragments = Fragments::cut(settings, embedder).map_err(|error| error.to_string())?;
        for question in &settings.questions {
            Relevance::of(question, &fragments).map_err(|error| error.to_string())?;
        }
        let name = match &settings.document.origin {
            DocumentOrigin::Path(path) => path.display().to_string(),
            DocumentOrigin::Url(url) => url.clone(),
        };
        Ok(vec![format!(
            "{name}: {} words in {} chunks",
            fragments.words,
            fragments.texts.len()
        )])
    });
    vec![look]
}
