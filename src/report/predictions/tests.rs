//! Tests of `predictions`.

use std::fmt::Write as _;

use super::*;

fn confusions_of(text: &str, labels: &[&str]) -> Result<Vec<Confusion>, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(record::PREDICTIONS_FILE), text).unwrap();
    confusions(
        folder.path(),
        &labels
            .iter()
            .map(|&label| label.to_owned())
            .collect::<Vec<_>>(),
    )
}

#[test]
fn rows_are_true_classes_and_columns_predicted_ones() {
    let text = "evaluation,row,label,prediction,probability_no,probability_yes,text\n\
                test,0,no,yes,0.1,0.9,\"a\nb\"\ntest,1,no,no,0.9,0.1,b\ntest,2,yes,yes,0,1,c\ncustom,0,yes,unsure,0,1,d\n";
    let found = confusions_of(text, &[]).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].classes, ["no", "yes"]);
    assert_eq!(found[0].counts, [[1, 1], [0, 1]]);
    assert_eq!((found[1].rows(), found[1].unplaced), (0, 1));
}

#[test]
fn the_records_labels_decide_the_order() {
    let text = "evaluation,row,label,prediction,text\ntest,0,b,a,x\n";
    assert_eq!(
        confusions_of(text, &["b", "a"]).unwrap()[0].counts,
        [[0, 1], [0, 0]]
    );
}

#[test]
fn a_broken_file_is_named() {
    let error = confusions_of("evaluation,row,label\ntest,0,b\n", &[]).unwrap_err();
    assert!(
        error.contains("predictions.csv") && error.contains("`prediction`"),
        "{error}"
    );
    assert!(confusions_of("evaluation,label,prediction\na,b\n", &[]).is_err());
}

#[test]
fn a_run_without_predictions_has_no_matrix() {
    assert_eq!(
        confusions(tempfile::tempdir().unwrap().path(), &[]).unwrap(),
        []
    );
}

#[test]
fn of_many_classes_the_largest_are_shown() {
    let labels: Vec<String> = (0..1000).map(|class| format!("c{class:03}")).collect();
    let names: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut text = "evaluation,row,label,prediction,text\n".to_owned();
    for (class, label) in labels.iter().enumerate() {
        // The last ones are the largest; the very last is taken for the first three times.
        for row in 0..=class / 100 {
            writeln!(text, "test,{row},{label},{label},x").unwrap();
        }
    }
    text += &"test,0,c999,c000,x\n".repeat(3);
    let found = confusions_of(&text, &names).unwrap().remove(0);
    assert_eq!(
        (found.classes.len(), found.all_classes),
        (MOST_CLASSES, 1000)
    );
    assert_eq!(found.classes[29], "c999");
    assert_eq!(found.counts[29][29], 10);
    assert_eq!(found.totals[29], 13);
    assert_eq!(found.rows() + found.left_out, 5503);
    assert!(crate::report::plots::confusion::draw("many", &found).is_some());
}
