//! Retrieval over a document: from its text to the chunks that each question finds, what is right
//! about them, and answers.

mod answers;
mod ask;
mod asking;
mod booklet;
mod embed;
mod fragments;
mod judge;
mod keys;
mod located;
mod look;
mod neural;
mod search;
mod show;
mod store;
mod verdicts;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use engine::device::{Device, format_name, peak_memory_bytes};
use engine::retrieval::Hit;

use crate::config::{Embedder, Generator, Metric, RagSettings};
use crate::hub::Wanted;
use crate::plan::RunSpec;
use crate::record::{self, Environment, MeasurementRow};
use crate::retrieval::{Passage, Phrases};
use crate::runner::{Context, ExecuteError, Outcome};
use crate::tasks::decoder;
use crate::tasks::inspect::Look;
use crate::tasks::watch::Progress;
use crate::tasks::{Inspection, Need, Prompted, Searchable, Shared, Task};
use answers::Desk;
use embed::{Embed, Lazy};
use fragments::Fragments;
use judge::{Cut, Relevance};
use search::{Found, Place};

impl Task for RagSettings {
    fn refusal(&self) -> Option<String> {
        match &self.generator {
            Generator::Model(table) => decoder::refusal("generator", &table.model),
            Generator::Simple(_) => None,
        }
    }

    fn needs(&self) -> Vec<Need> {
        let embedder = match &self.embedder {
            Embedder::Model(table) => Need::model(&table.model, Wanted::SentenceEncoder),
            Embedder::Lexical(_) => None,
        };
        let generator = match &self.generator {
            Generator::Model(table) => Need::model(&table.model, Wanted::Decoder),
            Generator::Simple(_) => None,
        };
        let document = Need::document(&self.document);
        let models = embedder.into_iter().chain(generator);
        models.chain(document).collect()
    }

    fn look(&self, inspection: &mut Inspection) -> Vec<Look> {
        look::look(self, inspection)
    }

    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        let device = Device::named(context.device)?;
        let models = Models {
            open: &|| opened(&self.embedder, device),
            load: &|files, format, device| files.load(format, device),
        };
        execute_with(spec, self, context, &models, device)
    }

    fn shared(&self, spec: &RunSpec, results: &Path) -> Option<Shared> {
        matches!(self.embedder, Embedder::Model(_)).then(|| Shared {
            file: record::embeddings_file(results, &keys::fragments_key(spec)),
            names: ["the vectors of its chunks", "the vectors of their chunks"],
        })
    }

    fn remarks(&self) -> Vec<String> {
        // The default metric may well not have been chosen.
        let ignored = matches!(self.embedder, Embedder::Lexical(_))
            && self.retrieval.metric != Metric::Cosine;
        let remark =
            "a lexical embedder has its own similarity, so `retrieval.metric` changes nothing";
        let refused = self.refusal();
        let refused = refused.map(|reason| format!("`run` will skip it: {reason}"));
        let ignored = ignored.then(|| remark.to_owned());
        refused.into_iter().chain(ignored).collect()
    }

    fn searchable(&self) -> Option<&dyn Searchable> {
        Some(self)
    }

    fn prompted(&self) -> Option<&dyn Prompted> {
        matches!(self.generator, Generator::Model(_)).then_some(self as &dyn Prompted)
    }
}

/// The model of an `[embedder]` table.
fn opened(embedder: &Embedder, device: Device) -> Result<Box<dyn Embed>, ExecuteError> {
    match embedder {
        Embedder::Lexical(_) => Err(ExecuteError::message("a lexical embedder has no vectors")),
        Embedder::Model(table) => neural::open(table, device),
    }
}

/// Where a run's models come from.
struct Models<'a> {
    open: embed::Open<'a>,
    load: answers::Load<'a>,
}

