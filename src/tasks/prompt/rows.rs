//! Which texts are classified, and which are shown as examples.

use std::collections::{BTreeMap, HashSet};

use thiserror::Error;

use crate::config::{Classification, Data, PromptSettings};
use crate::data::{self, Example, LabelMap, Splits};
use crate::runner::ExecuteError;

/// Everything that a run reads of its data.
#[derive(Debug)]
pub(super) struct Rows {
    /// The sets that are classified, with their names in the results.
    pub(super) sets: Vec<(String, Vec<Example>)>,
    /// What every prompt shows.
    pub(super) examples: Vec<Example>,
    /// The classes.
    pub(super) labels: LabelMap,
    /// What stands for each class, in their order.
    pub(super) words: Vec<String>,
    /// Classified rows that are shown as examples in the same prompts.
    pub(super) shown: usize,
    /// What a reader of the results should know.
    pub(super) notes: Vec<String>,
}

/// What does not fit together.
#[derive(Debug, Error)]
enum RowsError {
    #[error(
        "`classification.words` has a word for `{class}`, which is no class of {}: {classes}",
        path.display()
    )]
    UnknownClass {
        class: String,
        path: std::path::PathBuf,
        classes: String,
    },
    #[error(
        "`classification.words` has no word for the class `{class}`: give it one, or none to any"
    )]
    NoWord { class: String },
    #[error(
        "the classes `{one}` and `{other}` have the same word in answers: set `classification.words`"
    )]
    SameWord { one: String, other: String },
    #[error(
        "`classification.example_rows` names row {row}, but {} has {rows} rows{}",
        path.display(),
        if *split { " to take examples from: the others are its test split" } else { ", counted from 0" }
    )]
    NoRow {
        row: usize,
        rows: usize,
        path: std::path::PathBuf,
        split: bool,
    },
    #[error("`classification.examples` is {wanted}, but {} has {rows} rows to take them from", path.display())]
    TooFew {
        wanted: usize,
        rows: usize,
        path: std::path::PathBuf,
    },
    #[error(
        "no row is left to classify: all {rows} are examples; use more rows, or fewer examples"
    )]
    NoneLeft { rows: usize },
}

impl Rows {
    /// Reads them.
    ///
    /// # Errors
    /// When the data cannot be used, or the settings ask for rows that are not there.
    pub(super) fn read(settings: &PromptSettings) -> Result<Self, ExecuteError> {
        let data = &settings.data;
        let split = data.test_size.is_some() || data.test_path.is_some();
        let mut splits = if split {
            data::prepare(data)?
        } else {
            data::whole(data)?
        };
        let labels = splits.labels.clone();
        let words = words(&settings.classification, &labels, data)?;
        let examples = examples(settings, &splits, split)?;
        let mut notes = std::mem::take(&mut splits.notes);

        let same_file = settings.classification.examples_path.is_none();
        let rows: HashSet<usize> = examples.iter().map(|example| example.row).collect();
        let texts: HashSet<&str> = examples.iter().map(|example| &*example.text).collect();
        // Rows of the data by their number; what comes from elsewhere by what it says.
        let is_shown = |row: &Example| {
            if same_file && !split {
                rows.contains(&row.row)
            } else {
                texts.contains(&*row.text)
            }
        };
        let total = splits.test.len();
        let mut shown = splits.test.iter().filter(|row| is_shown(row)).count();
        let mut test = splits.test;
        if settings.classification.exclude_examples && shown > 0 {
            test.retain(|row| !is_shown(row));
            notes.push(format!(
                "{shown} of {total} rows are examples, and are not classified"
            ));
            shown = 0;
        }
        if shown > 0 {
            notes.push(format!(
                "{shown} of the {total} classified rows stand in the prompt as examples, with their labels: `classification.exclude_examples = true` leaves them out"
            ));
        }
        if test.is_empty() {
            return Err(RowsError::NoneLeft { rows: total }.into());
        }
        let mut sets = vec![("test".to_owned(), test)];
        sets.extend(
            splits
                .validation
                .map(|rows| ("validation".to_owned(), rows)),
        );
        let evaluations = splits.evaluations.into_iter();
        sets.extend(evaluations.map(|set| (set.name, set.examples)));
        Ok(Self {
            sets,
            examples,
            labels,
            words,
            shown,
            notes,
        })
    }

    /// Rows of all sets.
    pub(super) fn count(&self) -> usize {
        self.sets.iter().map(|(_, rows)| rows.len()).sum()
    }
}

/// The word of each class: those that are set, or the classes' own names.
fn words(
    settings: &Classification,
    labels: &LabelMap,
    data: &Data,
) -> Result<Vec<String>, RowsError> {
    let names = labels.names();
    let mut set: BTreeMap<usize, &str> = BTreeMap::new();
    for word in &settings.words {
        let Some(class) = labels.index_of(&word.class) else {
            let class = match &word.class {
                crate::config::Label::Integer(number) => number.to_string(),
                crate::config::Label::Text(text) => text.clone(),
            };
            return Err(RowsError::UnknownClass {
                class,
                path: data.path.clone(),
                classes: names.join(", "),
            });
        };
        set.insert(class, &word.word);
    }
    let word = |(class, name): (usize, &String)| match set.get(&class) {
        Some(word) => Ok((*word).to_owned()),
        None if set.is_empty() => Ok(name.clone()),
        None => Err(RowsError::NoWord {
            class: name.clone(),
        }),
    };
    let words: Vec<String> = names
        .iter()
        .enumerate()
        .map(word)
        .collect::<Result<_, _>>()?;
    for (class, word) in words.iter().enumerate() {
        if let Some(earlier) = words[..class].iter().position(|other| other == word) {
            return Err(RowsError::SameWord {
                one: names[earlier].clone(),
                other: names[class].clone(),
            });
        }
    }
    Ok(words)
}

fn examples(
    settings: &PromptSettings,
    splits: &Splits,
    split: bool,
) -> Result<Vec<Example>, ExecuteError> {
    let (asked, data) = (&settings.classification, &settings.data);
    let (mut from, path) = match &asked.examples_path {
        Some(path) => (data::labelled(path, data, &splits.labels)?, path),
        None if split => (splits.train.clone(), &data.path),
        None => (splits.test.clone(), &data.path),
    };
    // Splits are drawn; examples are the first ones of the file.
    from.sort_by_key(|row| row.row);
    if !asked.example_rows.is_empty() {
        let named = asked.example_rows.iter().map(|&number| {
            let row = from.iter().find(|row| row.row == number);
            row.cloned().ok_or_else(|| RowsError::NoRow {
                row: number,
                rows: from.len(),
                path: path.clone(),
                split,
            })
        });
        return Ok(named.collect::<Result<_, _>>()?);
    }
    let wanted = match (asked.examples, &asked.examples_path) {
        (0, Some(_)) => from.len(),
        (wanted, _) => wanted,
    };
    if from.len() < wanted {
        return Err(RowsError::TooFew {
            wanted,
            rows: from.len(),
            path: path.clone(),
        }
        .into());
    }
    from.truncate(wanted);
    Ok(from)
}
