//! Embeddings: `run,question,dimension,first_values`, the values with spaces between them.

use std::path::Path;

use super::sheet;
use crate::config::Problems;
use crate::study::Printed;

const COLUMNS: [&str; 4] = ["run", "question", "dimension", "first_values"];

/// The beginning of a question's embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingRow {
    /// The study's name of the run.
    pub run: String,
    /// The question's id.
    pub question: String,
    /// How many values there are in all.
    pub dimension: u64,
    /// The first of them.
    pub first_values: Vec<Printed>,
}

pub(super) fn read(
    path: &Path,
    text: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Vec<EmbeddingRow> {
    let mut rows: Vec<EmbeddingRow> = Vec::new();
    for line in sheet::read(path, text, &COLUMNS, problems) {
        let run = line.run(names, problems);
        let question = line.needed("question", problems);
        let dimension = line.count("dimension", problems);
        let values = line.needed("first_values", problems);
        let (Some(run), Some(question), Some(dimension), Some(values)) =
            (run, question, dimension, values)
        else {
            continue;
        };
        let mut first_values = Vec::new();
        for word in values.split_whitespace() {
            match Printed::parse(word) {
                Some(value) => first_values.push(value),
                None => problems
                    .push(line.problem(format!("`first_values` has `{word}`, which is no number"))),
            }
        }
        if rows
            .iter()
            .any(|row| row.run == run && row.question == question)
        {
            let message = format!("`{run}` has the embedding of `{question}` twice");
            problems.push(line.problem(message).help("remove one"));
            continue;
        }
        rows.push(EmbeddingRow {
            run,
            question,
            dimension,
            first_values,
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_one_by_one() {
        let mut problems = Problems::default();
        let text = "run,question,dimension,first_values\na,q,768,-0.1 0.25  1\na,r,4,0.1 x\n";
        let rows = read(Path::new("m.csv"), text, &["a"], &mut problems);
        let values: Vec<f64> = rows[0].first_values.iter().map(|one| one.value).collect();
        assert_eq!(values, [-0.1, 0.25, 1.0]);
        let said = problems.to_string();
        assert!(said.contains("`x`, which is no number"), "{said}");
    }
}
