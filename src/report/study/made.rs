//! A figure with its table.

use super::table::Table;
use crate::study::Figure;

/// A figure with its table.
pub(super) struct Made<'a> {
    pub figure: &'a Figure,
    pub table: Table,
}
