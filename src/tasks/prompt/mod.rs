//! Prompting a decoder as a classifier: from labelled texts to prompts, answers and metrics.

mod chunks;
mod likelihood;
mod look;
mod parse;
mod results;
mod rows;
mod show;
#[cfg(test)]
mod tests;
mod written;

use std::time::Instant;

use engine::FloatDType;
use engine::decoder::TokenDecoder;
use engine::device::{Device, format_name, peak_memory_bytes};

use super::decoder::{self, Decoder, DecoderError, Drawing, Kept, Pace};
use super::inspect::Look;
use super::watch::Progress;
use super::{Forecast, Inspection, Need, Prompted, Task, snapshot};
use crate::config::{ClassificationMode, PromptSettings};
use crate::hub::Wanted;
use crate::plan::RunSpec;
use crate::record::{self, Environment, MeasurementRow};
use crate::runner::{Context, ExecuteError, Outcome};
use rows::Rows;
use written::{Scribe, Written};

/// What the program holds on the processor beside tensors.
const PROGRAM_BYTES: u64 = 64 << 20;

impl Task for PromptSettings {
    fn refusal(&self) -> Option<String> {
        decoder::refusal("model", &self.model)
    }

    fn needs(&self) -> Vec<Need> {
        let model = Need::model(&self.model, Wanted::Decoder);
        model.into_iter().chain(Need::data(&self.data)).collect()
    }

    fn look(&self, inspection: &mut Inspection) -> Vec<Look> {
        look::look(self, inspection)
    }

    fn memory(
        &self,
        _: &RunSpec,
        device: Device,
        forecast: &mut Forecast,
    ) -> Result<Option<u64>, ExecuteError> {
        if self.refusal().is_some()
            || snapshot::absent(&self.model.origin, Wanted::Decoder).is_some()
        {
            return Ok(None);
        }
        let key = format!("decoder {}", serde_json::to_string(&self.model)?);
        let format = decoder::format(self.model.precision, device)?;
        let weights = forecast.known(key, || {
            Decoder::open(&self.model).map(|decoder| decoder.weight_bytes(format))
        })?;
        Ok(Some(weights + PROGRAM_BYTES))
    }

    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        execute_with(spec, self, context, &Decoder::load)
    }

    fn prompted(&self) -> Option<&dyn Prompted> {
        Some(self)
    }
}

/// Loads a decoder's weights.
type Load<'a> =
    &'a dyn Fn(&Decoder, FloatDType, Device) -> Result<Box<dyn TokenDecoder>, DecoderError>;

/// What a run reads, and the prompts that it writes.
struct Prepared {
    rows: Rows,
    decoder: Decoder,
    drawing: Drawing,
}

impl Prepared {
    fn new(settings: &PromptSettings) -> Result<Self, ExecuteError> {
        let rows = Rows::read(settings)?;
        let decoder = Decoder::open(&settings.model)?;
        let drawing = decoder.drawing(&settings.generation, settings.prompt.format)?;
        Ok(Self {
            rows,
            decoder,
            drawing,
        })
    }

    fn scribe(&self, settings: &PromptSettings) -> Result<Scribe<'_>, ExecuteError> {
        Scribe::new(settings, &self.rows, &self.decoder)
    }

    /// All prompts, each of which fits into the model with its answer.
    fn prompts(
        &self,
        settings: &PromptSettings,
        scribe: &Scribe<'_>,
    ) -> Result<Vec<Written>, ExecuteError> {
        match settings.classification.mode {
            ClassificationMode::Chunks => scribe.all(|name, tokens| {
                let new = self.drawing.max_new_tokens(tokens);
                self.decoder.check_length(name, tokens, new)
            }),
            ClassificationMode::Likelihood => {
                let words = likelihood::words(&self.rows, &self.decoder)?;
                let longest = words.iter().map(Vec::len).max().unwrap_or(0);
                scribe.all(|name, tokens| self.decoder.check_length(name, tokens, longest))
            }
        }
    }
}

