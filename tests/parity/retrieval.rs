//! Lexical scores, similarities, rankings and the study's cleaning against bm25s, scikit-learn, scipy, numpy and Python's `re`: 1e-12, and 1e-9 for
//! similarities.

use engine::retrieval::{Metric, Search, Vectors};
use ensayo::data::document::{is_white_space, study};
use ensayo::metrics::{rank_agreement, rank_scores};
use ensayo::retrieval::{Bm25, TfIdf, terms};
use serde_json::Value;

fn expected() -> Value {
    let path = crate::fixture::path("retrieval/expected.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap()
}

fn near(one: f64, other: f64, tolerance: f64, what: &str) {
    assert!(
        (one - other).abs() <= tolerance,
        "{what}: {one} against {other}"
    );
}

#[test]
fn terms_are_those_of_python() {
    let expected = expected();
    let texts: Vec<String> = [&expected["texts"], &expected["questions"]]
        .into_iter()
        .flat_map(list)
        .collect();
    let ours: Vec<Vec<String>> = texts.iter().map(|text| terms(text)).collect();
    assert_eq!(ours, list::<Vec<String>>(&expected["terms"]));
}

#[test]
fn lexical_scores_are_those_of_bm25s_and_scikit_learn() {
    let expected = expected();
    let texts: Vec<String> = list(&expected["texts"]);
    let (bm25, tfidf) = (Bm25::new(&texts), TfIdf::new(&texts));
    for (row, question) in list::<String>(&expected["questions"]).iter().enumerate() {
        for (name, scores) in [
            ("bm25", bm25.scores(question)),
            ("tfidf", tfidf.scores(question)),
        ] {
            let wanted: Vec<f64> = list(&expected[name][row]);
            assert_eq!(scores.len(), wanted.len());
            for (score, wanted) in scores.into_iter().zip(wanted) {
                near(score, wanted, 1e-12, &format!("{name}: {question}"));
            }
        }
    }
}

#[test]
fn the_nearest_chunks_are_those_of_numpy() {
    let expected = &expected()["similarity"];
    let width = usize::try_from(expected["width"].as_u64().unwrap()).unwrap();
    let questions = Vectors {
        width,
        values: list(&expected["questions"]),
    };
    let metrics = [
        ("cosine", Metric::Cosine),
        ("euclidean", Metric::Euclidean),
        ("dot", Metric::Dot),
    ];
    let mut search = Search::new(&questions, &metrics.map(|metric| metric.1), 10);
    search.add(&list(&expected["chunks"]));
    for (found, (name, _)) in search.finish().into_iter().zip(metrics) {
        let wanted: Vec<Vec<(usize, f64)>> = list(&expected["best"][name]);
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted) {
            assert_eq!(found.len(), wanted.len());
            for (hit, (chunk, score)) in found.iter().zip(wanted) {
                assert_eq!(hit.chunk, chunk, "{name}");
                near(hit.score, score, 1e-9, name);
            }
        }
    }
}

#[test]
fn rankings_are_scored_as_scikit_learn_and_scipy_do() {
    let expected = expected();
    for case in expected["ranks"].as_array().unwrap() {
        let relevant: Vec<bool> = list(&case["relevant"]);
        let k = usize::try_from(case["k"].as_u64().unwrap()).unwrap();
        let total = relevant.iter().filter(|relevant| **relevant).count();
        let scores = rank_scores(&relevant, total, k).unwrap();
        near(scores.ndcg, case["ndcg"].as_f64().unwrap(), 1e-12, "nDCG");
    }
    for case in expected["orders"].as_array().unwrap() {
        let tau =
            rank_agreement(&list::<usize>(&case["one"]), &list::<usize>(&case["other"])).unwrap();
        near(tau, case["tau"].as_f64().unwrap(), 1e-12, "tau");
    }
}

#[test]
fn the_studys_cleaning_is_that_of_pythons_expressions() {
    for (text, cleaned, words) in list::<(String, String, Vec<String>)>(&expected()["cleaning"]) {
        assert_eq!(study(&text), cleaned);
        let ours: Vec<&str> = cleaned
            .split(is_white_space)
            .filter(|word| !word.is_empty())
            .collect();
        assert_eq!(ours, words);
    }
}
