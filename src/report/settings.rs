//! Settings of runs as flat (dotted key, text) pairs, and which of them vary.

use std::collections::BTreeMap;
use std::path::Path;

use crate::record::{RUN_FILE, RecordError, RunFile};

/// Dotted key -> text.
pub(super) type Settings = BTreeMap<String, String>;

/// The settings in a run's `run.toml`; none if it has no such file.
///
/// # Errors
/// When the file cannot be read or is not TOML.
pub(super) fn read(folder: &Path) -> Result<Settings, RecordError> {
    let mut settings = Settings::new();
    if folder.join(RUN_FILE).exists() {
        let file = RunFile::<toml::Table>::read(folder)?;
        flatten("", &file.settings, &mut settings);
    }
    Ok(settings)
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut Settings) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, into),
            other => {
                into.insert(key, text(other));
            }
        }
    }
}

fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        // TOML's own writing has no exponents: 1e-8 would be a row of zeros.
        toml::Value::Float(number) if *number != 0.0 && !(1e-4..1e15).contains(&number.abs()) => {
            format!("{number:e}")
        }
        toml::Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Keys whose value is not the same in all of these settings; one that only some have counts as
/// varying. Runs without any settings do not count.
pub(super) fn varying<'a>(all: impl Iterator<Item = &'a Settings> + Clone) -> Vec<String> {
    let all = all.filter(|settings| !settings.is_empty());
    let mut keys: Vec<&String> = all.clone().flat_map(BTreeMap::keys).collect();
    keys.sort_unstable();
    keys.dedup();
    let varies = |key: &str| {
        let mut values = all.clone().map(|settings| settings.get(key));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    keys.into_iter()
        .filter(|key| varies(key))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_large_and_small_numbers_are_short() {
        let said = [2e-4, 2e-5, 1e-8, 0.0, 0.25, 16.0, 1e30].map(|number| text(&number.into()));
        assert_eq!(
            said,
            ["0.0002", "2e-5", "1e-8", "0.0", "0.25", "16.0", "1e30"]
        );
    }

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn only_what_differs_varies() {
        let a = settings(&[
            ("lora.rank", "4"),
            ("training.epochs", "2"),
            ("lora.alpha", "8"),
        ]);
        let b = settings(&[("lora.rank", "8"), ("training.epochs", "2")]);
        assert_eq!(
            varying([&a, &b, &Settings::new()].into_iter()),
            ["lora.alpha", "lora.rank"]
        );
        assert_eq!(varying([&a].into_iter()), [""; 0]);
    }

    #[test]
    fn tables_become_dotted_keys_and_lists_plain_text() {
        let folder = tempfile::tempdir().unwrap();
        let toml = "experiment = \"x\"\nrun = \"r\"\nseed = 1\nkind = \"lora\"\n[lora]\nrank = 4\ntargets = [\"query\", \"value\"]\n[training]\nlearning_rate = 2e-4\n";
        std::fs::write(folder.path().join(RUN_FILE), toml).unwrap();
        let settings = read(folder.path()).unwrap();
        assert_eq!(settings["lora.targets"], "query, value");
        assert_eq!(settings["training.learning_rate"], "0.0002");
        assert_eq!(settings["kind"], "lora");
        assert!(read(&folder.path().join("none")).unwrap().is_empty());
    }
}
