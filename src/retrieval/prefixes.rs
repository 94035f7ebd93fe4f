//! What goes before questions and chunks when they are embedded: many encoders were trained with a
//! word or an instruction there, and find worse without it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::families::{Family, family};

/// What a text is to an embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It asks.
    Query,
    /// It is searched.
    Document,
}

/// What the user says of an embedder beside its checkpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// Goes before questions in place of the checkpoint's own prompt.
    pub query: Option<&'a str>,
    /// Goes before chunks in place of the checkpoint's own prompt.
    pub document: Option<&'a str>,
    /// The model's name, where it is known.
    pub name: Option<&'a str>,
}

/// What goes before texts of both sides, and what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefixes {
    query: Prefix,
    document: Prefix,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Prefix {
    text: String,
    note: Option<String>,
}

const FILE: &str = "config_sentence_transformers.json";

impl Prefixes {
    /// What the user gives, and where that is nothing, what the checkpoint's files say.
    pub(super) fn of(folder: &Path, given: Given<'_>) -> Self {
        let prompts: Prompts = json(&folder.join(FILE));
        let name = named(folder, given.name);
        let family = name.as_deref().and_then(family);
        let side = |side: Side, given: Option<&str>| {
            if let Some(text) = given {
                return Prefix {
                    text: text.to_owned(),
                    note: None,
                };
            }
            let text = prompts.of_side(side);
            let note = match (&family, text.is_empty()) {
                (_, false) => Some(format!(
                    "the model's own prompt “{text}” goes before every {}",
                    side.word()
                )),
                (Some(family), true) => advice(family, side),
                (None, true) => prompts.passed_over(side),
            };
            Prefix { text, note }
        };
        Self {
            query: side(Side::Query, given.query),
            document: side(Side::Document, given.document),
        }
    }

    fn of_side(&self, side: Side) -> &Prefix {
        match side {
            Side::Query => &self.query,
            Side::Document => &self.document,
        }
    }

    /// What goes before a text.
    pub(super) fn text(&self, side: Side) -> &str {
        &self.of_side(side).text
    }

    /// What a reader of the results should know.
    pub(super) fn note(&self, side: Side) -> Option<&str> {
        self.of_side(side).note.as_deref()
    }
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Query => "question",
            Self::Document => "chunk",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Query => "query_prefix",
            Self::Document => "document_prefix",
        }
    }

    /// The names of its prompt in a checkpoint, the first that says something counts: as
    /// `encode_query` and `encode_document` of sentence-transformers have them
    /// (<https://sbert.net/docs/package_reference/sentence_transformer/model.html>).
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Query => &["query"],
            Self::Document => &["document", "passage", "corpus"],
        }
    }
}

/// Prompts by their names.
#[derive(Debug, Default, Deserialize)]
struct Prompts {
    #[serde(default)]
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

impl Prompts {
    fn named(&self, name: &str) -> &str {
        let prompt = self.prompts.get(name).and_then(Option::as_deref);
        prompt.unwrap_or_default()
    }

    fn of_side(&self, side: Side) -> String {
        let prompts = side.names().iter().map(|name| self.named(name));
        let mut said = prompts.filter(|prompt| !prompt.is_empty());
        said.next().unwrap_or_default().to_owned()
    }

    /// That the checkpoint's default prompt is for neither side, where it has one.
    fn passed_over(&self, side: Side) -> Option<String> {
        let name = self.default_prompt_name.as_deref()?;
        let known = [Side::Query, Side::Document]
            .iter()
            .any(|side| side.names().contains(&name));
        let prompt = self.named(name);
        (!known && !prompt.is_empty()).then(|| {
            format!(
                "the model's default prompt “{prompt}” is for `{name}`, so it goes before no {}: `{}` in `[embedder]` puts it there",
                side.word(),
                side.key()
            )
        })
    }
}

/// What a small file says; nothing where there is none. A broken one is refused when the model is
/// opened.
fn json<T: DeserializeOwned + Default>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).ok();
    let read = text.and_then(|text| serde_json::from_str(&text).ok());
    read.unwrap_or_default()
}

/// The model's name: the one given, that of its folder, or the one that it was saved under, the
/// first that tells a family.
fn named(folder: &Path, given: Option<&str>) -> Option<String> {
    #[derive(Debug, Default, Deserialize)]
    struct Saved {
        #[serde(rename = "_name_or_path")]
        name: Option<String>,
    }
    let own = folder.file_name().and_then(|name| name.to_str());
    let saved: Saved = json(&folder.join("config.json"));
    let names = [given, own, saved.name.as_deref()];
    let mut known = names
        .into_iter()
        .flatten()
        .filter(|name| family(name).is_some());
    known.next().map(str::to_owned)
}

/// What to set, where a model of a family has nothing before the texts of a side.
fn advice(family: &Family, side: Side) -> Option<String> {
    let prefix = match side {
        Side::Query => family.query,
        Side::Document => family.document,
    };
    (!prefix.is_empty()).then(|| {
        let (key, word) = (side.key(), side.word());
        format!(
            "{} models expect {} before every {word}, which neither `[embedder]` nor the checkpoint gives: set `{key} = {}`, or `{key} = \"\"` to go without",
            family.name,
            quoted(prefix),
            toml_string(prefix),
        )
    })
}

