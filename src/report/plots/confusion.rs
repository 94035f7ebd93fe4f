//! A confusion matrix: counts, and each count's share of its true class.

use crate::draw::axis::group;
use crate::draw::matrix::{Cell, Matrix};
use crate::draw::scene::Scene;
use crate::report::predictions::Confusion;

/// The figure; None without classes.
pub(in crate::report) fn draw(title: &str, confusion: &Confusion) -> Option<Scene> {
    let of_class = |(counts, &total): (&Vec<u64>, &u64)| {
        counts.iter().map(|&count| cell(count, total)).collect()
    };
    let matrix = Matrix {
        title: title.to_owned(),
        names: ("true class".to_owned(), "predicted class".to_owned()),
        rows: confusion.classes.clone(),
        columns: confusion.classes.clone(),
        cells: confusion
            .counts
            .iter()
            .zip(&confusion.totals)
            .map(of_class)
            .collect(),
        scale: ["100 %", "50 %", "0 %"].map(str::to_owned),
        square: true,
        largest: 120.0,
    };
    matrix.draw(&notes(confusion, matrix.has_numbers()))
}

fn cell(count: u64, total: u64) -> Cell {
    #[expect(clippy::cast_precision_loss, reason = "rows of a data set")]
    let share = (total > 0).then(|| count as f64 / total as f64);
    Cell {
        share,
        text: group(&count.to_string()),
        below: share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0)),
    }
}

fn notes(confusion: &Confusion, has_numbers: bool) -> Vec<String> {
    let rows = group(&confusion.rows().to_string());
    let mut notes = vec![if has_numbers {
        format!(
            "Counts, and below them the share of the true class, which also sets the shade. {rows} rows."
        )
    } else {
        format!(
            "Shade: share of the true class. {rows} rows. Too many classes for numbers; predictions.csv has them."
        )
    }];
    if confusion.classes.len() < confusion.all_classes {
        notes.push(format!(
            "The {} largest of {} classes; {} rows are of others, or predicted as others.",
            confusion.classes.len(),
            group(&confusion.all_classes.to_string()),
            group(&confusion.left_out.to_string())
        ));
    }
    if confusion.unplaced > 0 {
        let unplaced = group(&confusion.unplaced.to_string());
        notes.push(format!(
            "Not shown: {unplaced} rows whose label or prediction is not one of these classes."
        ));
    }
    notes
}
