//! A finished run as it is used again, from whatever folder and wherever its inputs have gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Change, PlanError, RunSpec, identity};
use crate::config::Settings;
use crate::content::Contents;
use crate::record::{RunRecord, results_of, run_folder};

/// Why the inputs of a finished run cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum InputsError {
    #[error(
        "{run} was made with {key} = {path:?}, which is not there any more; put it back, or copy it to {}",
        recorded.display()
    )]
    Missing {
        run: String,
        key: String,
        path: String,
        recorded: PathBuf,
    },
    #[error(
        "the record of {run} contradicts itself: its identity is not that of the parts it lists; run it again with `ensayo run --force {run}`"
    )]
    Contradiction { run: String },
    #[error("changed since the run: {changes}; put back what {run} was made with, or run it again")]
    Changed { run: String, changes: String },
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl RunSpec {
    /// The specification of a finished run, whose inputs are where they are found now: where they
    /// were when the run was made, in their place relative to the folder that the results lie in, or
    /// in that relative to the current folder. Inputs count by their content, so that nothing else
    /// that lies there under the same name is taken for them.
    ///
    /// Only settings whose dotted keys begin with one of `tables` are looked for; without any, all
    /// are.
    ///
    /// # Errors
    /// When an input is nowhere to be found, or is not what it was.
    pub fn of_finished(
        record: &RunRecord,
        folder: &Path,
        settings: &Settings,
        tables: &[&str],
    ) -> Result<Self, InputsError> {
        let mut contents = Contents::open(results_of(folder));
        let (settings, changes) = resolved(record, folder, settings, tables, &mut contents)?;
        // Only saves time.
        let _ = contents.save();
        let spec = Self {
            experiment: record.experiment.clone(),
            run: record.run.clone(),
            seed: record.seed,
            settings,
            folder: folder.to_owned(),
            identity: record.identity.clone(),
            identity_parts: record.identity_parts.clone(),
            format: record.environment.precision.clone(),
            overrides: Vec::new(),
            axes: Vec::new(),
            seen: Vec::new(),
            source: None,
        };
        let changes = if tables.is_empty() && changes.is_empty() {
            spec.changes(&mut contents)?
        } else {
            changes
        };
        no_changes(record, &changes)?;
        Ok(spec)
    }

    /// The specification of a finished run that is executed again from its record alone, into
    /// another results tree and in the number format of the device at hand, and what about it is
    /// not what it was though its settings and inputs are: the arithmetic of another version, its
    /// defaults, the number format. Every input is read; nothing is taken from a cache, and nothing
    /// written.
    ///
    /// # Errors
    /// As [`of_finished`](Self::of_finished), and where the record contradicts itself.
    pub fn to_repeat(
        record: &RunRecord,
        folder: &Path,
        settings: &Settings,
        results: &Path,
        format: &str,
    ) -> Result<(Self, Vec<Change>), InputsError> {
        if identity::of_parts(&record.identity_parts) != record.identity {
            return Err(InputsError::Contradiction {
                run: record.label(),
            });
        }
        let mut contents = Contents::open(results);
        let (settings, changes) = resolved(record, folder, settings, &[], &mut contents)?;
        no_changes(record, &changes)?;
        let inputs = &mut identity::Inputs::new(&mut contents);
        let (label, seed) = (record.label(), record.seed);
        let parts = super::parts(&label, &settings, seed, format, inputs)?;
        let changes = super::decision::changes(&record.identity_parts, &parts);
        let is_input = |change: &Change| {
            let mut values = change.before.iter().chain(&change.now);
            change.key.ends_with(".revision") || values.any(|value| identity::is_content(value))
        };
        let (inputs, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_input);
        no_changes(record, &inputs)?;
        let spec = Self {
            experiment: record.experiment.clone(),
            run: record.run.clone(),
            seed,
            settings,
            folder: run_folder(results, &record.experiment, &record.run, seed),
            identity: identity::of_parts(&parts),
            identity_parts: parts,
            format: format.to_owned(),
            overrides: record.overrides.clone(),
            axes: Vec::new(),
            seen: Vec::new(),
            source: None,
        };
        Ok((spec, changes))
    }

    /// Where each of the run's inputs is, by the dotted key of its setting: an absolute path.
    #[must_use]
    pub fn paths(&self) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        if let Ok(mut value) = serde_json::to_value(&self.settings) {
            each_path(&mut Vec::new(), &mut value, &mut |keys, _, text| {
                found.insert(keys.join("."), absolute(Path::new(text)));
            });
        }
        found
    }
}

