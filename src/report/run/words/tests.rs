//! Runs of made-up trees in words.

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::metrics::classification_report;
use crate::record::{PREDICTIONS_FILE, RUN_FILE, run_folder};
use crate::report::sample::{Sample, searches};

#[test]
fn reports_read_from_rows_are_the_reports_written() {
    let names = ["accuracy".to_owned(), "good".to_owned()];
    let written = [
        (
            "test",
            classification_report(&[0, 0, 1, 1, 1], &[0, 1, 1, 1, 0], &names),
        ),
        ("custom", classification_report(&[0, 1], &[1, 1], &names)),
    ];
    let mut rows = Vec::new();
    for (evaluation, report) in &written {
        rows.extend(report.lines().into_iter().map(|line| ReportRow {
            evaluation: (*evaluation).to_owned(),
            class: line.class,
            precision: line.precision,
            recall: line.recall,
            f1_score: line.f1_score,
            support: line.support,
        }));
    }
    let read = reports(&rows);
    assert_eq!(read.len(), 2);
    for ((evaluation, report), (wanted, original)) in read.iter().zip(&written) {
        assert_eq!(evaluation, wanted);
        assert_eq!(report.to_text(4), original.to_text(4));
    }
}

/// Whether all lines fit but those that are to be copied.
fn fits(text: &str, columns: usize) -> bool {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("ensayo "));
    lines.into_iter().all(|line| line.width() <= columns)
}

#[test]
fn a_classifier_is_told_with_siblings_intervals_mistakes_and_what_repeats_it() {
    let results = tempfile::tempdir().unwrap();
    for (run, rank) in [("a", 8), ("b", 4), ("c", 4)] {
        Sample {
            rank,
            rows: 40,
            ..Sample::new("x", run)
        }
        .write(results.path());
    }
    let file = run_folder(results.path(), "x", "a", 42).join(PREDICTIONS_FILE);
    let long = "so dull ".repeat(60);
    std::fs::write(
        &file,
        format!(
            "evaluation,row,label,prediction,probability_negative,probability_positive,text\n\
             test,7,negative,positive,0.1,0.9,\"{long}\"\n\
             test,8,positive,negative,0.97,0.03,\"a \u{1b}[31mtrick\"\n"
        ),
    )
    .unwrap();
    let runs = RunsInWords::read(results.path(), "x").unwrap();
    for columns in [80, 120] {
        let text = runs.of("a", 42, columns).unwrap();
        for said in [
            "* lora.rank",
            "8 (others: 4 (2))",
            "test accuracy",
            "Classification report: test",
            "Wrong on test: 2 of 2 rows",
            "positive taken for negative, 0.9700, row 8",
            "a \u{FFFD}[31mtrick",
            "ensayo rerun x/a@42\n",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(text.find("row 8").unwrap() < text.find("row 7").unwrap());
        assert!(
            text.lines()
                .any(|line| line.contains("test accuracy") && line.contains('['))
        );
        assert!(fits(&text, columns), "{text}");
    }
    assert_eq!(runs.of("a", 43, 80), None);
}

#[test]
fn a_search_is_told_with_its_questions_fragments_and_answers() {
    let results = tempfile::tempdir().unwrap();
    searches(results.path(), &[("a", 60, 2), ("b", 120, 2)]);
    let folder = run_folder(results.path(), "s", "a", 42);
    let settings = folder.join(RUN_FILE);
    let text = std::fs::read_to_string(&settings).unwrap();
    let question =
        "[[questions]]\nid = \"cd\"\ntext = \"¿Para qué sirve `cd`, y qué hace sin más?\"\n";
    std::fs::write(&settings, text + question).unwrap();
    let runs = RunsInWords::read(results.path(), "s").unwrap();
    let text = runs.of("a", 42, 80).unwrap();
    for said in [
        "cd: ¿Para qué sirve `cd`, y qué hace sin más?",
        "→ Cambia de <carpeta>. [Contexto 1]",
        "1. chunk 1, score 1.0000\n",
        "2. chunk 2, score 0.5000, relevant\n",
        "umask\n",
        "* chunks.size",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(fits(&text, 80), "{text}");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_shown() {
    let results = tempfile::tempdir().unwrap();
    Sample::new("x", "a").write(results.path());
    let folder = run_folder(results.path(), "x", "a", 42);
    std::fs::write(folder.join(PREDICTIONS_FILE), "row\n1\n").unwrap();
    let text = RunsInWords::read(results.path(), "x")
        .unwrap()
        .of("a", 42, 80)
        .unwrap();
    assert!(text.contains("there is no column `evaluation`"), "{text}");
    assert!(text.contains("Provenance"));
}
