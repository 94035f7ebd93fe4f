//! Splits of small files.

use std::fmt::Write as _;
use std::fs;

use tempfile::TempDir;

use super::*;
use crate::config::{Evaluation, Label, Row};

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn settings(folder: &TempDir) -> Data {
    Data {
        steam: None,
        path: folder.path().join("main.csv"),
        text: "text".to_owned(),
        label: "label".to_owned(),
        test_size: Some(0.2),
        test_path: None,
        validation_size: None,
        split: SplitKind::Random,
        split_seed: 42,
        limit: None,
        deduplicate: false,
        evaluations: Vec::new(),
    }
}

/// `count` rows with texts of their own, labels in turn.
fn numbered(count: usize) -> String {
    let mut content = "text,label\n".to_owned();
    for row in 0..count {
        writeln!(content, "review {row},{}", row % 2).unwrap();
    }
    content
}

fn rows(examples: &[Example]) -> Vec<usize> {
    examples.iter().map(|example| example.row).collect()
}

fn evaluation(rows: &[(&str, Label)]) -> Evaluation {
    let rows = rows.iter().map(|(text, label)| Row {
        text: (*text).to_owned(),
        label: label.clone(),
    });
    Evaluation {
        name: "custom".to_owned(),
        path: None,
        rows: Some(rows.collect()),
    }
}

