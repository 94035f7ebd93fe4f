//! What the readers of all formats are given, and what they return.

use std::path::{Path, PathBuf};

use strsim::levenshtein;

use crate::config::Label;

/// What is taken from a file.
pub(super) struct Wanted<'a> {
    pub text: &'a str,
    pub label: Option<&'a str>,
    pub limit: Option<usize>,
}

impl Wanted<'_> {
    /// Whether a row without a text is one of the file's rows: nothing is learnt from it, but each
    /// row that is to be classified has its answer.
    pub(super) fn takes_empty_texts(&self) -> bool {
        self.label.is_none()
    }
}

/// A row as the readers of both formats return it: with a label wherever one was wanted.
pub(super) struct FileRow {
    pub text: String,
    pub label: Option<Label>,
    pub row: usize,
    pub line: u64,
}

/// A file's content without its byte order mark, and without Excel's line on the separator.
pub(super) struct Source<'a> {
    pub path: &'a Path,
    pub content: &'a [u8],
    /// Bytes before it.
    pub skipped: u64,
    /// Lines before it.
    pub lines_skipped: u64,
    /// What stands between the values of a table.
    pub separator: u8,
}

impl Source<'_> {
    pub(super) fn owned_path(&self) -> PathBuf {
        self.path.to_owned()
    }
}

/// The name among `present` that `column` may have meant, as a hint for a message.
pub(super) fn near_name(column: &str, present: &[String]) -> Option<String> {
    let wanted = column.to_lowercase();
    let distances = present
        .iter()
        .map(|name| (levenshtein(&wanted, &name.trim().to_lowercase()), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may differ; in short names that leaves one.
    (distance <= (wanted.chars().count() / 3).max(1)).then(|| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_not() {
        let present = ["Text", "review_text", "labels"].map(str::to_owned);
        assert_eq!(near_name("text", &present).unwrap(), "did you mean `Text`?");
        assert_eq!(
            near_name("label", &present).unwrap(),
            "did you mean `labels`?"
        );
        assert_eq!(near_name("sentence", &present), None);
        assert_eq!(near_name("text", &[]), None);
    }
}
