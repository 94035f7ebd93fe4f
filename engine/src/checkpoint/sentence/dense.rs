//! The linear layers that some embedders have after their pooling.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::SentenceFilesError;
use super::json::{json, required};

/// A linear layer in a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseFiles {
    /// The folder of its weights.
    pub folder: PathBuf,
    /// Width of its input.
    pub inputs: usize,
    /// Width of its output.
    pub outputs: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// Whether tanh follows; nothing does otherwise.
    pub tanh: bool,
}

/// Refuses a module that works on anything but the sentence's vector.
pub(super) fn reads_sentences(path: &Path) -> Result<(), SentenceFilesError> {
    let keys: Map<String, Value> = json(path)?.unwrap_or_default();
    for key in ["module_input_name", "module_output_name"] {
        match keys.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(name)) if name == "sentence_embedding" => {}
            Some(other) => {
                return Err(SentenceFilesError::Unsupported {
                    path: path.to_owned(),
                    what: format!("`{key}`: {other}"),
                    supported: "sentence_embedding",
                });
            }
        }
    }
    Ok(())
}

pub(super) fn read(folder: &Path) -> Result<DenseFiles, SentenceFilesError> {
    #[derive(Debug, Deserialize)]
    struct Dense {
        in_features: usize,
        out_features: usize,
        #[serde(default = "yes")]
        bias: bool,
        activation_function: Option<String>,
        #[serde(default)]
        use_residual: bool,
    }
    let path = folder.join("config.json");
    let file: Dense = required(&path)?;
    reads_sentences(&path)?;
    let unsupported = |what: String, supported| SentenceFilesError::Unsupported {
        path: path.clone(),
        what,
        supported,
    };
    if file.use_residual {
        let what = "`use_residual`: true".to_owned();
        return Err(unsupported(
            what,
            "a linear layer without a residual connection",
        ));
    }
    let name = file.activation_function.as_deref();
    let tanh = match name.map(|name| name.rsplit('.').next().unwrap_or_default()) {
        None | Some("Tanh") => true,
        Some("Identity") => false,
        Some(other) => {
            let what = format!("the activation `{other}`");
            return Err(unsupported(what, "Tanh, Identity"));
        }
    };
    Ok(DenseFiles {
        folder: folder.to_owned(),
        inputs: file.in_features,
        outputs: file.out_features,
        bias: file.bias,
        tanh,
    })
}

fn yes() -> bool {
    true
}
