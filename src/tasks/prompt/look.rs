//! What prompting reads, looked at before anything runs.

use crate::config::PromptSettings;
use crate::hub::Wanted;
use crate::runner::ExecuteError;
use crate::tasks::inspect::{Inspection, Look};
use crate::tasks::needs::absent_reviews;
use crate::tasks::{Task, snapshot};

use super::Prepared;
use super::rows::Rows;

/// The data, their classes and examples; the model, its tokeniser and chat template; and the prompts,
/// each of which has to fit into the model.
pub(super) fn look(settings: &PromptSettings, inspection: &mut Inspection) -> Vec<Look> {
    if settings.refusal().is_some() {
        return Vec::new();
    }
    if let Some(said) = absent_reviews(&settings.data) {
        return vec![Ok(vec![said])];
    }
    let key = ("prompt data", &settings.data, &settings.classification);
    let data = inspection.once(&key, || {
        let rows = Rows::read(settings).map_err(|error| error.to_string())?;
        let path = settings.data.path.display();
        let facts = [format!(
            "{path}: {} rows to classify, {} examples; classes: {}",
            rows.count(),
            rows.examples.len(),
            rows.labels.names().join(", ")
        )];
        let notes = rows.notes.iter().map(|note| format!("{path}: {note}"));
        Ok(facts.into_iter().chain(notes).collect())
    });
    if data.is_err() {
        return vec![data];
    }
    let key = (
        "prompts",
        &settings.data,
        &settings.classification,
        &settings.model,
        &settings.generation,
        &settings.prompt,
    );
    let prompts = inspection.once(&key, || {
        if let Some(said) = snapshot::absent(&settings.model.origin, Wanted::Decoder) {
            return Ok(vec![said]);
        }
        prompts(settings).map_err(|error| error.to_string())
    });
    vec![data, prompts]
}

fn prompts(settings: &PromptSettings) -> Result<Vec<String>, ExecuteError> {
    let prepared = Prepared::new(settings)?;
    let scribe = prepared.scribe(settings)?;
    let prompts = prepared.prompts(settings, &scribe)?;
    let lengths = || prompts.iter().map(|prompt| prompt.tokens.len());
    let (Some(shortest), Some(longest)) = (lengths().min(), lengths().max()) else {
        return Ok(Vec::new());
    };
    let count = prompts.len();
    Ok(vec![format!(
        "{}: {count} prompts of {shortest} to {longest} tokens; it takes {}",
        settings.model.origin,
        prepared.decoder.context_length()
    )])
}
