//! The splits of a run, tokenised.

use std::path::{Path, PathBuf};

use engine::models::NetworkFiles;
use engine::training::Example;
use thiserror::Error;

use crate::content::TokenCache;
use crate::data::{self, Splits, Tokenizer, TokenizerError};
use crate::runner::ExecuteError;

/// One evaluation: its name, its examples and their texts.
pub(super) struct Set<'a> {
    pub(super) name: String,
    pub(super) texts: Vec<&'a str>,
    pub(super) examples: Vec<Example>,
}

/// The tokenised splits.
pub(super) struct Sets<'a> {
    pub(super) train: Vec<Example>,
    /// What the epochs are judged by: the validation split, or the test split where there is none.
    pub(super) judged: usize,
    /// Test, validation where there is one, and the named evaluations.
    pub(super) evaluations: Vec<Set<'a>>,
}

impl<'a> Sets<'a> {
    pub(super) fn new(
        splits: &'a Splits,
        encoder: &NetworkFiles,
        max_length: usize,
        results: &Path,
        notes: &mut Vec<String>,
    ) -> Result<Self, ExecuteError> {
        let positions = encoder.shapes.max_positions;
        let limit = max_length.min(positions);
        let vocabulary = encoder.shapes.vocab_size;
        let tokenizer = tokenizer(encoder, max_length)?;
        notes.extend(tokenizer.note().map(str::to_owned));
        let cache = TokenCache::new(results, &encoder.folder, limit, vocabulary);
        let encode = |texts: &[&str]| cache.encode(texts, |texts| tokenizer.encode(texts));
        let mut named: Vec<(String, &'a [data::Example])> = vec![("test".into(), &splits.test)];
        named.extend(
            splits
                .validation
                .as_ref()
                .map(|rows| ("validation".into(), rows.as_slice())),
        );
        named.extend(
            splits
                .evaluations
                .iter()
                .map(|set| (set.name.clone(), set.examples.as_slice())),
        );
        let train = tokenise(encode, &splits.train, "train")?;
        let mut evaluations = Vec::new();
        for (name, rows) in named {
            let examples = tokenise(encode, rows, &name)?;
            let texts = rows.iter().map(|row| row.text.as_str()).collect();
            evaluations.push(Set {
                name,
                texts,
                examples,
            });
        }
        if max_length > positions {
            notes.push(format!("training.max_length is {max_length}; the model has {positions} positions, so texts are cut there"));
        }
        let full = train
            .iter()
            .filter(|example| example.tokens.len() == limit)
            .count();
        if full > 0 {
            notes.push(format!(
                "{full} of {} training texts fill all {limit} tokens; what is longer was cut",
                train.len()
            ));
        }
        Ok(Self {
            train,
            judged: usize::from(splits.validation.is_some()),
            evaluations,
        })
    }
}

impl Sets<'_> {
    /// Texts of all evaluations.
    pub(super) fn evaluated(&self) -> usize {
        self.evaluations.iter().map(|set| set.examples.len()).sum()
    }

    /// What the rows of all splits take, before and while the network is trained.
    pub(super) fn data_bytes(&self, splits: &Splits) -> DataBytes {
        let train = splits.train.iter().map(|row| row.text.len());
        let mut bytes = DataBytes::default();
        bytes.add(train.zip(&self.train));
        for set in &self.evaluations {
            let texts = set.texts.iter().map(|text| text.len());
            bytes.add(texts.zip(&set.examples));
        }
        bytes
    }
}

/// Bytes of the processor's memory that the rows of a run take.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DataBytes {
    /// Texts and tokens, which stay to the end.
    pub(super) kept: u64,
    /// The texts, and the files that they are read from.
    reading: u64,
    /// The most that a split takes beside its texts and tokens while it is tokenised.
    tokenising: u64,
    longest: u64,
}

/// Bytes that the tokeniser takes for each byte of a text: where each letter came from, and tokens
/// with their places, before anything is cut.
const TOKENISING: u64 = 80;
/// A row of a file as it is read, in a list that grows, with its label as text.
const READING: u64 = 176;

