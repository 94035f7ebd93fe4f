//! How wide the terminal is, where there is one.

use std::io::{self, IsTerminal};

/// Columns of standard output, if a person reads it.
pub(super) fn output_columns() -> Option<usize> {
    let stream = io::stdout();
    let size = terminal_size::terminal_size_of(&stream).filter(|_| stream.is_terminal());
    size.map(|(width, _)| usize::from(width.0))
}

/// Columns of standard error, if a person reads it.
pub(super) fn talk_columns() -> Option<usize> {
    let stream = io::stderr();
    let size = terminal_size::terminal_size_of(&stream).filter(|_| stream.is_terminal());
    size.map(|(width, _)| usize::from(width.0))
}
