//! What retrieval reads, looked at before anything runs.

use std::collections::BTreeSet;

use engine::device::Device;
use engine::retrieval::Hit;

use crate::config::{ChunkStrategy, DocumentOrigin, Embedder, Generator, RagSettings};
use crate::hub::Wanted;
use crate::retrieval::Side;
use crate::runner::ExecuteError;
use crate::tasks::decoder::Decoder;
use crate::tasks::inspect::{Inspection, Look};

use super::asking::Asking;
use super::embed::Lazy;
use super::fragments::Fragments;
use super::judge::Relevance;
use super::{located, opened, search};
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
    let key = (
        "prompts",
        key,
        &settings.generator,
        &settings.generation,
        &settings.prompt,
    );
    let Generator::Model(table) = &settings.generator else {
        return vec![look];
    };
    if look.is_err() {
        return vec![look];
    }
    let prompts = inspection.once(&key, || {
        if let Some(said) = snapshot::absent(&table.model.origin, Wanted::Decoder) {
            return Ok(vec![said]);
        }
        prompts(settings).map_err(|error| error.to_string())
    });
    vec![look, prompts]
}

/// The decoder with its tokeniser and chat template, and whether it takes the prompts: those that
/// it will get where words alone decide that, else with the shortest chunks and with the longest.
fn prompts(settings: &RagSettings) -> Result<Vec<String>, ExecuteError> {
    let Generator::Model(table) = &settings.generator else {
        return Ok(Vec::new());
    };
    let decoder = Decoder::open(&table.model)?;
    let asking = Asking::new(settings, &decoder)?;
    let name = &table.model.origin;
    let mut said: Vec<String> = Vec::new();
    said.extend(
        asking
            .drawing
            .notes
            .iter()
            .map(|note| format!("{name}: {note}")),
    );
    let by_sentences = settings.chunks.strategy == ChunkStrategy::Sentences;
    let lexical = matches!(settings.embedder, Embedder::Lexical(_));
    if located::absent(&settings.document).is_some() || by_sentences && !lexical {
        return Ok(said);
    }
    // Only sentences are counted in an embedder's tokens.
    let fragments = Fragments::cut(settings, None)?;
    let questions = || {
        settings
            .questions
            .iter()
            .map(|question| (&*question.id, &*question.text))
    };
    let lengths = if let Embedder::Lexical(lexical) = &settings.embedder {
        let asked: Vec<(&str, &str)> = questions().collect();
        let found = search::by_words(settings, lexical.kind, &asked, &fragments);
        let prompts = asked.iter().zip(&found.hits);
        let lengths = prompts.map(|(question, hits)| {
            let prompt = asking.prompt(*question, hits, &fragments)?;
            Ok(prompt.tokens.len())
        });
        lengths.collect::<Result<Vec<usize>, ExecuteError>>()?
    } else {
        let mut order: Vec<usize> = (0..fragments.texts.len()).collect();
        order.sort_by_key(|&chunk| fragments.texts[chunk].len());
        let hits = |chunks: &mut dyn Iterator<Item = &usize>| -> Vec<Hit> {
            let hit = |&chunk: &usize| Hit { chunk, score: 0.0 };
            chunks.take(settings.retrieval.top_k).map(hit).collect()
        };
        let (shortest, longest) = (hits(&mut order.iter()), hits(&mut order.iter().rev()));
        let mut lengths = Vec::new();
        for question in questions() {
            lengths.push(asking.prompt(question, &shortest, &fragments)?.tokens.len());
            match asking.prompt(question, &longest, &fragments) {
                Ok(prompt) => lengths.push(prompt.tokens.len()),
                Err(error) => {
                    said.push(format!("{name}: with the longest chunks, {error}"));
                    break;
                }
            }
        }
        lengths
    };
    if let (Some(shortest), Some(longest)) = (lengths.iter().min(), lengths.iter().max()) {
        said.insert(
            0,
            format!(
                "{name}: prompts of {shortest} to {longest} tokens; it takes {}",
                decoder.context_length()
            ),
        );
    }
    Ok(said)
}
