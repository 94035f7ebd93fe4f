//! Runs side by side: how good they are, and what that costs.

use super::super::context::Context;
use super::super::ours::Subject;
use super::super::table::Table;
use super::values;
use crate::study::Figure;

pub(super) fn table(context: &Context<'_>, figure: &Figure, subjects: &[Subject<'_>]) -> Table {
    let of = |metric: &str| format!("{}/{metric}", figure.evaluation());
    let (accuracy, f1, rows) = (of("accuracy"), of("macro_f1"), of("rows"));
    let usual = [
        &accuracy,
        &f1,
        &rows,
        "trainable_parameters",
        "train_seconds",
    ];
    values::chosen(context, figure, subjects, &usual)
}
