//! Labelled texts: reading, splitting and tokenising them; and documents to search in. Knows
//! nothing of models.

mod csv_file;
mod deberta_pieces;
pub mod document;
mod error;
mod examples;
mod file_row;
mod foreign;
mod jsonl_file;
mod labels;
mod long_texts;
mod overlap;
mod quotes;
mod sentencepiece;
mod split;
mod splits;
mod table;
mod tokenizer;

pub use error::{DataError, RowFault, RowProblem, SHOWN_PROBLEMS};
pub use examples::{EvaluationSet, Example};
pub use labels::LabelMap;
pub use overlap::Duplicates;
pub use split::{Split, train_test_split};
pub use splits::{Splits, labelled, prepare, whole};
pub use table::{RawRow, lines_of, read, read_texts, texts_of};
pub use tokenizer::{DecoderTokenizer, TextStream, Tokenizer, TokenizerError};
