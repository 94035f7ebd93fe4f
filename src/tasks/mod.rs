//! The kinds of experiment, each from its settings to the files it leaves.

pub mod checkpoint;
mod encoder;
pub mod lora;
pub mod rag;
mod token_cache;
mod watch;

pub use lora::{Prediction, Predictions};

use std::path::Path;

use engine::device::{Card, Device};

use crate::config::{Embedder, Generator, Precision, Settings};
use crate::plan::RunSpec;
use crate::record;
use crate::runner::{Context, Event, Execute, ExecuteError, Outcome};

/// Why runs with such settings cannot be executed, if they cannot: their kind has no task.
#[must_use]
pub fn refusal(settings: &Settings) -> Option<String> {
    match settings {
        Settings::Lora(_) => None,
        Settings::Rag(settings) => rag::refusal(settings),
        Settings::Prompt(_) => Some(format!(
            "experiments of kind {} can be written, checked and planned, but this version of ensayo cannot run them",
            settings.kind().as_str()
        )),
    }
}

/// Why runs with such settings cannot be executed on a card, if they cannot: it lacks a number format.
#[must_use]
pub fn refusal_of_card(settings: &Settings, card: &Card) -> Option<String> {
    let models = match settings {
        Settings::Lora(settings) => vec![("model", &settings.model)],
        Settings::Prompt(settings) => vec![("model", &settings.model)],
        Settings::Rag(settings) => {
            let embedder = match &settings.embedder {
                Embedder::Model(model) => Some(("embedder", model)),
                Embedder::Lexical(_) => None,
            };
            let generator = match &settings.generator {
                Generator::Model(model) => Some(("generator", model)),
                Generator::Simple(_) => None,
            };
            embedder.into_iter().chain(generator).collect()
        }
    };
    models.into_iter().find_map(|(table, model)| {
        let format = match model.precision {
            Precision::Bf16 => "bf16",
            Precision::F16 => "f16",
            _ => return None,
        };
        (!card.formats.iter().any(|known| known == format)).then(|| {
            format!(
                "{table}.precision is {format}, which this card ({}) does not compute in: use \"auto\", or one of {}",
                card.name,
                card.formats.join(", ")
            )
        })
    })
}

/// Prepares a device for the work on a run: what a card learns is kept in the results' cache, and the first kernels are watched.
/// Returns whether the card is new to these results.
fn prepare(device: Device, run_folder: &Path) -> bool {
    device.prepare(&record::results_of(run_folder).join(".cache"))
}

/// Says that some ways to compute matrix products did not compile, so that burn chose among the others: nothing is wrong but the time it takes.
fn slower_products(device: Device, run_folder: &Path) -> Option<String> {
    let left_out = device.left_out(&record::results_of(run_folder).join(".cache"));
    let (kernel, line) = left_out.first_key_value()?;
    Some(format!(
        "products may be slower than this card can: {} of burn's kernels for them did not compile, such as `{kernel}`: {line}",
        left_out.len()
    ))
}

/// Executes runs of every kind.
#[derive(Debug, Clone, Copy)]
pub struct Tasks;

impl Execute for Tasks {
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        let device = Device::named(context.device)?;
        if prepare(device, context.folder) {
            (context.events)(Event::Note {
                run: spec.label(),
                text: "the first run on this card: its first steps take minutes, in which kernels are compiled and chosen by timing".to_owned(),
            });
        }
        let mut outcome = match &spec.settings {
            Settings::Lora(settings) => lora::execute(spec, settings, context)?,
            Settings::Rag(settings) => rag::execute(spec, settings, context)?,
            Settings::Prompt(_) => {
                return Err(ExecuteError::message(
                    refusal(&spec.settings).unwrap_or_default(),
                ));
            }
        };
        if outcome.environment.device == device.to_string() {
            outcome.environment.card = device.card();
            if let Some(note) = slower_products(device, context.folder) {
                (context.events)(Event::Note {
                    run: spec.label(),
                    text: note.clone(),
                });
                outcome.notes.push(note);
            }
        }
        Ok(outcome)
    }
}
