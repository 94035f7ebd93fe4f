//! Answers against right ones: ROUGE-L as the package `rouge-score` has it, F1 as `SQuAD`'s script.

use ensayo::retrieval::{Bench, Judgement};
use serde::Deserialize;

use crate::fixture::path;

#[derive(Deserialize)]
struct Row {
    answer: String,
    right: String,
    token_f1: f64,
    rouge_l: f64,
}

#[test]
fn answers_score_against_right_ones_as_the_usual_scripts_have_it() {
    let text = std::fs::read_to_string(path("answers/scores.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    assert!(rows.len() > 10);
    for row in rows {
        let bench = Bench {
            question: "",
            others: &[],
            fragments: &[],
            not_found: None,
            citation: None,
            right: Some(&row.right),
        };
        let found = Judgement::of(&row.answer, &bench);
        for (score, found, expected) in [
            ("F1", found.token_f1, row.token_f1),
            ("ROUGE-L", found.rouge_l, row.rouge_l),
        ] {
            let near = found.is_some_and(|found| (found - expected).abs() < 1e-9);
            assert!(near, "{score} of {:?}: {found:?}, {expected}", row.answer);
        }
    }
}
