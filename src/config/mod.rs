//! What a TOML may say, strictly, one file per kind of experiment; and everything that is wrong
//! with one, reported at once with its place.
//!
//! The way: a file's text becomes a tree whose values know their places (`tree`); the tree is
//! checked as written (`structure`) against rules taken from the settings structs themselves
//! (`rules`); for each cell the layers are laid together (`overlay`), read into the strict struct
//! and checked as a whole (`cell`, `draft`, `checks`). Knows nothing of devices, networks or the
//! clock.

mod axes;
mod cell;
mod checks;
mod compare;
mod data;
mod draft;
mod embedder;
mod environment;
mod experiment;
mod file;
mod generator;
mod kind;
mod load;
mod lora;
mod model;
mod model_search;
mod names;
mod overlay;
mod overrides;
mod problem;
mod prompt;
mod rag;
mod reader;
mod reference;
mod rules;
mod runs;
mod schema;
mod settings;
mod source;
mod strict;
mod structure;
mod suggest;
mod tree;
mod with_model;

pub use compare::{BestBy, Compare};
pub use data::{Data, Evaluation, Label, ReviewOrder, Row, SplitKind, SteamReviews};
pub use draft::Inspector;
pub use embedder::{Embedder, Lexical, LexicalEmbedder, Prefixes};
pub use environment::{Environment, System};
pub use experiment::{Axis, Exclude, Experiment, NamedRun, Point};
pub use generator::{Generator, Phrases, SimpleGeneration, SimpleGenerator};
pub use load::{LoadError, Loaded, STUDIES, load, read_all, unused_overrides};
pub use lora::{Keep, Lora, LoraSettings, Schedule, Training};
pub use model::{Head, Model, Origin, Precision, is_commit};
pub use model_search::{ModelSearch, ModelSearchSettings, ModelSort};
pub use names::{LONGEST_NAME, experiment_fault, fault as name_fault, is_forbidden, run_fault};
pub use problem::{Look, Problem, Problems};
pub use prompt::{
    ClassWord, Classification, ClassificationMode, Generation, Prompt, PromptFormat, PromptSettings,
};
pub use rag::{
    ChunkStrategy, Chunks, Cleaning, Document, DocumentOrigin, Metric, Overflow, Question,
    RagSettings, Retrieval, Unicode,
};
pub use reference::reference;
pub use schema::schema;
pub use settings::{Kind, Settings};
pub use source::{Source, Span};
pub use strict::read_strict;
pub use suggest::nearest as nearest_word;
pub use tree::{Node, Table};
pub use with_model::WithModel;
