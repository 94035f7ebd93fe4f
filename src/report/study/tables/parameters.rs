//! What adapters train, and which share of the model that is.

use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::Table;
use super::values;
use crate::study::Figure;

const USUAL: [&str; 6] = [
    "lora.rank",
    "lora.alpha",
    "lora.targets",
    "trainable_parameters",
    "total_parameters",
    "trainable_percent",
];

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    values::chosen(context, figure, subjects, &USUAL)
}
