//! Texts that stand in more than one split, compared letter by letter. Knows nothing of files or
//! classes.

use std::collections::HashSet;

use super::examples::{EvaluationSet, Example};

/// Rows whose text stands in another split as well, counted before any is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duplicates {
    /// Training rows whose text is also in the test split.
    pub train_in_test: usize,
    /// Training rows whose text is also in the validation split.
    pub train_in_validation: usize,
    /// Validation rows whose text is also in the test split.
    pub validation_in_test: usize,
    /// Training rows that were dropped because their text stands in one of the others.
    pub dropped: usize,
}

impl Duplicates {
    /// Counts shared texts and, where `deduplicate` is set, drops the training rows that have one.
    pub(super) fn settle(
        train: &mut Vec<Example>,
        validation: &[Example],
        test: &[Example],
        deduplicate: bool,
    ) -> Self {
        let tested = texts(test);
        let validated = texts(validation);
        let mut duplicates = Self {
            train_in_test: shared(train, &tested),
            train_in_validation: shared(train, &validated),
            validation_in_test: shared(validation, &tested),
            dropped: 0,
        };
        if deduplicate {
            let rows = train.len();
            train.retain(|example| {
                let content = example.text.as_str();
                !tested.contains(content) && !validated.contains(content)
            });
            duplicates.dropped = rows - train.len();
        }
        duplicates
    }

    /// The counts in words, where there is something to say.
    pub(super) fn notes(self, deduplicate: bool) -> Vec<String> {
        let fate = if deduplicate {
            "dropped"
        } else {
            "kept; `data.deduplicate = true` drops them"
        };
        let counts = [
            (self.train_in_test, "training", "test", fate),
            (self.train_in_validation, "training", "validation", fate),
            (self.validation_in_test, "validation", "test", "kept"),
        ];
        let found = counts.into_iter().filter(|(count, ..)| *count > 0);
        let note = |(count, from, to, fate)| {
            format!("{from} rows whose text is also in the {to} split: {count} ({fate})")
        };
        found.map(note).collect()
    }
}

/// Says which evaluations judge the model by texts it was trained on.
pub(super) fn evaluation_notes(train: &[Example], evaluations: &[EvaluationSet]) -> Vec<String> {
    let trained = texts(train);
    let counts = evaluations
        .iter()
        .map(|set| (&set.name, shared(&set.examples, &trained)));
    let found = counts.filter(|(_, count)| *count > 0);
    found
        .map(|(name, count)| {
            format!("rows of the evaluation `{name}` whose text is also trained on: {count}")
        })
        .collect()
}

fn texts(examples: &[Example]) -> HashSet<&str> {
    examples
        .iter()
        .map(|example| example.text.as_str())
        .collect()
}

fn shared(examples: &[Example], texts: &HashSet<&str>) -> usize {
    examples
        .iter()
        .filter(|example| texts.contains(example.text.as_str()))
        .count()
}

#[cfg(test)]
mod tests;
