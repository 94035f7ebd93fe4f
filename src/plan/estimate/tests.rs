//! Tests of `estimate`.

use super::*;

fn parts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let base = [
        ("kind", "lora"),
        ("model.path", "sha256:1"),
        ("data.path", "sha256:2"),
        ("training.epochs", "2"),
        ("seed", "42"),
    ];
    base.iter()
        .chain(pairs)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

type Past = (BTreeMap<String, String>, f64);

fn past(pairs: &[(&str, &str)], wall_seconds: f64) -> Past {
    (parts(pairs), wall_seconds)
}

fn seconds(past: Vec<Past>, pairs: &[(&str, &str)]) -> Option<f64> {
    let mut estimator = Estimator::default();
    for (parts, wall_seconds) in past {
        estimator.add(&parts, wall_seconds);
    }
    estimator.seconds(&parts(pairs))
}

#[test]
fn there_is_no_estimate_without_a_run_of_the_same_shape() {
    assert_eq!(seconds(vec![], &[]), None);
    assert_eq!(
        seconds(vec![past(&[("model.path", "sha256:9")], 10.0)], &[]),
        None
    );
    assert_eq!(
        seconds(vec![past(&[("training.max_length", "64")], 10.0)], &[]),
        None
    );
}

#[test]
fn time_scales_with_the_rows_trained_on() {
    assert_eq!(
        seconds(vec![past(&[], 10.0)], &[("training.epochs", "3")]),
        Some(15.0)
    );
    let limited = vec![past(&[("data.limit", "100")], 10.0)];
    assert_eq!(seconds(limited, &[("data.limit", "400")]), Some(40.0));
    // Without a limit, the number of rows is not known here.
    assert_eq!(
        seconds(vec![past(&[("data.limit", "100")], 10.0)], &[]),
        None
    );
    assert_eq!(
        seconds(vec![past(&[("training.epochs", "0")], 1.0)], &[]),
        None
    );
}

#[test]
fn the_most_alike_records_are_averaged() {
    let past = vec![
        past(&[("lora.rank", "8"), ("seed", "43")], 10.0),
        past(&[("lora.rank", "8"), ("seed", "44")], 20.0),
        past(&[("lora.rank", "4"), ("seed", "44")], 90.0),
    ];
    assert_eq!(seconds(past, &[("lora.rank", "8")]), Some(15.0));
}

#[test]
fn devices_are_not_compared_with_each_other() {
    assert!(on_device("cuda:0 NVIDIA H200", "cuda:1"));
    assert!(!on_device("cuda:0", "cpu"));
    assert!(on_device("cuda:0", "auto"));
}