/// The settings of a finished run with the paths at which its inputs are found now, and what is not
/// what it was.
fn resolved(
    record: &RunRecord,
    folder: &Path,
    settings: &Settings,
    tables: &[&str],
    contents: &mut Contents,
) -> Result<(Settings, Vec<Change>), InputsError> {
    let unwritable = |source| PlanError::Settings {
        run: record.label(),
        source,
    };
    let mut value = serde_json::to_value(settings).map_err(unwritable)?;
    let format = &record.environment.precision;
    let plain = identity::plain_parts(&value, format).map_err(PlanError::from)?;
    let mut search = Search {
        record,
        results: results_of(folder),
        tables,
        contents,
        missing: None,
        changes: other_settings(record, &plain),
    };
    search.resolve(&mut Vec::new(), &mut value);
    if let Some(missing) = search.missing {
        return Err(missing);
    }
    let changes = search.changes;
    let settings = serde_json::from_value(value).map_err(unwritable)?;
    Ok((settings, changes))
}

/// Nothing has changed since the run.
fn no_changes(record: &RunRecord, changes: &[Change]) -> Result<(), InputsError> {
    if changes.is_empty() {
        return Ok(());
    }
    let changes: Vec<String> = changes.iter().map(Change::to_string).collect();
    Err(InputsError::Changed {
        run: record.label(),
        changes: changes.join(", "),
    })
}

/// Settings that are not those of the record, though they stand beside it.
fn other_settings(record: &RunRecord, plain: &BTreeMap<String, String>) -> Vec<Change> {
    let parts = &record.identity_parts;
    let other = plain.iter().filter_map(|(key, now)| {
        let before = parts.get(key).filter(|before| *before != now)?;
        Some(Change {
            key: key.clone(),
            before: Some(before.clone()),
            now: Some(now.clone()),
        })
    });
    other.collect()
}

/// The path from the root. A link stays one, since what lies beside it counts.
fn absolute(path: &Path) -> PathBuf {
    let plain = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(name) = path.file_name() else {
        return plain();
    };
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    match parent.unwrap_or(Path::new(".")).canonicalize() {
        Ok(parent) => parent.join(name),
        Err(_) => plain(),
    }
}

/// Calls `each` with the keys, the kind and the text of every path in settings.
fn each_path(
    keys: &mut Vec<String>,
    value: &mut Value,
    each: &mut dyn FnMut(&[String], identity::Input, &mut String),
) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                keys.push(key.clone());
                each_path(keys, value, each);
                keys.pop();
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter_mut().enumerate() {
                keys.push(index.to_string());
                each_path(keys, item, each);
                keys.pop();
            }
        }
        Value::String(text) => {
            if let Some(input) = identity::input(keys) {
                each(keys, input, text);
            }
        }
        _ => {}
    }
}

struct Search<'a> {
    record: &'a RunRecord,
    results: &'a Path,
    tables: &'a [&'a str],
    contents: &'a mut Contents,
    missing: Option<InputsError>,
    changes: Vec<Change>,
}

impl Search<'_> {
    fn resolve(&mut self, keys: &mut Vec<String>, value: &mut Value) {
        each_path(keys, value, &mut |keys, input, text| {
            let wanted = self.tables.is_empty()
                || keys
                    .first()
                    .is_some_and(|first| self.tables.contains(&first.as_str()));
            if wanted {
                self.find(&keys.join("."), input, text);
            }
        });
    }

    /// Puts the path in the place of `text` that leads to what the run was made with.
    fn find(&mut self, key: &str, input: identity::Input, text: &mut String) {
        let was = self.record.identity_parts.get(key);
        let recorded = self.record.environment.paths.get(key);
        let mut places: Vec<PathBuf> = recorded.into_iter().cloned().collect();
        let given = PathBuf::from(&*text);
        if given.is_relative() {
            let beside = self.results.parent().unwrap_or(Path::new(""));
            places.push(beside.join(&given));
        }
        places.push(given.clone());
        let mut other = None;
        for place in places {
            if !place.exists() {
                continue;
            }
            let Ok(now) = input.content(&place, self.contents) else {
                continue;
            };
            if Some(&now) == was || was.is_none() {
                *text = place.to_string_lossy().into_owned();
                return;
            }
            other.get_or_insert(now);
        }
        match other {
            Some(now) => self.changes.push(Change {
                key: key.to_owned(),
                before: was.cloned(),
                now: Some(now),
            }),
            None if self.missing.is_none() => {
                self.missing = Some(InputsError::Missing {
                    run: self.record.label(),
                    key: key.to_owned(),
                    path: text.clone(),
                    recorded: recorded.cloned().unwrap_or_else(|| absolute(&given)),
                });
            }
            None => {}
        }
    }
}
