//! Tables as CSV, Markdown and LaTeX.

mod comma;
mod latex;
mod markdown;

pub(super) use comma::csv;
pub(super) use latex::latex;
pub(super) use markdown::markdown;
