//! Rows, steps, time, speed and loss of trainings.

use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::Table;
use super::values;
use crate::study::Figure;

const USUAL: [&str; 6] = [
    "train_rows",
    "steps",
    "train_seconds",
    "train_samples_per_second",
    "train_steps_per_second",
    "train_loss_mean",
];

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    values::chosen(context, figure, subjects, &USUAL)
}
