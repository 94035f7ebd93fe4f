//! Which output of the head stands for which class: classes go by the names that a stored head has
//! for them.

use std::io;
use std::path::{Path, PathBuf};

use engine::checkpoint::CheckpointError;
use engine::classifier::{AdaptedClassifier, Start};
use engine::models::NetworkFiles;
use engine::shapes::{ClassesError, class_names};
use thiserror::Error;

use crate::config::{Head, LoraSettings};
use crate::data::Splits;
use crate::runner::ExecuteError;
use crate::tasks::encoder::{self, EncoderError};

/// A head that is for other classes than the data's.
#[derive(Debug, Error)]
enum HeadError {
    #[error(
        "the head in {} is for {stored} classes{}, the data has {}: {}; use data with these classes, or start the head afresh with `model.head = \"fresh\"`",
        folder.display(),
        names.as_ref().map_or_else(String::new, |names| format!(" ({})", list(names))),
        labels.len(),
        list(labels)
    )]
    Number {
        folder: PathBuf,
        stored: usize,
        names: Option<Vec<String>>,
        labels: Vec<String>,
    },
    #[error(
        "the head in {} is for the classes {}, the labels of the data are {}; give the labels these names, or start the head afresh with `model.head = \"fresh\"`",
        folder.display(),
        list(names),
        list(labels)
    )]
    Names {
        folder: PathBuf,
        names: Vec<String>,
        labels: Vec<String>,
    },
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: ClassesError },
    #[error("{}: {source}", path.display())]
    Closed { path: PathBuf, source: io::Error },
}

/// Opens the encoder for the classes of the data, and puts these in the order of the head that
/// training starts from. What a reader of the results should know of that order comes with it.
///
/// # Errors
/// When the model cannot be used, or its head is for other classes.
pub(super) fn open(
    settings: &LoraSettings,
    splits: &mut Splits,
    seed: u64,
) -> Result<(NetworkFiles, Option<String>), ExecuteError> {
    let labels = splits.labels.names().to_vec();
    let encoder = match encoder::open(&settings.model, labels.len(), seed) {
        Err(EncoderError::Checkpoint(CheckpointError::Classes { folder, stored, .. })) => {
            let path = folder.join("config.json");
            return Err(HeadError::Number {
                names: names_in(&path)?.flatten(),
                folder,
                stored,
                labels,
            }
            .into());
        }
        opened => opened?,
    };
    let Some((folder, names)) = stored_names(settings, &encoder)? else {
        return Ok((encoder, None));
    };
    let note = match names {
        Some(names) if splits.follow(&names) => {
            let other_order = names != labels;
            other_order.then(|| format!("classes in the order of the head: {}", numbered(&names)))
        }
        Some(names) => {
            return Err(HeadError::Names {
                folder,
                names,
                labels,
            }
            .into());
        }
        None => {
            let made_up: Vec<String> = (0..labels.len())
                .map(|number| format!("LABEL_{number}"))
                .collect();
            let are_numbers = labels
                .iter()
                .enumerate()
                .all(|(number, label)| *label == number.to_string());
            let clear = are_numbers || splits.follow(&made_up);
            (!clear).then(|| {
                format!(
                    "the head in {} does not name its classes, so they are taken in this order: {}",
                    folder.display(),
                    numbered(&labels)
                )
            })
        }
    };
    Ok((encoder, note))
}

/// The folder of the head that training starts from, and the names that its classes have there.
/// `None` where the head is drawn.
#[allow(clippy::type_complexity)]
fn stored_names(
    settings: &LoraSettings,
    encoder: &NetworkFiles,
) -> Result<Option<(PathBuf, Option<Vec<String>>)>, ExecuteError> {
    if settings.model.head == Head::Fresh {
        return Ok(None);
    }
    let read = |path: PathBuf| {
        class_names(&encoder.config_json).map_err(|source| HeadError::Unreadable { path, source })
    };
    let config = encoder.folder.join("config.json");
    if let Some(adapter) = &settings.lora.init {
        let names = match names_in(&adapter.join("config.json"))? {
            Some(names) => names,
            // PEFT writes no names; the model that it adapts has them.
            None if encoder.drawn().is_none() => read(config)?,
            None => None,
        };
        return Ok(Some((adapter.clone(), names)));
    }
    if !encoder.stores_classes() {
        return Ok(None);
    }
    Ok(Some((encoder.folder.clone(), read(config)?)))
}

/// The names in a `config.json`; `None` where there is no such file.
#[allow(clippy::option_option, reason = "no file is not the same as no names")]
fn names_in(path: &Path) -> Result<Option<Option<Vec<String>>>, HeadError> {
    let path = path.to_owned();
    match std::fs::read_to_string(&path) {
        Ok(text) => match class_names(&text) {
            Ok(names) => Ok(Some(names)),
            Err(source) => Err(HeadError::Unreadable { path, source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HeadError::Closed { path, source }),
    }
}

/// How an adapter begins that starts from another.
pub(super) fn start_from<'a>(settings: &LoraSettings, adapter: &'a Path) -> Start<'a> {
    match settings.model.head {
        Head::Stored => Start::Folder(adapter),
        Head::Fresh => Start::BelowHead(adapter),
    }
}

/// What is drawn rather than read from the checkpoint.
pub(super) fn fresh_note(settings: &LoraSettings, encoder: &NetworkFiles) -> Option<String> {
    let brought = settings.lora.init.is_some() && settings.model.head == Head::Stored;
    let head = encoder.shapes.tensors.iter().filter(|tensor| tensor.head);
    let head: Vec<&str> = head.map(|tensor| tensor.name.as_str()).collect();
    let fresh = encoder.fresh().iter().map(String::as_str);
    // The adapter brings its own head.
    let fresh: Vec<&str> = fresh
        .filter(|name| !brought || !head.contains(name))
        .collect();
    let why = match settings.model.head {
        Head::Stored => "not in the checkpoint, started afresh",
        Head::Fresh => "started afresh",
    };
    (!fresh.is_empty()).then(|| format!("{why}: {}", fresh.join(", ")))
}

/// What is trained beside adapters and head.
pub(super) fn whole_note(model: &dyn AdaptedClassifier) -> Option<String> {
    let whole = model.whole();
    (!whole.is_empty()).then(|| {
        format!(
            "trained in full, as the adapter's modules_to_save say: {}",
            whole.join(", ")
        )
    })
}

/// Names that a message lists.
const SHOWN: usize = 12;

fn list(names: &[String]) -> String {
    shown(names.iter().map(|name| format!("`{name}`")).collect())
}

fn numbered(names: &[String]) -> String {
    let numbered = names.iter().enumerate();
    shown(
        numbered
            .map(|(number, name)| format!("{number} is `{name}`"))
            .collect(),
    )
}

fn shown(mut names: Vec<String>) -> String {
    let total = names.len();
    if total > SHOWN {
        names.truncate(SHOWN);
        names.push(format!("and {} more", total - SHOWN));
    }
    names.join(", ")
}
