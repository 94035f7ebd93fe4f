//! The kinds of experiment, each from its settings to the files it leaves.

pub mod checkpoint;
pub mod decoder;
mod encoder;
mod finished;
mod forecast;
mod format;
mod inspect;
mod lora;
mod model_search;
mod needs;
mod prompt;
mod prompted;
mod rag;
mod scores;
mod shared;
mod snapshot;
mod watch;

pub use finished::{
    Asked, Classifier, Finished, FoundFragment, Listener, Prediction, Predictions, Searchable,
};
pub use forecast::Forecast;
pub use inspect::Inspection;
use inspect::Look;
pub use model_search::rows as model_rows;
pub use needs::{Need, needs, review_order, review_query};
pub use prompted::{Prompted, ShownPrompt};
pub use shared::{Shared, remarks};

use std::path::Path;

use engine::device::{Card, Device};

use crate::config::{Precision, Settings};
use crate::plan::RunSpec;
use crate::record;
use crate::runner::{Context, Event, Execute, ExecuteError, Outcome};

/// One kind of experiment, implemented by its settings.
pub trait Task {
    /// Why such runs cannot be executed by this version, if they cannot.
    fn refusal(&self) -> Option<String> {
        None
    }

    /// Looks at everything that such a run reads: what there is to tell of it, or what is wrong.
    fn look(&self, _inspection: &mut Inspection) -> Vec<Look> {
        Vec::new()
    }

    /// What such a run reads that may have to be fetched first.
    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    /// The most bytes that a run will hold on a device, where that can be said.
    ///
    /// # Errors
    /// When the run's inputs cannot be used.
    fn memory(
        &self,
        _spec: &RunSpec,
        _device: Device,
        _forecast: &mut Forecast,
    ) -> Result<Option<u64>, ExecuteError> {
        Ok(None)
    }

    /// What the run has in common with others, made once for all of them.
    fn shared(&self, _spec: &RunSpec, _results: &Path) -> Option<Shared> {
        None
    }

    /// What a reader of the plan should know of the settings, to follow the run's name and a colon.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Executes a run.
    ///
    /// # Errors
    /// When its inputs cannot be used, its work fails, or a file cannot be written.
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError>;

    /// The classifier that such runs leave, if they leave one.
    fn classifier(&self) -> Option<&dyn Classifier> {
        None
    }

    /// The prompts of such runs, if they ask a decoder.
    fn prompted(&self) -> Option<&dyn Prompted> {
        None
    }

    /// The document that such runs search, if they search one.
    fn searchable(&self) -> Option<&dyn Searchable> {
        None
    }
}

/// The task of a kind: the only place that knows which kinds there are.
#[must_use]
pub fn of(settings: &Settings) -> &dyn Task {
    match settings {
        Settings::Lora(settings) => settings,
        Settings::Prompt(settings) => settings,
        Settings::Rag(settings) => settings,
        Settings::ModelSearch(settings) => settings,
    }
}

/// Why runs with such settings cannot be executed on a card, if they cannot: it lacks a number
/// format.
#[must_use]
pub fn refusal_of_card(settings: &Settings, card: &Card) -> Option<String> {
    settings.models().into_iter().find_map(|(table, model)| {
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

/// Prepares a device for a run: its tuning is kept in the results' cache, and its first kernels are
/// watched. Returns whether the card is new to these results.
fn prepare(device: Device, run_folder: &Path) -> bool {
    device.prepare(&record::results_of(run_folder).join(".cache"))
}

/// Says that some ways to compute matrix products did not compile, so that burn chose among the
/// others: nothing is wrong but the time it takes.
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
        let mut outcome = of(&spec.settings).execute(spec, context)?;
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
