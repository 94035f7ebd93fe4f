//! Under which names the vectors of a run are kept: hashes of the part of its settings that decides
//! them.

use std::collections::BTreeMap;

use crate::plan::{RunSpec, of_parts};

/// Tables of the settings that decide the chunks and their vectors.
const FRAGMENTS: [&str; 3] = ["document.", "chunks.", "embedder."];
/// The setting in them that only questions know, and the one that only chunks know.
const OF_QUESTIONS: &str = "embedder.query_prefix";
const OF_FRAGMENTS: &str = "embedder.document_prefix";

/// The key of the vectors of a run's chunks.
pub(super) fn fragments_key(spec: &RunSpec) -> String {
    key(spec, &FRAGMENTS, OF_QUESTIONS, BTreeMap::new())
}

/// The key of the vectors of these questions.
pub(super) fn questions_key(spec: &RunSpec, questions: &[&str]) -> String {
    let numbered = (0..)
        .zip(questions)
        .map(|(index, text): (usize, _)| (format!("question.{index}"), (*text).to_owned()));
    key(spec, &["embedder."], OF_FRAGMENTS, numbered.collect())
}

fn key(
    spec: &RunSpec,
    tables: &[&str],
    without: &str,
    mut parts: BTreeMap<String, String>,
) -> String {
    let decides = |key: &str| {
        key == "numerics" || key != without && tables.iter().any(|table| key.starts_with(table))
    };
    let ours = spec.identity_parts.iter().filter(|part| decides(part.0));
    parts.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
    of_parts(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    /// A run whose embedder has these prefixes.
    fn spec(prefixes: &[(&str, &str)]) -> RunSpec {
        let text = r#"
document = { path = "." }
chunks = { size = 5 }
embedder = { kind = "bm25" }
generator = { kind = "none" }
questions = [{ id = "a", text = "b" }]
"#;
        let settings = Settings::Rag(toml::from_str(text).unwrap());
        let mut parts = BTreeMap::from([("embedder.path".to_owned(), "sha256:0".to_owned())]);
        let prefixes = prefixes.iter();
        parts.extend(prefixes.map(|(key, text)| (format!("embedder.{key}"), (*text).to_owned())));
        RunSpec {
            experiment: "x".into(),
            run: "base".into(),
            seed: 42,
            settings,
            folder: std::path::PathBuf::new(),
            identity: String::new(),
            identity_parts: parts,
            format: "f32".into(),
            overrides: Vec::new(),
            axes: Vec::new(),
            seen: Vec::new(),
            source: None,
        }
    }

    #[test]
    fn a_prefix_parts_the_vectors_of_its_side_alone() {
        let keys = |prefixes: &[(&str, &str)]| {
            let spec = spec(prefixes);
            (fragments_key(&spec), questions_key(&spec, &["b"]))
        };
        let none = keys(&[]);
        let query = keys(&[("query_prefix", "query: ")]);
        let document = keys(&[("document_prefix", "passage: ")]);
        assert!(query.0 == none.0 && query.1 != none.1);
        assert!(document.0 != none.0 && document.1 == none.1);
        let other = keys(&[("document_prefix", "text: ")]);
        assert_ne!(other.0, document.0);
    }
}