/// A prefix in a sentence, on one line.
fn quoted(prefix: &str) -> String {
    format!("“{}”", prefix.replace('\n', "\\n"))
}

/// A prefix as a TOML has it.
fn toml_string(prefix: &str) -> String {
    format!("\"{}\"", prefix.replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(file: &str, given: Given<'_>) -> [String; 2] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), file).unwrap();
        let found = Prefixes::of(folder.path(), given);
        [Side::Query, Side::Document].map(|side| found.text(side).to_owned())
    }

    #[test]
    fn a_checkpoints_prompts_go_before_their_side_and_the_users_before_them() {
        let own = r#"{"prompts": {"query": "query: ", "document": "passage: "}}"#;
        assert_eq!(
            prefixes(own, Given::default()),
            ["query: ", "passage: "].map(str::to_owned)
        );
        let given = Given {
            query: Some(""),
            document: Some("doc: "),
            name: None,
        };
        assert_eq!(prefixes(own, given), ["", "doc: "].map(str::to_owned));
        let half = Given {
            query: Some("q: "),
            ..Given::default()
        };
        assert_eq!(prefixes(own, half), ["q: ", "passage: "].map(str::to_owned));
    }

    #[test]
    fn a_prompt_for_documents_has_three_names() {
        for (file, document) in [
            (r#"{"prompts": {"passage": "p: ", "corpus": "c: "}}"#, "p: "),
            (r#"{"prompts": {"corpus": "c: "}}"#, "c: "),
            // As sentence-transformers saves a model that has prompts of its own names.
            (r#"{"prompts": {"document": "", "passage": "p: "}}"#, "p: "),
            (r#"{"prompts": {"document": null}}"#, ""),
            ("{}", ""),
        ] {
            assert_eq!(prefixes(file, Given::default())[1], document, "{file}");
        }
    }

    #[test]
    fn a_default_prompt_of_another_name_goes_nowhere_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = r#"{"prompts": {"sts": "x: "}, "default_prompt_name": "sts"}"#;
        std::fs::write(folder.path().join(FILE), file).unwrap();
        let found = Prefixes::of(folder.path(), Given::default());
        for (side, key) in [
            (Side::Query, "query_prefix"),
            (Side::Document, "document_prefix"),
        ] {
            assert_eq!(found.text(side), "");
            let note = found.note(side).unwrap();
            assert!(
                note.contains("“x: ” is for `sts`") && note.contains(key),
                "{note}"
            );
        }
    }

    #[test]
    fn families_that_need_a_prefix_and_have_none_are_told_apart() {
        for (name, query, document) in [
            (
                "intfloat/multilingual-e5-small",
                Some("“query: ”"),
                Some("“passage: ”"),
            ),
            ("multilingual-e5-large-instruct", Some("\\nQuery: \""), None),
            ("BAAI/bge-small-en-v1.5", Some("Represent this"), None),
            ("bge-base-zh-v1.5", Some("为这个句子"), None),
            ("BAAI/bge-m3", None, None),
            (
                "nomic-ai/nomic-embed-text-v1.5",
                Some("search_query"),
                Some("search_document"),
            ),
            (
                "Snowflake/snowflake-arctic-embed-l-v2.0",
                Some("“query: ”"),
                None,
            ),
            (
                "Snowflake/snowflake-arctic-embed-m-v1.5",
                Some("Represent this"),
                None,
            ),
            ("all-MiniLM-L6-v2", None, None),
            ("paraphrase-multilingual-mpnet-base-v2", None, None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let given = Given {
                name: Some(name),
                ..Given::default()
            };
            let found = Prefixes::of(folder.path(), given);
            for (side, wanted) in [(Side::Query, query), (Side::Document, document)] {
                let note = found.note(side);
                assert_eq!(note.is_some(), wanted.is_some(), "{name}: {note:?}");
                assert!(
                    wanted.is_none_or(|wanted| note.unwrap().contains(wanted)),
                    "{name}: {note:?}"
                );
            }
            let silenced = Given {
                query: Some(""),
                document: Some(""),
                ..given
            };
            let found = Prefixes::of(folder.path(), silenced);
            assert_eq!(found.note(Side::Query).or(found.note(Side::Document)), None);
        }
    }

    #[test]
    fn a_model_is_known_by_its_folder_and_by_the_name_it_was_saved_under() {
        let folder = tempfile::tempdir().unwrap();
        let e5 = folder.path().join("my-e5-tuned");
        let saved = folder.path().join("copy");
        for place in [&e5, &saved] {
            std::fs::create_dir(place).unwrap();
        }
        let config = r#"{"_name_or_path": "intfloat/e5-base-v2"}"#;
        std::fs::write(saved.join("config.json"), config).unwrap();
        for place in [&e5, &saved] {
            let found = Prefixes::of(place, Given::default());
            assert!(found.note(Side::Document).unwrap().contains("passage: "));
        }
    }
}
