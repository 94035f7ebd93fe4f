//! Tables are written in one place, which makes cells harmless that a spreadsheet would run.

use std::path::Path;

use crate::{code_lines, sources};

/// Where CSV is written without that: the place itself, and data to learn from, which stays as it is.
const PLAIN: [&str; 2] = ["src/record/csv_file", "src/steam/table.rs"];

/// The lines outside tests in which the CSV library's own writer is named.
fn plain_writers(text: &str) -> Vec<usize> {
    let own = text.split("#[cfg(test)]\nmod tests").next();
    let code = code_lines(own.unwrap_or_default());
    let writers = ["csv::Writer", "csv::WriterBuilder"];
    let named = code
        .iter()
        .filter(|line| writers.iter().any(|name| line.code.contains(name)));
    named.map(|line| line.number).collect()
}

#[test]
fn every_table_is_written_where_formulas_are_guarded() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let is_plain = PLAIN.iter().any(|plain| path.starts_with(Path::new(plain)));
        for line in plain_writers(&text).iter().filter(|_| !is_plain) {
            found.push(format!(
                "{}:{line}: use `record::CsvWriter` instead",
                path.display()
            ));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_plain_writer_is_noticed() {
    let text = "//! x\nlet writer = csv::Writer::from_writer(file);\n// csv::Writer\n";
    assert_eq!(plain_writers(text), [2]);
    assert_eq!(
        plain_writers("let writer = CsvWriter::new(file);\n"),
        [0; 0]
    );
}
