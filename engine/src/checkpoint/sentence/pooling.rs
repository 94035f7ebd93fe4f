//! `1_Pooling/config.json`.

use std::path::Path;

use serde_json::{Map, Value};

use super::SentenceFilesError;
use super::json::required;

const POOLINGS: &str = "one of mean, cls, max";

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// That of the first token.
    Cls,
    /// The largest value of each feature.
    Max,
}

/// The modes of `1_Pooling/config.json`: today's `pooling_mode`, or a flag for each.
pub(super) fn read(path: &Path) -> Result<Pooling, SentenceFilesError> {
    let keys: Map<String, Value> = required(path)?;
    let unsupported = |what: String| SentenceFilesError::Unsupported {
        path: path.to_owned(),
        what,
        supported: POOLINGS,
    };
    let mut modes = Vec::new();
    for (key, value) in &keys {
        let known = matches!(
            key.as_str(),
            "word_embedding_dimension" | "embedding_dimension"
        );
        match (key.as_str(), value) {
            _ if known => {}
            // Without prompts, or with one that counts, there is nothing to leave out.
            ("include_prompt", Value::Bool(true)) => {}
            ("pooling_mode", Value::String(mode)) => modes.push(mode.clone()),
            ("pooling_mode", Value::Array(several)) => {
                modes.extend(several.iter().map(|mode| match mode.as_str() {
                    Some(mode) => mode.to_owned(),
                    None => mode.to_string(),
                }));
            }
            (key, Value::Bool(set)) if key.starts_with("pooling_mode_") => {
                // Where today's key is there too, the flags do not count.
                if *set && !keys.contains_key("pooling_mode") {
                    let mode = key.trim_start_matches("pooling_mode_");
                    modes.push(mode.trim_end_matches("_tokens").replace("cls_token", "cls"));
                }
            }
            (key, value) => return Err(unsupported(format!("`{key}`: {value}"))),
        }
    }
    match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["mean"] => Ok(Pooling::Mean),
        ["cls"] => Ok(Pooling::Cls),
        ["max"] => Ok(Pooling::Max),
        [other] => Err(unsupported(format!("pooling `{other}`"))),
        _ => Err(unsupported(format!(
            "the poolings {} together",
            modes.join(", ")
        ))),
    }
}
