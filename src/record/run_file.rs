//! `run.toml`: the resolved settings of one run, enough to repeat it alone.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{RUN_FILE, RecordError, write_atomically};

/// The content of `run.toml`: whose settings they are, then the settings as an experiment's TOML
/// has them, with every default written out and nothing left of axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFile<S> {
    /// The experiment's name.
    pub experiment: String,
    /// The run's name within the experiment.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// The resolved settings, with their `kind`.
    #[serde(flatten)]
    pub settings: S,
}

impl<S: Serialize> RunFile<S> {
    /// Writes `run.toml` into a run's folder, atomically.
    ///
    /// # Errors
    /// When the settings cannot be said in TOML or the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(RUN_FILE);
        let text = toml::to_string_pretty(self).map_err(|error| RecordError::Broken {
            path: path.clone(),
            message: error.to_string(),
        })?;
        write_atomically(&path, text.as_bytes())
    }
}

impl<S: for<'de> Deserialize<'de>> RunFile<S> {
    /// Reads `run.toml` of a run's folder.
    ///
    /// # Errors
    /// When the file is missing or not what it should be.
    pub fn read(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(RUN_FILE);
        let text = fs::read_to_string(&path).map_err(RecordError::read(&path))?;
        toml::from_str(&text).map_err(|error| RecordError::Broken {
            path,
            message: error.to_string().trim_end().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Settings {
        Lora { training: Training },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Training {
        learning_rate: f64,
    }

    #[test]
    fn settings_read_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = RunFile {
            experiment: "x".into(),
            run: "rank=4,targets=query+value".into(),
            seed: 42,
            settings: Settings::Lora {
                training: Training {
                    learning_rate: 2e-4,
                },
            },
        };
        file.write(folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("run.toml")).unwrap();
        assert!(text.contains("kind = \"lora\"\n"), "{text}");
        assert!(
            text.contains("[training]\nlearning_rate = 0.0002\n"),
            "{text}"
        );
        assert_eq!(RunFile::<Settings>::read(folder.path()).unwrap(), file);
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = RunFile::<toml::Table>::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("run.toml"), "{error}");
    }
}
