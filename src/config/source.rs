//! Where a piece of configuration was written: a file or a command-line argument, and the bytes in
//! it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A text that settings are read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What a message calls it: a file's path, or `command line`.
    pub name: String,
    /// The text itself.
    pub text: String,
    /// Where relative paths in it start from.
    pub folder: PathBuf,
}

/// A range of bytes of a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl Span {
    /// The first line's number and the column in it, both from 1, the column in characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.start).unwrap_or_default();
        let line = before.split('\n').count();
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        (line, column)
    }

    /// The text it covers.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source
            .text
            .get(self.start..self.end)
            .unwrap_or_default()
    }
}

/// As `file:line:column`.
impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        write!(formatter, "{}:{line}:{column}", self.source.name)
    }
}

/// Short, since every node of a tree has one.
impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let text = "a = 1\ndé = 2\n".to_owned();
        let start = text.rfind('=').unwrap();
        let source = Arc::new(Source {
            name: "x.toml".to_owned(),
            text,
            folder: PathBuf::new(),
        });
        let span = Span {
            source,
            start,
            end: start + 1,
        };
        assert_eq!(span.to_string(), "x.toml:2:4");
        assert_eq!(span.text(), "=");
    }
}
