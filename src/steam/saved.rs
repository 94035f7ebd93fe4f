//! Pages of the old dialect that somebody saved: single answers, or the files that `steamreviews`
//! writes.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::review::Review;
use super::{SteamError, page};

/// The reviews of a saved file, `.json` or `.json.gz`.
///
/// # Errors
/// When the file cannot be read or is none of these.
pub fn read_saved(path: &Path) -> Result<Vec<Review>, SteamError> {
    let values = values(path)?;
    Ok(values
        .iter()
        .filter_map(|value| Review::read(value, None))
        .collect())
}

/// The same without persons, as they are kept.
pub(super) fn values(path: &Path) -> Result<Vec<Value>, SteamError> {
    let damaged = |reason: String| SteamError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let bytes = fs::read(path).map_err(|error| damaged(error.to_string()))?;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        let read = GzDecoder::new(bytes.as_slice()).read_to_end(&mut text);
        read.map_err(|error| damaged(error.to_string()))?;
        text
    } else {
        bytes
    };
    let content: Value =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let content = content.get("response").unwrap_or(&content);
    if content.get("reviews").is_none() {
        return Err(damaged("it has no `reviews`".to_owned()));
    }
    Ok(page::page(content).reviews)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_answers_and_collections_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read_saved(&path)
        };
        let one = r#"{"recommendationid":"7","review":"x","voted_up":true,"weighted_vote_score":"0.65","author":{"steamid":"1"}}"#;
        let single = read(&format!(
            r#"{{"success":1,"reviews":[{one}],"cursor":"A"}}"#
        ))
        .unwrap();
        let many = read(&format!(
            r#"{{"query_summary":{{}},"reviews":{{"7":{one}}},"cursors":{{}}}}"#
        ))
        .unwrap();
        assert_eq!(single, many);
        assert_eq!((single.len(), single[0].id.as_str()), (1, "7"));
        for text in ["null", "<html>", "{}"] {
            assert!(
                matches!(read(text), Err(SteamError::Damaged { .. })),
                "{text}"
            );
        }
    }
}