impl DataBytes {
    fn add<'a>(&mut self, rows: impl Iterator<Item = (usize, &'a Example)>) {
        let mut passing = 0;
        for (text, example) in rows {
            let tokens = example.tokens.len() * size_of::<u32>();
            // A label's text leaves a hole that nothing else fits in.
            let read = size_of::<data::Example>() as u64 + allocated(text) + allocated(0);
            let encoded = size_of::<Example>() + size_of::<&str>();
            self.kept += read + encoded as u64 + allocated(tokens);
            self.reading += read + text as u64 + READING;
            // The tokens for the cache, in a list that grows.
            passing += 2 * (tokens + size_of::<u32>()) as u64 + size_of::<Vec<u32>>() as u64;
            self.longest = self.longest.max(text as u64);
        }
        self.tokenising = self.tokenising.max(passing);
    }

    /// The most that is held before the training begins.
    pub(super) fn before(&self) -> u64 {
        let tokenising = self.kept + self.tokenising + TOKENISING * self.longest;
        tokenising.max(self.reading)
    }
}

/// Bytes that the allocator takes for this many.
fn allocated(bytes: usize) -> u64 {
    (bytes + 8).next_multiple_of(16).max(32) as u64
}

/// Texts that are longer than the checkpoint's tokeniser lets them be.
#[derive(Debug, Error)]
#[error(
    "`training.max_length` is {length}, but the tokeniser in {} has a `model_max_length` of {limit}: set `max_length = {limit}` or less in `[training]`",
    folder.display()
)]
struct TooLong {
    folder: PathBuf,
    length: usize,
    limit: usize,
}

/// The tokeniser of an encoder, which cuts texts at `max_length` or where the positions end.
pub(super) fn tokenizer(
    encoder: &NetworkFiles,
    max_length: usize,
) -> Result<Tokenizer, ExecuteError> {
    let length = max_length.min(encoder.shapes.max_positions);
    let tokenizer = Tokenizer::from_folder(&encoder.folder, length)?;
    if let Some(limit) = tokenizer.model_max_length()
        && limit < length
    {
        let folder = encoder.folder.clone();
        return Err(TooLong {
            folder,
            length,
            limit,
        }
        .into());
    }
    Ok(tokenizer.for_vocabulary(encoder.shapes.vocab_size))
}

/// A text without a single token.
#[derive(Debug, Error)]
#[error("row {} of the {split} split: the tokeniser finds no token in the text {text:?}; remove the row", row + 1)]
struct NoTokens {
    split: String,
    row: usize,
    text: String,
}

pub(super) fn tokenise(
    encode: impl FnOnce(&[&str]) -> Result<Vec<Vec<u32>>, TokenizerError>,
    rows: &[data::Example],
    split: &str,
) -> Result<Vec<Example>, ExecuteError> {
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let examples = encode(&texts)?.into_iter().zip(rows).map(|(tokens, row)| {
        if tokens.is_empty() {
            return Err(NoTokens {
                split: split.to_owned(),
                row: row.row,
                text: row.text.clone(),
            });
        }
        Ok(Example {
            tokens,
            label: row.label,
            row: row.row,
        })
    });
    Ok(examples.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::super::memory::PROGRAM_BYTES;
    use super::*;

    fn bytes(rows: &[(usize, usize)]) -> DataBytes {
        let example = |&(_, tokens): &(usize, usize)| Example {
            tokens: vec![0; tokens],
            label: 0,
            row: 0,
        };
        let examples: Vec<Example> = rows.iter().map(example).collect();
        let mut bytes = DataBytes::default();
        bytes.add(rows.iter().map(|row| row.0).zip(&examples));
        bytes
    }

    /// The peaks of whole runs of a small network, whose own memory was little: 80,000 training rows
    /// of some 50 letters and 32 tokens, 800,000 of 16 tokens, and one text of 3.8 MB.
    #[test]
    fn runs_take_somewhat_less_than_is_said_of_their_rows() {
        for (rows, measured) in [
            (vec![(50, 32); 100_000], 82e6),
            (vec![(50, 16); 1_000_000], 373e6),
            (vec![(3_828_000, 32)], 290e6),
        ] {
            let said = PROGRAM_BYTES + bytes(&rows).before();
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let share = said as f64 / measured;
            assert!((1.0..1.4).contains(&share), "{share}");
        }
    }
}
