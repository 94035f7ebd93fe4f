//! The bundled studies.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Finding, Study, findings, load};

fn study(name: &str) -> Study {
    let loaded = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments"));
    assert!(loaded.problems.is_empty(), "{}", loaded.problems);
    let mut studies = loaded.studies.into_iter();
    studies.find(|study| study.manifest.name == name).unwrap()
}

#[test]
fn none_of_the_studys_figures_is_missing() {
    let single = [5, 8, 79, 85].into_iter();
    let ranges = [10..=12, 14..=67, 70..=76, 87..=100];
    let wanted: BTreeSet<u32> = single.chain(ranges.into_iter().flatten()).collect();
    assert_eq!(wanted.len(), 82);
    let study = study("transformers-practice");
    let numbers = study.manifest.figures.iter().map(|figure| figure.number);
    assert_eq!(numbers.collect::<BTreeSet<_>>(), wanted);
    assert_eq!(study.manifest.figures.len(), wanted.len());
}

#[test]
fn every_published_row_belongs_to_a_figure() {
    let study = study("transformers-practice");
    let published = &study.published;
    assert_eq!((published.reports.len(), published.epochs.len()), (25, 29));
    let shown = |run: &str, evaluation: &str| {
        let mut figures = study.manifest.figures.iter();
        figures.any(|figure| {
            figure.runs.iter().any(|name| name == run) && figure.evaluation() == evaluation
        })
    };
    for report in &published.reports {
        assert!(shown(&report.run, &report.evaluation), "{report:?}");
    }
}

/// What is found about a run by a rule.
fn of<'a>(found: &'a [Finding], rule: &str, run: &str) -> Vec<&'a str> {
    let of_run = |finding: &&Finding| finding.runs.iter().any(|name| name == run);
    let found = found.iter().filter(|finding| finding.rule == rule);
    found
        .filter(of_run)
        .map(|finding| finding.text.as_str())
        .collect()
}

#[test]
fn everything_in_which_the_study_fools_itself_with_numbers_is_found() {
    let study = study("transformers-practice");
    let found = findings(&study);
    let of = |rule: &str, run: &str| self::of(&found, rule, run);
    let said = |rule: &str, run: &str, words: &[&str]| {
        let texts = of(rule, run);
        let has = |text: &&&str| words.iter().all(|word| text.contains(word));
        assert!(
            texts.iter().any(|text| has(&text)),
            "{rule}, {run}: {texts:?}\n{found:#?}"
        );
    };
    // Reports against their own epochs, and no others.
    let rule = "report against the last epoch";
    said(rule, "DeBERTa 1", &["0.854750", "0.84"]);
    said(rule, "RoBERTa 5", &["0.833750", "0.84"]);
    said(rule, "RoBERTa 1", &["0.839250", "0.52"]);
    assert_eq!(
        found.iter().filter(|finding| finding.rule == rule).count(),
        3
    );
    said(
        "the same run with other numbers",
        "RoBERTa 5",
        &["0.75 and 1.00"],
    );
    // Four reviews, and differences within the noise.
    let rule = "fewer rows than the difference needs";
    said(rule, "RoBERTa 4", &["0.847250", "0.841000", "4000 rows"]);
    said(rule, "DeBERTa 3", &["4 rows"]);
    said(rule, "few-shot", &["60 rows"]);
    said(
        "examples among the evaluated rows",
        "few-shot",
        &["5 of the 60 rows"],
    );
    said(
        "chunks longer than the embedder reads",
        "normal cosine 300",
        &["128", "57 %"],
    );
    said(
        "chunks longer than the embedder reads",
        "normal cosine 500",
        &["74 %"],
    );
    said(
        "a metric that can have no effect",
        "special euclidean",
        &["jina", "special cosine and special euclidean"],
    );
    assert_eq!(
        of("a metric that can have no effect", "mpnet cosine"),
        [""; 0]
    );
    said(
        "compared under other settings",
        "special cosine",
        &["retrieval.top_k (10 against 7)"],
    );
    said(
        "chosen on the rows that it is reported on",
        "DeBERTa 2",
        &["best of 10"],
    );
    said(
        "compared on different rows",
        "DeBERTa 3",
        &["1838 + 1922", "2028 + 1972"],
    );
    // What the study counts fits: shares, steps, speeds, and every report is one of some matrix.
    for rule in [
        "a share that does not follow",
        "steps that do not follow",
        "a speed that does not follow",
        "figures that the supports rule out",
        "accuracy that the rows rule out",
        "a claim against its own numbers",
    ] {
        let found: Vec<_> = found
            .iter()
            .filter(|finding| finding.rule == rule)
            .collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}
