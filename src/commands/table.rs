//! Plain tables for the terminal: columns aligned, nothing drawn.

use unicode_width::UnicodeWidthStr;

use crate::report::padded;

/// Rows of cells as lines, each column as wide as its widest cell. Columns whose cells below the
/// first row all are numbers are aligned to the right. The last column is not padded.
pub(super) fn lines(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .map(|row| cell(row, column).width())
            .max()
            .unwrap_or(0)
    };
    let numeric = |column: usize| {
        let mut below = rows
            .iter()
            .skip(1)
            .map(|row| cell(row, column))
            .filter(|text| !text.is_empty())
            .peekable();
        below.peek().is_some() && below.all(|text| text.parse::<f64>().is_ok())
    };
    let shape: Vec<_> = (0..columns)
        .map(|column| (width(column), numeric(column)))
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<_> = shape
            .iter()
            .enumerate()
            .map(|(column, &(width, numeric))| {
                let cell = cell(row, column);
                padded(&cell, width, numeric)
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = [["run", "accuracy"], ["rank=4", "0.8"], ["größe", "0.8125"]];
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect();
        assert_eq!(
            lines(&rows),
            "run     accuracy\nrank=4       0.8\ngröße     0.8125\n"
        );
    }
}
