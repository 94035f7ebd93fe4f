//! Tests of how files compare.

use std::collections::BTreeMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::files::{Likeness, compare};
use super::numbers::Drift;

fn compared(name: &str, before: &[u8], now: &[u8]) -> Likeness {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    std::fs::write(&one, before).unwrap();
    std::fs::write(&other, now).unwrap();
    compare(name, &one, &other).unwrap()
}

fn drift(likeness: Likeness) -> Drift {
    match likeness {
        Likeness::Near(drift) => drift,
        other => panic!("{other:?}"),
    }
}

fn words(likeness: Likeness) -> String {
    match likeness {
        Likeness::Other(words) => words,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_differ_by_a_share_of_each_columns_largest_number() {
    let before = b"row,label,share\n0,good,0.5\n1,bad,0.25\n";
    let same = compared("predictions.csv", before, before);
    assert_eq!(same, Likeness::Same);
    let now = b"row,label,share\n0,good,0.5\n1,bad,0.245\n";
    let near = drift(compared("predictions.csv", before, now));
    assert_eq!(near.numbers, 1);
    assert!((near.largest - 0.01).abs() < 1e-12);
    // A small number beside large ones of other figures has its own scale.
    let before = b"evaluation,metric,value\nrun,total,4000000.0\ntest,loss,0.5\n";
    let now = b"evaluation,metric,value\nrun,total,4000000.0\ntest,loss,0.495\n";
    let near = drift(compared("metrics.csv", before, now));
    assert!((near.largest - 0.01).abs() < 1e-12);
}

#[test]
fn texts_counts_rows_and_columns_are_exact() {
    let before = b"row,label\n0,good\n1,bad\n";
    let other = |now: &[u8]| compared("predictions.csv", before, now);
    assert_eq!(
        words(other(b"row,label\n0,good\n1,good\n")),
        "row 2 has label `good`, not `bad`"
    );
    assert_eq!(words(other(b"row,label\n0,good\n")), "it has 1 rows, not 2");
    assert_eq!(
        words(other(b"row,class\n0,good\n1,bad\n")),
        "it has other columns"
    );
    assert!(
        drift(other(b"row,label\n0,good\n2,bad\n"))
            .largest
            .is_infinite()
    );
    let torn = compared("x.csv", b"a,b\n1,2\n", b"a,b\n1\n");
    assert_eq!(words(torn), "it has other bytes");
    assert_eq!(words(compared("x.bin", b"1", b"2")), "it has other bytes");
}

#[test]
fn how_long_an_answer_took_is_no_part_of_it() {
    let before = b"question,answer,seconds\ncd,yes,0.5\n";
    let now = b"question,answer,seconds\ncd,yes,0.75\n";
    assert_eq!(compared("answers.csv", before, now), Likeness::Same);
    assert!(matches!(
        compared("other.csv", before, now),
        Likeness::Near(_)
    ));
    let now = b"question,answer,seconds\ncd,no,0.5\n";
    assert_eq!(
        words(compared("answers.csv", before, now)),
        "row 1 has answer `no`, not `yes`"
    );
}

#[test]
fn texts_from_before_they_were_guarded_are_the_same_texts() {
    let before = b"row,text\n0,=1\n";
    let now = b"row,text\n0,'=1\n";
    assert_eq!(compared("predictions.csv", before, now), Likeness::Same);
}

#[test]
fn where_the_base_model_lies_is_no_part_of_an_adapter() {
    let name = "adapter/adapter_config.json";
    let before = br#"{"r": 4, "base_model_name_or_path": "a", "lora_dropout": 0.1}"#;
    let now = br#"{"r": 4, "base_model_name_or_path": "/b", "lora_dropout": 0.1}"#;
    assert_eq!(compared(name, before, now), Likeness::Same);
    let now = br#"{"r": 8, "base_model_name_or_path": "a", "lora_dropout": 0.1}"#;
    assert!(drift(compared(name, before, now)).largest.is_infinite());
    let now = br#"{"r": 4, "base_model_name_or_path": "a"}"#;
    assert!(words(compared(name, before, now)).starts_with("lora_dropout is in one"));
}

#[test]
fn tensors_differ_by_a_share_of_each_ones_largest_weight() {
    let stored = |values: &[f32], rows: usize| {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let shape = vec![rows, values.len() / rows];
        let view = TensorView::new(Dtype::F32, shape, &bytes).unwrap();
        safetensors::serialize(BTreeMap::from([("w", view)]), None).unwrap()
    };
    let name = "adapter/adapter_model.safetensors";
    let before = stored(&[0.5, -2.0, 0.0, 1e-6], 2);
    let now = stored(&[0.5, -2.0, 0.001, 1e-6], 2);
    let near = drift(compared(name, &before, &now));
    assert_eq!(near.numbers, 1);
    assert!((near.largest - 0.0005).abs() < 1e-6);
    let reshaped = stored(&[0.5, -2.0, 0.0, 1e-6], 1);
    assert_eq!(
        words(compared(name, &before, &reshaped)),
        "it has other tensors or shapes"
    );
    assert_eq!(
        words(compared(name, &before, b"torn")),
        "it has other bytes"
    );
}