fn execute_with(
    spec: &RunSpec,
    settings: &RagSettings,
    context: &mut Context<'_>,
    models: &Models<'_>,
    device: Device,
) -> Result<Outcome, ExecuteError> {
    let lazy = Lazy::new(models.open);
    let model = match &settings.embedder {
        Embedder::Lexical(_) => None,
        Embedder::Model(table) => Some(&table.model),
    };
    let embedder = model.map(|_| &lazy);
    let mut progress = Progress::new(spec.label(), context.events, context.stop);
    progress.stage("reading the document");
    let begun = Instant::now();
    let fragments = Fragments::cut(settings, embedder)?;
    let cut_seconds = begun.elapsed().as_secs_f64();
    let relevance: Vec<Relevance> = settings
        .questions
        .iter()
        .map(|question| Relevance::of(question, &fragments))
        .collect::<Result<_, _>>()?;

    progress.stage("searching");
    let questions: Vec<(&str, &str)> = settings
        .questions
        .iter()
        .map(|question| (&*question.id, &*question.text))
        .collect();
    let mut place = Place {
        results: record::results_of(context.folder),
        spec,
        progress: &mut progress,
    };
    let has_models = embedder.is_some() || matches!(settings.generator, Generator::Model(_));
    let mut outcome = Outcome {
        environment: Environment {
            device: if has_models { device } else { Device::Cpu }.to_string(),
            driver: has_models.then(|| device.driver()).flatten(),
            precision: model
                .map_or("", |model| format_name(neural::format(model.precision)))
                .to_owned(),
            ..Environment::default()
        },
        ..Outcome::default()
    };
    let Some(found) = search::search(settings, &questions, &fragments, embedder, &mut place)?
    else {
        outcome.interrupted = true;
        return Ok(outcome);
    };
    outcome.notes = notes(settings, &fragments, &found, &relevance);
    for note in &outcome.notes {
        progress.note(note);
    }

    progress.stage("answering");
    record::write_rows(
        context.folder,
        &judge::rows(settings, &fragments, &found, &relevance),
    )?;
    if let Some(facts) = &found.vectors {
        record::write_rows(context.folder, &facts.questions)?;
    }
    // Its weights make room for the decoder's.
    drop(lazy);
    let mut desk = Desk {
        load: models.load,
        device,
        seed: spec.seed,
        folder: Some(context.folder),
        halvings: context.halvings,
        progress: &mut progress,
        listener: None,
    };
    let answers = answers::answer(settings, &questions, &found.hits, &fragments, &mut desk)?;
    let Some(answers) = answers else {
        outcome.interrupted = true;
        return Ok(outcome);
    };
    for note in &answers.notes {
        progress.note(note);
    }
    let verdicts = verdicts::verdicts(settings, &answers, &found.hits, &fragments);
    if !verdicts.is_empty() {
        let rows = verdicts::rows(&verdicts);
        record::write_rows(context.folder, &rows)?;
        booklet::write(context.folder, spec, settings, &rows)?;
    }
    if !answers.drawing.is_empty() {
        record::write_rows(context.folder, &answers.drawing)?;
    }
    outcome.metrics = judge::metrics(settings, &fragments, &found, &relevance);
    outcome.metrics.extend(verdicts::metrics(&verdicts));
    outcome.measurements = measurements(&found, cut_seconds);
    outcome
        .measurements
        .extend(answers.measurements.iter().cloned());
    outcome.notes.extend(answers.notes.iter().cloned());
    if let Some(precision) = answers.precision {
        precision.clone_into(&mut outcome.environment.precision);
    }
    Ok(outcome)
}

fn notes(
    settings: &RagSettings,
    fragments: &Fragments,
    found: &Found,
    relevance: &[Relevance],
) -> Vec<String> {
    let mut notes = fragments.notes.clone();
    notes.extend(found.notes.iter().cloned());
    if let Some(facts) = &found.vectors {
        notes.extend(
            Cut::new(&found.tokens, facts.max_seq_length)
                .note(fragments.texts.len(), facts.max_seq_length),
        );
    }
    let duplicates = fragments.duplicates();
    if duplicates > 0 {
        notes.push(format!(
            "{duplicates} of {} chunks say the same as one before",
            fragments.texts.len()
        ));
    }
    notes.extend(
        settings
            .questions
            .iter()
            .zip(relevance)
            .filter_map(|(question, relevance)| relevance.note(&question.id)),
    );
    notes
}

/// What stands in an answer beside the chunks' sentences.
fn phrases(settings: &RagSettings, question: &str) -> Phrases {
    let others = settings.questions.iter().map(|other| other.text.as_str());
    let generator = &settings.generator;
    let shown = match generator {
        Generator::Model(_) => asking::citation(settings),
        Generator::Simple(_) => None,
    };
    let citation = generator.citation().or(shown.as_deref());
    Phrases::new(generator.not_found(), citation, question, others)
}

fn passages<'a>(hits: &[Hit], fragments: &'a Fragments) -> Vec<Passage<'a>> {
    hits.iter()
        .map(|hit| Passage {
            number: hit.chunk,
            text: &fragments.texts[hit.chunk],
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "memory in bytes")]
fn measurements(found: &Found, cut_seconds: f64) -> Vec<MeasurementRow> {
    let mut rows = vec![
        ("cut_seconds", cut_seconds),
        ("embed_seconds", found.embed_seconds),
        ("search_seconds", found.search_seconds),
    ];
    rows.extend(
        found
            .vectors
            .as_ref()
            .map(|facts| ("vectors_from_cache", f64::from(u8::from(facts.cached)))),
    );
    rows.extend(peak_memory_bytes().map(|bytes| ("peak_memory_bytes", bytes as f64)));
    rows.into_iter()
        .map(|(metric, value)| MeasurementRow {
            metric: metric.to_owned(),
            value,
        })
        .collect()
}
