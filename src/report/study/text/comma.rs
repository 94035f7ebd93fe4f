//! A table as CSV: a line for each value, for programs.

use crate::record::CsvWriter;
use crate::report::study::table::{Cell, Table};
use crate::report::study::verdict::Verdict;

/// The columns after the labels.
const COLUMNS: [&str; 6] = [
    "value",
    "published",
    "ours",
    "difference",
    "verdict",
    "command",
];

/// The file's content.
///
/// # Errors
/// Those of the CSV writer.
pub(in crate::report::study) fn csv(table: &Table) -> csv::Result<Vec<u8>> {
    let mut writer = CsvWriter::new(Vec::new());
    let labels = table.labels.iter().map(String::as_str);
    writer.write_record(labels.chain(COLUMNS))?;
    for row in &table.rows {
        for (cell, column) in row.cells.iter().zip(&table.columns) {
            let values = match cell {
                Cell::Empty => continue,
                Cell::Text(text) => ["", text, "", Verdict::Unjudged.words()],
                Cell::Value(value) => [
                    value.published.as_str(),
                    &value.ours,
                    &value.difference,
                    value.verdict.words(),
                ],
            };
            let command = row.command.as_deref().unwrap_or_default();
            let labels = row.labels.iter().map(String::as_str);
            let line = labels
                .chain(std::iter::once(column.as_str()))
                .chain(values)
                .chain(std::iter::once(command));
            writer.write_record(line)?;
        }
    }
    writer.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::study::verdict::Compared;

    #[test]
    fn each_value_has_a_line_and_no_cell_is_a_formula() {
        let mut table = Table::new(&["class"], &["recall", "answer"]);
        let recall = Cell::Value(Compared {
            published: "0.85".to_owned(),
            ours: "0.8400".to_owned(),
            difference: "-0.0100".to_owned(),
            verdict: Verdict::WithinNoise,
        });
        let answer = Cell::Text("=1+1, \"x\"".to_owned());
        table.push(["a"], vec![recall, answer], None);
        table.push(
            ["b"],
            vec![Cell::Empty, Cell::Text("-".to_owned())],
            Some("ensayo run x/b".to_owned()),
        );
        let text = String::from_utf8(csv(&table).unwrap()).unwrap();
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "class,value,published,ours,difference,verdict,command",
                "a,recall,0.85,0.8400,-0.0100,within noise,",
                "a,answer,,\"'=1+1, \"\"x\"\"\",,,",
                "b,answer,,'-,,,ensayo run x/b",
            ]
        );
    }
}