fn execute_with(
    spec: &RunSpec,
    settings: &PromptSettings,
    context: &mut Context<'_>,
    load: Load<'_>,
) -> Result<Outcome, ExecuteError> {
    let device = Device::named(context.device)?;
    let format = decoder::format(settings.model.precision, device)?;
    let mut progress = Progress::new(spec.label(), context.events, context.stop);
    progress.stage("writing the prompts");
    let prepared = Prepared::new(settings)?;
    let scribe = prepared.scribe(settings)?;
    let prompts = prepared.prompts(settings, &scribe)?;
    let mut outcome = Outcome {
        labels: prepared.rows.labels.names().to_vec(),
        notes: prepared.rows.notes.clone(),
        environment: Environment {
            device: device.to_string(),
            driver: device.driver(),
            precision: format_name(format).to_owned(),
            tf32: device.may_use_tf32(),
            ..Environment::default()
        },
        ..Outcome::default()
    };
    let chunks = settings.classification.mode == ClassificationMode::Chunks;
    if chunks {
        outcome.notes.extend(prepared.drawing.notes.clone());
        record::write_rows(context.folder, &prepared.drawing.rows)?;
    }
    for note in &outcome.notes {
        progress.note(note);
    }

    progress.stage("loading the model");
    let begun = Instant::now();
    let mut model = load(&prepared.decoder, format, device)?;
    let load_seconds = begun.elapsed().as_secs_f64();

    progress.stage("answering");
    let begun = Instant::now();
    let mut kept = Kept::open(context.folder)?;
    if kept.count() > 0 {
        progress.note(&format!(
            "goes on with {} answers that were there when it was interrupted",
            kept.count()
        ));
    }
    let mut run = Run {
        settings,
        prepared: &prepared,
        scribe: &scribe,
        prompts: &prompts,
        seed: spec.seed,
        at_once: (settings.generation.rows_at_once() >> context.halvings).max(1),
        kept: &mut kept,
        progress: &mut progress,
        pace: Pace::default(),
    };
    let judged = if chunks {
        let answered = run.chunks(&mut *model)?;
        answered.map(|answered| {
            let notes = answered.notes(&prepared);
            outcome.notes.extend(notes);
            (answered.predictions(&prepared, &prompts), Some(answered))
        })
    } else {
        let likelihoods = run.likelihoods(&mut *model)?;
        likelihoods.map(|found| (found, None))
    };
    let Some((predictions, answered)) = judged else {
        outcome.interrupted = true;
        return Ok(outcome);
    };
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(answered) = &answered {
        record::write_rows(context.folder, &answered.rows)?;
    }
    results::write(context.folder, &prepared.rows, &predictions, &mut outcome)?;
    outcome.metrics.extend(results::run_metrics(
        &prepared.rows,
        &prompts,
        answered.as_ref().map(|found| (found.tries, found.failed())),
    ));
    outcome.measurements = measurements(
        &run.pace,
        chunks,
        load_seconds,
        seconds,
        prepared.rows.count(),
    );
    Ok(outcome)
}

/// A run that has all it needs.
struct Run<'a, 'b> {
    settings: &'a PromptSettings,
    prepared: &'a Prepared,
    scribe: &'a Scribe<'a>,
    prompts: &'a [Written],
    seed: u64,
    at_once: usize,
    kept: &'a mut Kept,
    progress: &'a mut Progress<'b>,
    pace: Pace,
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows and bytes")]
fn measurements(
    pace: &Pace,
    chunks: bool,
    load_seconds: f64,
    seconds: f64,
    rows: usize,
) -> Vec<MeasurementRow> {
    let mut named = vec![
        ("load_seconds", load_seconds),
        ("answer_seconds", seconds),
        ("evaluation_samples_per_second", rows as f64 / seconds),
    ];
    named.extend(peak_memory_bytes().map(|bytes| ("peak_memory_bytes", bytes as f64)));
    let mut measured: Vec<MeasurementRow> = named
        .into_iter()
        .map(|(metric, value)| MeasurementRow {
            metric: metric.to_owned(),
            value,
        })
        .collect();
    if chunks {
        measured.extend(pace.measurements());
    }
    measured
}
