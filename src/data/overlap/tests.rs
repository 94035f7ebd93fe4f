//! Tests of `overlap`.

use super::*;

fn examples(texts: &[&str]) -> Vec<Example> {
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(row, text)| Example {
            row,
            text: (*text).to_owned(),
            label: 0,
        })
        .collect()
}

fn rows(examples: &[Example]) -> Vec<usize> {
    examples.iter().map(|example| example.row).collect()
}

#[test]
fn shared_texts_are_counted_by_row_and_only_equal_letters_are_shared() {
    let mut train = examples(&["a", "b", "a", "c", "A", "a "]);
    let duplicates = Duplicates::settle(
        &mut train,
        &examples(&["b", "d", "a"]),
        &examples(&["a", "d", "d"]),
        false,
    );
    let expected = Duplicates {
        train_in_test: 2,
        train_in_validation: 3,
        validation_in_test: 2,
        dropped: 0,
    };
    assert_eq!(duplicates, expected);
    assert_eq!(train.len(), 6);
    assert_eq!(
        duplicates.notes(false),
        [
            "training rows whose text is also in the test split: 2 (kept; `data.deduplicate = true` drops them)",
            "training rows whose text is also in the validation split: 3 (kept; `data.deduplicate = true` drops them)",
            "validation rows whose text is also in the test split: 2 (kept)",
        ]
    );
}

#[test]
fn deduplication_drops_exactly_the_shared_training_rows() {
    let mut train = examples(&["a", "b", "a", "c", "c"]);
    let duplicates = Duplicates::settle(&mut train, &examples(&["b"]), &examples(&["a"]), true);
    assert_eq!(rows(&train), [3, 4]);
    assert_eq!(duplicates.dropped, 3);
    assert_eq!(
        duplicates.notes(true),
        [
            "training rows whose text is also in the test split: 2 (dropped)",
            "training rows whose text is also in the validation split: 1 (dropped)",
        ]
    );
}

#[test]
fn splits_that_share_nothing_need_no_note() {
    let duplicates = Duplicates::settle(&mut examples(&["a"]), &[], &examples(&["b"]), true);
    assert_eq!(duplicates, Duplicates::default());
    assert_eq!(duplicates.notes(true), [""; 0]);
}
