//! Answers: their columns, and the table of one run's.

use super::{ALL, average};
use crate::record::AnswerRow;
use crate::report::experiment::ExperimentReport;
use crate::report::figures;
use crate::report::seed::SeedReport;
use crate::report::views::{Cell, Detail, Score};

/// Means over the answers of a run: title, metric, and which of the titles a narrow terminal leaves
/// out first.
pub(super) const COLUMNS: [(&str, &str, u8); 7] = [
    ("F1", "token_f1", 12),
    ("supported", "supported", 11),
    ("abstained", "abstained", 10),
    ("same language", "same_language", 8),
    ("in limit", "within_limit", 7),
    ("cited right", "cited_in_context", 2),
    ("repeated", "repeated", 1),
];

/// The columns that any run of the experiment has.
pub(super) fn scores<'a>(experiment: &ExperimentReport) -> Vec<Score<'a>> {
    let there = |metric: &str| {
        let mut seeds = experiment.seeds();
        seeds.any(|(_, seed)| seed.metric(ALL, &[metric]).is_some())
    };
    COLUMNS
        .into_iter()
        .filter(|(_, metric, _)| there(metric))
        .map(|(title, metric, place)| {
            Score::new(title, move |run| average(run, ALL, metric).map(share)).dispensable(place)
        })
        .collect()
}

fn share(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.2}")
    } else {
        figures::decimal(value)
    }
}

/// The answers of a run with what can be seen of them; none where it gave none.
pub(super) fn detail(seed: &SeedReport) -> Option<Detail> {
    const HEAD: [&str; 9] = [
        "question",
        "words",
        "language",
        "cites",
        "abstains",
        "supported",
        "repeated",
        "F1",
        "ends with",
    ];
    let of = |value: Option<f64>| Cell::of("number", value.map(share).unwrap_or_default());
    let row = |row: &AnswerRow| {
        let words = row
            .words
            .map_or_else(String::new, |words| words.to_string());
        let limit = row
            .word_limit
            .map_or_else(String::new, |limit| format!(" of {limit}"));
        let other = if row.same_language == Some(false) {
            " (not the question's)"
        } else {
            ""
        };
        let outside = match row.cited_in_context {
            Some(share) if share < 1.0 => " (not all given)",
            _ => "",
        };
        vec![
            Cell::plain(row.question.clone()),
            Cell::of("number", format!("{words}{limit}")),
            Cell::plain(format!(
                "{}{other}",
                row.language.as_deref().unwrap_or_default()
            )),
            Cell::plain(format!("{}{outside}", row.cited)),
            Cell::plain(if row.abstained == Some(true) {
                "yes"
            } else {
                ""
            }),
            of(row.supported),
            of(row.repeated),
            of(row.token_f1),
            Cell::plain(row.stop.as_deref().unwrap_or_default().replace('_', " ")),
        ]
    };
    (!seed.answers().is_empty()).then(|| Detail {
        title: "What can be seen of the answers".to_owned(),
        head: HEAD.map(Cell::plain).to_vec(),
        rows: seed.answers().iter().map(row).collect(),
        note: Some(
            "supported: the share of an answer's content words that stand in the fragments it was given; repeated: the share of its runs of four words that were there before.".to_owned(),
        ),
    })
}
