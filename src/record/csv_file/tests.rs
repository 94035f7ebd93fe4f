//! Tests of `csv_file`.

use proptest::prelude::*;

use super::*;
use crate::record::{AttemptRow, EpochRow, MetricRow, ReportRow, TrainingLogRow};

#[test]
fn rows_read_back_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        ReportRow {
            evaluation: "test".into(),
            class: "a, \"b\"".into(),
            precision: Some(1.0 / 3.0),
            recall: Some(0.0),
            f1_score: 1e-12,
            support: 7,
        },
        ReportRow {
            evaluation: "test".into(),
            class: "accuracy".into(),
            precision: None,
            recall: None,
            f1_score: 0.5,
            support: 9,
        },
    ];
    write_rows(folder.path(), &rows).unwrap();
    assert_eq!(read_rows::<ReportRow>(folder.path()).unwrap(), rows);
}

#[test]
fn a_file_without_rows_has_its_header() {
    let folder = tempfile::tempdir().unwrap();
    write_rows::<EpochRow>(folder.path(), &[]).unwrap();
    let text = fs::read_to_string(folder.path().join("epochs.csv")).unwrap();
    assert_eq!(
        text,
        "epoch,train_loss,train_loss_mean,validation_loss,accuracy\n"
    );
    assert_eq!(read_rows::<EpochRow>(folder.path()).unwrap(), []);
    assert_eq!(read_rows::<MetricRow>(folder.path()).unwrap(), []);
}

#[test]
fn a_log_can_be_read_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RowWriter::create(folder.path()).unwrap();
    let row = TrainingLogRow {
        step: 50,
        epoch: 0.5,
        loss: f64::NAN,
        learning_rate: 2e-4,
        gradient_norm: 3.0,
    };
    log.push(&row).unwrap();
    let back = read_rows::<TrainingLogRow>(folder.path()).unwrap();
    assert_eq!(back.len(), 1);
    assert!(back[0].loss.is_nan());
}

#[test]
fn a_broken_row_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("metrics.csv"),
        "evaluation,metric,value\ntest,loss,much\n",
    )
    .unwrap();
    let error = read_rows::<MetricRow>(folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("metrics.csv") && error.contains("line: 2"),
        "{error}"
    );
}

/// Texts of which many begin as formulas do, or with apostrophes, or hold what CSV quotes.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["['=+@\\-\t\r\n＝＋－＠\",01a ]{0,8}", ".*", "['=]{0,5}"]
}

proptest! {
    #[test]
    fn no_cell_is_a_formula_and_every_text_comes_back(texts in prop::collection::vec(texts(), 3)) {
        let folder = tempfile::tempdir().unwrap();
        let row = AttemptRow {
            evaluation: texts[0].clone(),
            chunk: 0,
            attempt: 1,
            prompt_tokens: 2,
            new_tokens: 3,
            stop: texts[1].clone(),
            parsed: true,
            answer: texts[2].clone(),
        };
        write_rows(folder.path(), std::slice::from_ref(&row)).unwrap();
        let read = read_rows::<AttemptRow>(folder.path()).unwrap();
        prop_assert_eq!(&read, &[row]);

        // As a spreadsheet reads it.
        let mut cells = csv::Reader::from_path(folder.path().join("attempts.csv")).unwrap();
        for cell in &cells.records().next().unwrap().unwrap() {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
            prop_assert!(!formula || cell.parse::<f64>().is_ok(), "{cell:?}");
        }
    }
}

#[test]
fn numbers_of_ours_are_written_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let values = [-0.5, -1e-12, f64::NEG_INFINITY, 3.0];
    let rows = values.map(|value| MetricRow {
        evaluation: "=test".into(),
        metric: "-loss".into(),
        value,
    });
    write_rows(folder.path(), &rows).unwrap();
    let text = fs::read_to_string(folder.path().join("metrics.csv")).unwrap();
    assert_eq!(
        text,
        "evaluation,metric,value\n'=test,'-loss,-0.5\n'=test,'-loss,-1e-12\n'=test,'-loss,-inf\n'=test,'-loss,3.0\n"
    );
    assert_eq!(read_rows::<MetricRow>(folder.path()).unwrap(), rows);
}
