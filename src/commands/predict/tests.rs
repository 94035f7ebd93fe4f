//! Tests of `predict`.

use super::*;
use crate::tasks::{Prediction, Predictions};

#[test]
fn predictions_are_csv_with_a_probability_per_class() {
    let predictions = Predictions {
        classes: vec!["bad".into(), "good".into()],
        rows: vec![Prediction {
            class: 1,
            logits: vec![-1.5, 0.25],
            probabilities: vec![0.25, 0.75],
        }],
    };
    let text = |logits| {
        let mut output = Vec::new();
        write(&["so, \"good\"".into()], &predictions, logits, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    };
    assert_eq!(
        text(false),
        "text,prediction,probability_bad,probability_good\n\"so, \"\"good\"\"\",good,0.250000,0.750000\n"
    );
    assert_eq!(
        text(true),
        "text,prediction,probability_bad,probability_good,logit_bad,logit_good\n\"so, \"\"good\"\"\",good,0.250000,0.750000,-1.5000000,0.2500000\n"
    );
}