fn message(data: &Data, folder: &TempDir) -> String {
    let error = prepare(data).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn rows_follow_the_permutation() {
    let folder = folder_with(&[("main.csv", &numbered(60))]);
    let splits = prepare(&settings(&folder)).unwrap();
    assert_eq!(
        rows(&splits.test)[..10],
        [28, 55, 18, 24, 7, 17, 27, 50, 59, 39]
    );
    assert_eq!((splits.train.len(), splits.test.len()), (48, 12));
    assert_eq!(rows(&splits.train)[45..], [1, 13, 8]);
    let example = &splits.test[1];
    assert_eq!((example.text.as_str(), example.label), ("review 55", 1));
    assert_eq!(splits.labels.names(), ["0", "1"]);
    assert!(splits.notes.is_empty(), "{:?}", splits.notes);
}

#[test]
fn validation_split_leaves_the_test_split_as_it_is() {
    let folder = folder_with(&[("main.csv", &numbered(60))]);
    let mut data = settings(&folder);
    let without = prepare(&data).unwrap();
    data.validation_size = Some(0.25);
    let with = prepare(&data).unwrap();
    assert_eq!(with.test, without.test);
    let validation = with.validation.unwrap();
    assert_eq!((with.train.len(), validation.len()), (36, 12));
    let mut both = [with.train, validation].concat();
    let mut all = without.train;
    both.sort_by_key(|example| example.row);
    all.sort_by_key(|example| example.row);
    assert_eq!(both, all);
}

#[test]
fn test_file_is_used_whole_and_the_main_file_in_order() {
    let folder = folder_with(&[
        ("main.csv", &numbered(10)),
        (
            "test.jsonl",
            "{\"text\":\"x\",\"label\":\"1\"}\n{\"text\":\"review 3\",\"label\":\"0\"}\n",
        ),
    ]);
    let mut data = settings(&folder);
    data.test_size = None;
    data.test_path = Some(folder.path().join("test.jsonl"));
    data.limit = Some(8);
    let splits = prepare(&data).unwrap();
    assert_eq!(rows(&splits.train), (0..8).collect::<Vec<_>>());
    assert_eq!(splits.test.len(), 2);
    assert_eq!(splits.test[0].label, 1);
    assert_eq!(splits.duplicates.train_in_test, 1);
}

#[test]
fn deduplication_leaves_test_and_validation_rows_alone() {
    let copies = numbered(30).replace("text,label\n", "");
    let folder = folder_with(&[("main.csv", &format!("{}{copies}", numbered(60)))]);
    let mut data = settings(&folder);
    data.validation_size = Some(0.2);
    let kept = prepare(&data).unwrap();
    data.deduplicate = true;
    let dropped = prepare(&data).unwrap();
    assert_eq!(
        (&dropped.test, &dropped.validation),
        (&kept.test, &kept.validation)
    );
    assert!(dropped.duplicates.dropped > 0);
    assert_eq!(
        dropped.train.len() + dropped.duplicates.dropped,
        kept.train.len()
    );
    assert_eq!(
        (kept.notes.len(), kept.duplicates.dropped),
        (dropped.notes.len(), 0)
    );
}

#[test]
fn deduplication_that_leaves_nothing_is_refused() {
    let folder = folder_with(&[(
        "main.csv",
        &format!("text,label\n{}", "a,0\nb,1\n".repeat(20)),
    )]);
    let mut data = settings(&folder);
    data.deduplicate = true;
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: the training split has no rows: every training text is also in another split: set `data.deduplicate = false` or use other rows");
}

#[test]
fn evaluations_come_from_files_or_the_settings() {
    let folder = folder_with(&[
        ("main.csv", &numbered(10)),
        ("more.csv", "label,text\n1,one\n0,two\n"),
    ]);
    let mut data = settings(&folder);
    data.evaluations = vec![
        evaluation(&[
            ("good", Label::Integer(1)),
            ("bad", Label::Text("0".to_owned())),
        ]),
        Evaluation {
            name: "more".to_owned(),
            path: Some(folder.path().join("more.csv")),
            rows: None,
        },
    ];
    let splits = prepare(&data).unwrap();
    let found: Vec<_> = splits
        .evaluations
        .iter()
        .flat_map(|set| &set.examples)
        .map(|example| (example.row, example.text.as_str(), example.label))
        .collect();
    assert_eq!(
        found,
        [(0, "good", 1), (1, "bad", 0), (0, "one", 1), (1, "two", 0)]
    );
}

#[test]
fn evaluation_rows_that_are_trained_on_are_noted() {
    let folder = folder_with(&[("main.csv", &numbered(60))]);
    let mut data = settings(&folder);
    // Of the two, the permutation trains on row 1 and tests on row 28.
    data.evaluations = vec![evaluation(&[
        ("review 1", Label::Integer(1)),
        ("review 28", Label::Integer(0)),
    ])];
    assert_eq!(
        prepare(&data).unwrap().notes,
        ["rows of the evaluation `custom` whose text is also trained on: 1"]
    );
}

#[test]
fn labels_that_the_main_file_lacks_are_refused_with_their_row() {
    let folder = folder_with(&[
        ("main.csv", &numbered(10)),
        ("test.csv", "text,label\na,1\nb,2\nc,3\n"),
    ]);
    let mut data = settings(&folder);
    data.evaluations = vec![evaluation(&[
        ("a", Label::Text("good".to_owned())),
        (" ", Label::Integer(1)),
    ])];
    insta::assert_snapshot!(message(&data, &folder), @r"
    evaluation `custom`: 2 rows cannot be used
      row 0: label `good` is unknown: the classes of the main file are `0`, `1`
      row 1: the text `text` is empty: fill it in or remove the row
    ");
    data.test_size = None;
    data.test_path = Some(folder.path().join("test.csv"));
    insta::assert_snapshot!(message(&data, &folder), @r"
    test.csv: 2 rows cannot be used
      line 3 (row 1): label `2` is unknown: the classes of the main file are `0`, `1`
      line 4 (row 2): label `3` is unknown: the classes of the main file are `0`, `1`
    ");
}

#[test]
fn splits_without_rows_are_refused_with_the_fix() {
    let folder = folder_with(&[
        ("main.csv", &numbered(2)),
        ("one.csv", "text,label\na,1\nb,1\n"),
    ]);
    let mut data = settings(&folder);
    data.limit = Some(0);
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: the training split has no rows: `data.limit` is 0: raise it");
    data.limit = Some(1);
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: every label is `0` (rows: 1), but a classifier needs two classes or more: check `data.label` and `data.limit`");
    data.limit = None;
    data.path = folder.path().join("one.csv");
    insta::assert_snapshot!(message(&data, &folder), @"one.csv: every label is `1` (rows: 2), but a classifier needs two classes or more: check `data.label`");
    data.path = folder.path().join("main.csv");
    data.test_size = Some(0.6);
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: the training split has no rows: `data.test_size = 0.6` sets aside the whole of 2: lower it or use more rows");
    data.test_size = Some(0.0);
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: the test split has no rows: `data.test_size = 0`: raise it above 0");
    data.test_size = Some(0.2);
    data.validation_size = Some(0.2);
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: the training split has no rows: `data.validation_size = 0.2` sets aside the whole of 1: lower it or use more rows");
    data.validation_size = None;
    data.evaluations = vec![evaluation(&[])];
    insta::assert_snapshot!(message(&data, &folder), @"evaluation `custom` has no rows: add some or remove it");
}

#[test]
fn test_rows_need_exactly_one_source() {
    let folder = folder_with(&[("main.csv", &numbered(10))]);
    let mut data = settings(&folder);
    data.test_path = Some(folder.path().join("main.csv"));
    assert!(matches!(prepare(&data), Err(DataError::TestSource)));
    data.test_path = None;
    data.test_size = None;
    assert!(matches!(prepare(&data), Err(DataError::TestSource)));
}

#[test]
fn classes_that_a_split_lacks_are_noted() {
    let folder = folder_with(&[("main.csv", "text,label\na,yes\nb,no\nc,no\nd,no\ne,no\n")]);
    let mut data = settings(&folder);
    let lacking = if rows(&prepare(&data).unwrap().test) == [0] {
        "training"
    } else {
        "test"
    };
    let notes = prepare(&data).unwrap().notes;
    assert_eq!(
        notes,
        [format!("the {lacking} split has no row of the class `yes`")]
    );
    data.limit = Some(2);
    assert_eq!(prepare(&data).unwrap().notes.len(), 2);
}

/// `count` rows with texts of their own; `label` says what each is labelled.
fn labelled(count: usize, label: impl Fn(usize) -> String) -> String {
    let rows = (0..count).map(|row| format!("review {row},{}\n", label(row)));
    rows.fold("text,label\n".to_owned(), |content, row| content + &row)
}

#[test]
fn classes_that_a_split_lacks_are_noted_together() {
    let label = |row: usize| (row / 2).to_string();
    let folder = folder_with(&[("main.csv", &labelled(2000, label))]);
    let splits = prepare(&settings(&folder)).unwrap();
    assert_eq!(splits.labels.names().len(), 1000);
    let said = splits.notes.join("\n");
    assert!(
        splits.notes.len() == 2
            && said.len() < 500
            && said.contains("of the 1000 classes: `")
            && said.contains(" more"),
        "{said}"
    );
}

#[test]
fn a_stratified_split_gives_each_class_its_share() {
    let label = |row: usize| {
        if row.is_multiple_of(10) {
            "rare"
        } else {
            "common"
        }
        .to_owned()
    };
    let folder = folder_with(&[("main.csv", &labelled(200, label))]);
    let mut data = settings(&folder);
    data.split = SplitKind::Stratified;
    data.validation_size = Some(0.25);
    let splits = prepare(&data).unwrap();
    let rare = |examples: &[Example]| examples.iter().filter(|example| example.label == 1).count();
    let validation = splits.validation.unwrap();
    assert_eq!(
        [&splits.test, &splits.train, &validation].map(|part| (part.len(), rare(part))),
        [(40, 4), (120, 12), (40, 4)]
    );
}

#[test]
fn what_cannot_be_stratified_is_refused_with_the_fix() {
    let folder = folder_with(&[
        ("main.csv", &labelled(40, |row| (row / 39).to_string())),
        ("many.csv", &labelled(40, |row| (row / 4).to_string())),
    ]);
    let mut data = settings(&folder);
    data.split = SplitKind::Stratified;
    insta::assert_snapshot!(message(&data, &folder), @r#"main.csv: `data.split = "stratified"`: the class `1` has one row to split, which cannot stand in both parts: add some, or remove it"#);
    data.path = folder.path().join("many.csv");
    insta::assert_snapshot!(message(&data, &folder), @r#"many.csv: `data.split = "stratified"`: the test split has 8 rows for 10 classes: raise `data.test_size = 0.2`, or use more rows"#);
}

#[test]
fn labels_that_are_nearly_all_distinct_are_refused() {
    let swapped = labelled(30, |row| (row % 2).to_string()).replace("text,label", "label,text");
    let folder = folder_with(&[
        ("main.csv", &swapped),
        ("ids.csv", &labelled(30, |row| format!("id-{row}"))),
        ("few.csv", &labelled(9, |row| row.to_string())),
        ("many.csv", &labelled(1000, |row| (row % 500).to_string())),
    ]);
    let mut data = settings(&folder);
    insta::assert_snapshot!(message(&data, &folder), @"main.csv: nearly every label is a class of its own (30 labels in 30 rows): `data.text` and `data.label` seem to be swapped: `text` has the fewer different values");
    data.path = folder.path().join("ids.csv");
    data.limit = Some(20);
    insta::assert_snapshot!(message(&data, &folder), @"ids.csv: nearly every label is a class of its own (20 labels in 20 rows): set `data.label` to the column of the classes, which `label` seems not to be, or raise `data.limit`");
    data.limit = None;
    for name in ["few.csv", "many.csv"] {
        data.path = folder.path().join(name);
        prepare(&data).unwrap();
    }
}

#[test]
fn labels_that_look_alike_are_noted() {
    let label = |row: usize| ["1", "1.0", "nan"][row % 3].to_owned();
    let folder = folder_with(&[
        ("main.csv", &labelled(60, label)),
        ("test.csv", "text,label\na,True\nb,1\n"),
        ("words.csv", "text,label\na,true\nb,false\n"),
    ]);
    let mut data = settings(&folder);
    let notes = prepare(&data).unwrap().notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    data.path = folder.path().join("words.csv");
    data.test_size = None;
    data.test_path = Some(folder.path().join("test.csv"));
    let said = message(&data, &folder);
    assert!(
        said.contains("label `True` is unknown (did you mean `true`?)"),
        "{said}"
    );
}
