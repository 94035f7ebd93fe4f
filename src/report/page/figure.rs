//! Plots as the templates take them.

use serde::Serialize;

use super::addresses;
use crate::report::drawn::Drawn;

/// A plot with its caption, and the address of its files without their ending.
#[derive(Serialize)]
pub(super) struct Figure<'a> {
    svg: &'a str,
    caption: &'a str,
    file: String,
}

impl<'a> Figure<'a> {
    /// On a page so deep below the results tree.
    pub(super) fn of(depth: usize, experiment: &str, drawn: &'a Drawn) -> Self {
        Self {
            svg: &drawn.svg,
            caption: &drawn.plot.caption,
            file: addresses::result(depth, &format!("{experiment}/plots/{}", drawn.plot.stem)),
        }
    }
}
