//! Searches for models: the table that each found, with its day.

use super::{Cell, Detail, Score, View};
use crate::record::{CsvWriter, ModelRow, Row};
use crate::report::experiment::ExperimentReport;
use crate::report::figures;
use crate::report::seed::SeedReport;

pub(super) struct Found;

impl View for Found {
    fn evaluations(&self) -> &'static [&'static str] {
        &[]
    }

    fn scores<'a>(&self, _: &'a ExperimentReport, _: &'a str) -> Vec<Score<'a>> {
        let sum = |title: &str, metric: &'static str| {
            Score::new(title, move |run| {
                run.mean(|seed| seed.run_metric(metric)).map(figures::count)
            })
        };
        let first = Score::new("first", |run| {
            let row = run.complete().find_map(|seed| seed.models().first())?;
            Some(row.model.clone())
        });
        let day = Score::new("as of", |run| {
            run.complete().find_map(day).map(str::to_owned)
        });
        vec![
            sum("models", "models"),
            first.dispensable(3),
            sum("downloads", "downloads").dispensable(2),
            sum("likes", "likes").dispensable(1),
            day,
        ]
    }

    fn summary_column(&self, _: &ExperimentReport, _: &str, metric: &str) -> Option<String> {
        Some(metric.to_owned())
    }

    fn remarks(&self, experiment: &ExperimentReport) -> Vec<String> {
        if experiment.seeds().all(|(_, seed)| seed.models().is_empty()) {
            return Vec::new();
        }
        vec![
            "Tables are as of their day: --force asks again. Downloads are those of the thirty days before.".to_owned(),
        ]
    }

    fn details(&self, seed: &SeedReport) -> Vec<Detail> {
        const HEAD: [&str; 9] = [
            "",
            "model",
            "downloads",
            "likes",
            "parameters",
            "task",
            "library",
            "licence",
            "modified",
        ];
        let number = |number: Option<u64>| {
            #[expect(clippy::cast_precision_loss, reason = "counts")]
            let words = number.map(|number| figures::count(number as f64));
            Cell::of("number", words.unwrap_or_default())
        };
        let word = |word: &Option<String>| Cell::plain(word.clone().unwrap_or_default());
        let row = |row: &ModelRow| {
            let gated = if row.gated { " (gated)" } else { "" };
            vec![
                Cell::of("number", row.rank.to_string()),
                Cell::plain(format!("{}{gated}", row.model)),
                number(row.downloads),
                number(row.likes),
                number(row.parameters),
                word(&row.task),
                word(&row.library),
                word(&row.licence),
                word(&row.modified.as_deref().map(of_day)),
            ]
        };
        vec![Detail {
            title: "Models found".to_owned(),
            head: HEAD.map(Cell::plain).to_vec(),
            rows: seed.models().iter().map(row).collect(),
            note: day(seed).map(|day| format!("As of {day}.")),
        }]
    }

    fn table_beside(
        &self,
        experiment: &ExperimentReport,
    ) -> csv::Result<Option<(&'static str, Vec<u8>)>> {
        let mut writer = CsvWriter::new(Vec::new());
        let head = ["run", "as_of"].iter().chain(ModelRow::COLUMNS);
        writer.write_record(head)?;
        for (run, seed) in experiment.seeds() {
            let asked = seed.record.as_ref();
            let asked = asked.map_or("", |record| record.started.as_str());
            for row in seed.models() {
                writer.serialize((&run.name, asked, row))?;
            }
        }
        Ok(Some((ModelRow::FILE, writer.into_inner()?)))
    }
}

/// The day on which a search was made.
fn day(seed: &SeedReport) -> Option<&str> {
    let record = seed.record.as_ref()?;
    record.started.split('T').next()
}

/// The day of a time.
fn of_day(time: &str) -> String {
    time.split('T').next().unwrap_or_default().to_owned()
}
