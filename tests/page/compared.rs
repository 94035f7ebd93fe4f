//! Runs that a reader selects: what the page says of them is what `ensayo compare` says.

use std::path::Path;

use super::browser::Browser;
use super::record::run_folder;
use super::report::compare::{Compared, Contender, all_pairs, two};
use super::sample::Sample;
use super::{page, sample};
use serde_json::Value;

/// Selects these runs, compares them, and returns the figures of the tests.
fn compare(browser: &mut Browser, runs: &[&str]) -> Vec<Value> {
    for run in runs {
        browser.value(&format!(
            "[...document.querySelectorAll('table.runs tbody tr')].find((row) => row.querySelector('th a').textContent === '{run}').querySelector('input').click()"
        ));
    }
    browser.click("button.go");
    browser.value("new Promise((ready) => { const look = () => document.querySelector('.compare h4') ? ready() : setTimeout(look, 10); look(); })");
    let figures = browser.value("[...document.querySelectorAll('.compare tr[data-test]')].map((row) => JSON.parse(row.dataset.test))");
    figures.as_array().unwrap().clone()
}

fn contender(results: &Path, run: &str, seeds: &[u64]) -> Contender {
    let folders: Vec<_> = seeds
        .iter()
        .map(|&seed| (seed, run_folder(results, "x", run, seed)))
        .collect();
    Contender::read(&format!("x/{run}"), &folders).unwrap()
}

/// The figures of a pair of the page against those that the terminal's comparison has in full.
fn assert_same(page: &Value, terminal: &Compared, row: usize) {
    let cell = |column: &str| {
        let place = terminal.rows[0]
            .iter()
            .position(|title| title == column)
            .unwrap();
        terminal.rows[row][place].parse::<f64>().ok()
    };
    for (name, column) in [
        ("rows", "rows"),
        ("better", "first_better"),
        ("worse", "second_better"),
        ("difference", "difference"),
        ("rowsP", "p_rows"),
        ("seedsP", "p_seeds"),
        ("p", "p"),
        ("holm", "p_holm"),
    ] {
        let (ours, theirs) = (page[name].as_f64(), cell(column));
        if column == "p_holm" && theirs.is_none() {
            continue;
        }
        let near = match (ours, theirs) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1e-3),
            (ours, theirs) => ours == theirs,
        };
        assert!(near, "{name}: {ours:?} for {theirs:?}");
    }
}

#[test]
fn two_classifiers_are_compared_as_the_terminal_compares_them() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    for (run, accuracy, rank) in [("good", 0.9, 4), ("bad", 0.7, 8), ("also", 0.88, 8)] {
        Sample {
            rank,
            ..sample(run, accuracy, 42)
        }
        .write(results.path());
    }
    browser.visit(&page(results.path()));
    let [good, bad] = ["good", "bad"].map(|run| contender(results.path(), run, &[42]));
    let terminal = two(&good, &bad, None).unwrap();
    let figures = compare(&mut browser, &["good", "bad"]);
    assert_eq!(figures.len(), 1);
    assert_same(&figures[0], &terminal, 1);
    let said = browser.texts(".compare .verdicts li");
    assert!(
        said[0].starts_with("x/good is better than x/bad, by "),
        "{said:?}"
    );
    // Both runs are in the picture, and what sets them apart below it.
    assert_eq!(browser.texts(".compare .legend li"), ["x/good", "x/bad"]);
    assert_eq!(
        browser.number("document.querySelectorAll('.compare polyline').length"),
        2.0
    );
    assert_eq!(browser.texts(".compare td.setting"), ["4", "8"]);
    assert_eq!(browser.errors, [""; 0]);
}

#[test]
fn several_runs_are_corrected_as_the_terminal_corrects_them() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    for (run, accuracy) in [("a", 0.93), ("b", 0.86), ("c", 0.8)] {
        sample(run, accuracy, 42).write(results.path());
    }
    browser.visit(&page(results.path()));
    let figures = compare(&mut browser, &["c", "a", "b"]);
    let all: Vec<Contender> = ["a", "b", "c"]
        .iter()
        .map(|run| contender(results.path(), run, &[42]))
        .collect();
    let terminal = all_pairs(&all, None).unwrap();
    assert_eq!(figures.len(), 3);
    for (row, figures) in figures.iter().enumerate() {
        assert_same(figures, &terminal, row + 1);
    }
    assert_eq!(browser.errors, [""; 0]);
}

#[test]
fn several_seeds_are_compared_over_rows_and_over_seeds() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    for seed in [1, 2, 3] {
        sample("steady", 0.9, seed).write(results.path());
        let unsteady = [0.95, 0.6, 0.75][usize::try_from(seed).unwrap() - 1];
        sample("unsteady", unsteady, seed).write(results.path());
        if seed < 3 {
            sample("twice", 0.8, seed).write(results.path());
        }
    }
    let page = page(results.path());
    for (other, seeds) in [("unsteady", &[1, 2, 3][..]), ("twice", &[1, 2])] {
        browser.visit(&page);
        let steady = contender(results.path(), "steady", &[1, 2, 3]);
        let terminal = two(&steady, &contender(results.path(), other, seeds), None).unwrap();
        let figures = compare(&mut browser, &["steady", other]);
        assert!(figures[0]["seedsP"].is_f64(), "{figures:?}");
        assert_same(&figures[0], &terminal, 1);
    }
    assert_eq!(browser.errors, [""; 0]);
}

#[test]
fn runs_on_other_rows_are_not_compared_and_the_reason_is_said() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    sample("a", 0.9, 42).write(results.path());
    Sample {
        rows: 150,
        ..sample("b", 0.8, 42)
    }
    .write(results.path());
    browser.visit(&page(results.path()));
    assert_eq!(compare(&mut browser, &["a", "b"]), [Value::Null; 0]);
    let said = browser.texts(".compare .verdicts li");
    assert!(
        said[0].contains("not evaluated on the same rows of test")
            && said[0].contains("200 rows against 150")
            || said[0].contains("150 rows against 200"),
        "{said:?}"
    );
    assert_eq!(browser.errors, [""; 0]);
}
