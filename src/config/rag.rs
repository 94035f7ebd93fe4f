//! Settings of a `kind = "rag"` run: fragments of a document are retrieved and a reader answers
//! from them.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Embedder, Generation, Generator, Model, Prompt};

/// Everything that decides the result of one retrieval run, except its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RagSettings {
    /// The text that is searched.
    pub document: Document,
    /// How the text is cut.
    pub chunks: Chunks,
    /// What turns chunks and questions into something comparable.
    pub embedder: Embedder,
    /// Which chunks a question gets.
    #[serde(default)]
    pub retrieval: Retrieval,
    /// What answers from the chunks.
    pub generator: Generator,
    /// How an answer is drawn.
    #[serde(default)]
    pub generation: Generation,
    /// What the generator is asked; not needed by `extractive` and `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    /// The questions.
    #[schemars(extend("minItems" = 1))]
    pub questions: Vec<Question>,
}

pub(super) const FACTS: Facts = Facts {
    word: "rag",
    numerics: 3,
    classifies: false,
    schema: inlined::<RagSettings>,
};

impl KindSettings for RagSettings {
    fn rows_at_once(&self) -> Option<usize> {
        let decodes = matches!(self.generator, Generator::Model(_));
        decodes.then(|| self.generation.rows_at_once())
    }

    fn models(&self) -> Vec<(&'static str, &Model)> {
        let embedder = match &self.embedder {
            Embedder::Model(embedder) => Some(("embedder", &embedder.model)),
            Embedder::Lexical(_) => None,
        };
        let generator = match &self.generator {
            Generator::Model(generator) => Some(("generator", &generator.model)),
            Generator::Simple(_) => None,
        };
        embedder.into_iter().chain(generator).collect()
    }

    fn models_mut(&mut self) -> Vec<&mut Model> {
        let embedder = match &mut self.embedder {
            Embedder::Model(embedder) => Some(&mut embedder.model),
            Embedder::Lexical(_) => None,
        };
        let generator = match &mut self.generator {
            Generator::Model(generator) => Some(&mut generator.model),
            Generator::Simple(_) => None,
        };
        embedder.into_iter().chain(generator).collect()
    }
}

/// A text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenDocument", into = "WrittenDocument")]
pub struct Document {
    /// Where it comes from.
    pub origin: DocumentOrigin,
    /// The file's sha256 as 64 hexadecimal digits.
    pub sha256: Option<String>,
    /// Which spelling accents and ligatures get, before the text is cleaned.
    pub unicode: Unicode,
    /// What is done to the text before it is cut.
    pub cleaning: Cleaning,
}

/// Where a document comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentOrigin {
    /// A UTF-8 text file, or a folder of such files.
    Path(PathBuf),
    /// An address that it is fetched from.
    Url(String),
}

/// A text. Exactly one of `path` and `url` is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Document")]
struct WrittenDocument {
    /// A UTF-8 text file, or a folder of such files.
    #[schemars(extend("x-path" = "any"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// Where the file is fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The file's sha256 as 64 hexadecimal digits; required with `url`.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Which spelling accents and ligatures get, before the text is cleaned.
    #[serde(default)]
    unicode: Unicode,
    /// What is done to the text before it is cut.
    #[serde(default)]
    cleaning: Cleaning,
}

impl TryFrom<WrittenDocument> for Document {
    type Error = &'static str;

    fn try_from(written: WrittenDocument) -> Result<Self, Self::Error> {
        let origin = match (written.path, written.url) {
            (Some(path), None) => DocumentOrigin::Path(path),
            (None, Some(url)) => DocumentOrigin::Url(url),
            _ => return Err("a document needs exactly one of `path` and `url`"),
        };
        Ok(Self {
            origin,
            sha256: written.sha256,
            unicode: written.unicode,
            cleaning: written.cleaning,
        })
    }
}

impl From<Document> for WrittenDocument {
    fn from(document: Document) -> Self {
        let (path, url) = match document.origin {
            DocumentOrigin::Path(path) => (Some(path), None),
            DocumentOrigin::Url(url) => (None, Some(url)),
        };
        Self {
            path,
            url,
            sha256: document.sha256,
            unicode: document.unicode,
            cleaning: document.cleaning,
        }
    }
}

/// The schema is that of a document as it is written.
impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        WrittenDocument::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        WrittenDocument::json_schema(generator)
    }
}

/// Which spelling accents and ligatures get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unicode {
    /// The file's.
    #[default]
    None,
    /// One letter with its accent instead of two characters, a dotless i below an accent included.
    Nfc,
    /// The same, and plain letters for ligatures and the like.
    Nfkc,
}

/// What is done to a document before it is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cleaning {
    /// Nothing.
    #[default]
    None,
    /// The study's: white space becomes one space, full stops with the white space after them one
    /// full stop.
    Study,
    /// White space becomes one space, but paragraphs stay apart; divided words are joined, dotted
    /// leaders shortened.
    Prose,
}

/// How a document is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chunks {
    /// What a chunk consists of.
    #[serde(default)]
    pub strategy: ChunkStrategy,
    /// Words in a chunk, or the embedder's tokens, by strategy. In a script without spaces each
    /// letter is a word.
    #[schemars(extend("minimum" = 1))]
    pub size: usize,
    /// Words or tokens that a chunk shares with the one before; less than `size`.
    #[serde(default)]
    pub overlap: usize,
}

/// What a chunk consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChunkStrategy {
    /// Words, wherever a sentence ends.
    #[default]
    Words,
    /// Whole sentences, up to `size` tokens of the embedder without its special ones; words where
    /// it has no tokens.
    Sentences,
}

/// Which chunks a question gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retrieval {
    /// What makes two vectors near.
    pub metric: Metric,
    /// Chunks for each question.
    #[schemars(extend("minimum" = 1))]
    pub top_k: usize,
    /// What is done where a decoder's prompt with all of them, and its answer, are longer than the
    /// model takes.
    #[serde(skip_serializing_if = "Overflow::is_error")]
    pub on_overflow: Overflow,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self {
            metric: Metric::Cosine,
            top_k: 10,
            on_overflow: Overflow::Error,
        }
    }
}

/// What is done where a prompt and its answer are longer than the model takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overflow {
    /// The run fails before anything is answered.
    #[default]
    Error,
    /// The last chunks are left out, as few as will do; results count them.
    Drop,
}

impl Overflow {
    /// Whether it is the default, which need not be written.
    #[must_use]
    pub fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

/// What makes two vectors near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Cosine of the angle between them.
    Cosine,
    /// `1 / (1 + distance)`.
    Euclidean,
    /// Inner product.
    Dot,
}

/// A question to the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name in the results.
    pub id: String,
    /// The question itself.
    pub text: String,
    /// What a right chunk contains, any of them: plain text, or `/a regular expression/`. Accents,
    /// case and white space do not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relevant: Vec<String>,
    /// A right answer, which the generator's is compared with, word by word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1))]
    pub answer: Option<String>,
}
