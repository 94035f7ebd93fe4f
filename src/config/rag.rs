//! Settings of a `kind = "rag"` run: fragments of a document are retrieved and a reader answers
//! from them.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::kind::{Facts, KindSettings, inlined};
use super::{Embedder, Generation, Generator, Model, Prompt};

/// Searches a document for each question, and answers from what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RagSettings {
    /// The text that is searched.
    pub document: Document,
    /// How the text is cut.
    pub chunks: Chunks,
    /// How chunks and questions are compared: by word statistics or by a model's vectors.
    pub embedder: Embedder,
    /// Which chunks a question gets.
    #[serde(default)]
    pub retrieval: Retrieval,
    /// What answers from the chunks: nothing, the chunks' own sentences, or a decoder.
    pub generator: Generator,
    /// How an answer is drawn; only where the generator is a decoder.
    #[serde(default)]
    pub generation: Generation,
    /// What a decoder is asked; `extractive` and `none` do not need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    /// The questions.
    #[schemars(extend("minItems" = 1, "examples" = [[{ "id": "fee", "text": "How much is the yearly fee?" }]]))]
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
    /// A UTF-8 text file, or a folder: its `.txt`, `.text`, `.md`, `.markdown` and `.rst` files in
    /// the order of their names. Give either this or `url`.
    #[schemars(extend("x-path" = "any", "examples" = ["../data/manual.txt"]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// Address that the file is fetched from. Give either this or `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["https://example.org/manual.txt"]))]
    url: Option<String>,
    /// The file's sha256 in 64 hexadecimal digits, which is checked; required with `url`, where a
    /// run without it stops and prints the one to paste in.
    #[schemars(extend("pattern" = "^[0-9a-f]{64}$", "examples" = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Unicode form that the text is brought into before it is cleaned.
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

/// Unicode form that the text is brought into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unicode {
    /// The file's own.
    #[default]
    None,
    /// Letters with their accents as one character. A dotless ı under an accent, as PDF files from
    /// LaTeX have it, becomes an i first.
    Nfc,
    /// The same, and plain letters for ligatures, full-width letters and the like.
    Nfkc,
}

/// What is done to a document before it is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cleaning {
    /// Nothing.
    #[default]
    None,
    /// As in the study: each run of white space becomes one space, and full stops with the white
    /// space after them become one full stop. It glues sentences together.
    Study,
    /// Keeps sentences and paragraphs: white space becomes one space except between paragraphs,
    /// words divided at the end of a line are joined, and dotted leaders are shortened.
    Prose,
}

/// How a document is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chunks {
    /// What a chunk consists of.
    #[serde(default)]
    pub strategy: ChunkStrategy,
    /// Length of a chunk: in words, or in the embedder's tokens with `strategy = "sentences"`. In
    /// scripts without spaces each letter is a word.
    #[schemars(extend("minimum" = 1, "examples" = [300]))]
    pub size: usize,
    /// Words or tokens that a chunk shares with the one before; less than `size`.
    #[serde(default)]
    #[schemars(extend("examples" = [100]))]
    pub overlap: usize,
}

/// What a chunk consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChunkStrategy {
    /// So many words, wherever sentences end.
    #[default]
    Words,
    /// Whole sentences, up to `size` of the embedder's tokens without special ones; words for an
    /// embedder without tokens.
    Sentences,
}

/// Which chunks a question gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retrieval {
    /// How near two vectors are. BM25 and TF-IDF have their own measure and ignore it.
    pub metric: Metric,
    /// Chunks that each question gets, the nearest first.
    #[schemars(extend("minimum" = 1))]
    pub top_k: usize,
    /// What happens when a prompt with all of them, together with its answer, is longer than the
    /// decoder takes.
    #[serde(skip_serializing_if = "Overflow::is_error")]
    #[schemars(extend("default" = "error"))]
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

/// What happens when a prompt and its answer are longer than the model takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overflow {
    /// The run fails before anything is answered.
    #[default]
    Error,
    /// The last chunks are left out, as few as necessary; the results say how many.
    Drop,
}

impl Overflow {
    /// Whether it is the default, which need not be written.
    #[must_use]
    pub fn is_error(&self) -> bool {
        *self == Self::Error
    }
}

/// How near two vectors are.
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
    /// Its name in the results; any but `questions` and `run`, which are taken.
    #[schemars(extend("examples" = ["fee"]))]
    pub id: String,
    /// The question itself.
    #[schemars(extend("examples" = ["How much is the yearly fee?"]))]
    pub text: String,
    /// What a right chunk contains, any of these: plain text, or a regular expression between
    /// slashes. Accents, case, white space and repeated full stops do not count. A question without
    /// patterns is asked but not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["ninety euros", "/(yearly|annual) fee/"]]))]
    pub relevant: Vec<String>,
    /// A right answer, if one is known. Answers are compared with it word by word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["Ninety euros"]))]
    pub answer: Option<String>,
}
