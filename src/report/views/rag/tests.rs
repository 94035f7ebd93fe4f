//! The figures of searches, of made-up ones.

use std::fs;
use std::path::Path;

use super::*;
use crate::record::{self, MetricRow};
use crate::report::read_experiment;
use crate::report::sample::searches;
use crate::report::views;

fn drawn(results: &Path) -> Vec<Plot> {
    let experiment = read_experiment(results, "s").unwrap();
    let plots = views::of(&experiment.kind).plots(&experiment);
    for plot in &plots {
        plot.scene.assert_sound(&plot.stem);
        assert!(plot.caption.ends_with('.'), "{}", plot.caption);
    }
    plots
}

fn caption<'a>(plots: &'a [Plot], stem: &str) -> Option<&'a str> {
    let plot = plots.iter().find(|plot| plot.stem == stem);
    plot.map(|plot| plot.caption.as_str())
}

fn set_metric(results: &Path, run: &str, metric: &str) {
    let file = results.join(format!("s/{run}/seed-42/run.toml"));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("top_k"));
    fs::write(
        &file,
        text.replace("top_k", &format!("metric = \"{metric}\"\ntop_k")),
    )
    .unwrap();
}

fn add(results: &Path, run: &str, evaluation: &str, metric: &str, value: f64) {
    let folder = results.join(format!("s/{run}/seed-42"));
    let mut record = record::read(&folder).unwrap().unwrap();
    record.metrics.push(MetricRow {
        evaluation: evaluation.into(),
        metric: metric.into(),
        value,
    });
    record.write(&folder).unwrap();
}

#[test]
fn measures_of_likeness_that_find_the_same_are_said_to_change_nothing() {
    let results = tempfile::tempdir().unwrap();
    // Every second run has another order.
    searches(
        results.path(),
        &[("one", 60, 3), ("between", 120, 3), ("two", 60, 3)],
    );
    for (run, metric) in [
        ("one", "cosine"),
        ("between", "cosine"),
        ("two", "euclidean"),
    ] {
        set_metric(results.path(), run, metric);
    }
    let plots = drawn(results.path());
    let said = caption(&plots, "metric-agreement").unwrap();
    assert!(
        said.contains("1 pair of runs, up to 3 questions."),
        "{said}"
    );
    assert!(
        said.ends_with("in the same order: the measure changes nothing."),
        "{said}"
    );
}

#[test]
fn measures_of_likeness_that_differ_are_said_to_share_so_much() {
    let results = tempfile::tempdir().unwrap();
    searches(results.path(), &[("one", 60, 3), ("two", 60, 3)]);
    set_metric(results.path(), "one", "cosine");
    set_metric(results.path(), "two", "euclidean");
    let plots = drawn(results.path());
    let said = caption(&plots, "metric-agreement").unwrap();
    // 1, 2, 3 against 2, 1, 0.
    assert!(
        said.contains("On average they share 67 % of what they find"),
        "{said}"
    );
}

#[test]
fn searches_are_drawn_by_the_number_of_chunks_with_what_a_question_weighs() {
    let results = tempfile::tempdir().unwrap();
    searches(
        results.path(),
        &[("a", 60, 2), ("b", 60, 3), ("c", 120, 3), ("d", 120, 2)],
    );
    let plots = drawn(results.path());
    let said = caption(&plots, "retrieval-by-k").unwrap();
    assert!(
        said.contains("for 2 ways of searching. Best by nDCG: size 120, 0.520."),
        "{said}"
    );
    assert!(
        said.contains("The other run lies within what one question changes."),
        "{said}"
    );
    assert_eq!(caption(&plots, "metric-agreement"), None);
    assert_eq!(caption(&plots, "tokens-cut"), None);
    assert_eq!(caption(&plots, "judgements"), None);
}

#[test]
fn what_an_embedder_never_reads_is_told_where_there_is_any() {
    let results = tempfile::tempdir().unwrap();
    searches(results.path(), &[("a", 60, 2), ("b", 300, 2)]);
    for (run, cut) in [("a", 0.0), ("b", 61.5)] {
        add(results.path(), run, "run", "tokens_cut_percent", cut);
        add(results.path(), run, "run", "max_seq_length", 128.0);
    }
    let plots = drawn(results.path());
    let said = caption(&plots, "tokens-cut").unwrap();
    assert!(said.contains("in 1 of 2 cases"), "{said}");
    assert!(
        said.contains("Most: size 300 (reads 128), 61.5 % of all tokens"),
        "{said}"
    );
}

#[test]
fn judgements_are_drawn_where_two_runs_have_them() {
    let results = tempfile::tempdir().unwrap();
    searches(results.path(), &[("a", 60, 2), ("b", 300, 2)]);
    for (run, supported) in [("a", 0.25), ("b", 0.75)] {
        add(results.path(), run, ALL, "supported", supported);
        add(results.path(), run, ALL, "repeated", 0.0);
    }
    let plots = drawn(results.path());
    let said = caption(&plots, "judgements").unwrap();
    assert!(said.contains("answers of 2 runs"), "{said}");
    assert!(
        said.contains("Most supported by the chunks: b, 75 %"),
        "{said}"
    );
    let plot = plots.iter().find(|plot| plot.stem == "judgements").unwrap();
    let words = plot.scene.words();
    // A judgement that no answer has is no column.
    assert!(
        words.contains(" 0.25") && !words.contains("same language"),
        "{words}"
    );
}
