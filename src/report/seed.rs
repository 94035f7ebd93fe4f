//! One run with one seed as it was found on disk.

use std::path::{Path, PathBuf};

use super::estimate::Estimate;
use super::predictions::{self, Confusion};
use super::settings::{self, Settings};
use crate::record::{
    AnswerRow, EpochRow, ModelRow, RecordError, ReportRow, RetrievalRow, Row, RunRecord, Status,
    TrainingLogRow, read_rows,
};

/// What a run left under one seed.
#[derive(Debug, Clone)]
pub(super) struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// How far it got.
    pub state: State,
    /// Its record, if it has a readable one.
    pub record: Option<RunRecord>,
    /// Its settings.
    pub settings: Settings,
    /// The rows of `training_log.csv`.
    pub log: Vec<TrainingLogRow>,
    /// The rows of `epochs.csv`.
    pub epochs: Vec<EpochRow>,
    /// The rows of `classification_report.csv`.
    pub classes: Vec<ReportRow>,
    /// The rows of `retrieval.csv`.
    pub retrieval: Vec<RetrievalRow>,
    /// The rows of `answers.csv`.
    pub answers: Vec<AnswerRow>,
    /// The rows of `models.csv`.
    pub models: Vec<ModelRow>,
    /// From `predictions.csv`.
    pub confusions: Vec<Confusion>,
    /// Why it is not what the experiment asks for now, if it is not.
    pub stale: Option<String>,
    /// What could not be read, and what a reader should mind.
    pub problems: Vec<String>,
}

/// How far a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// All is there.
    Complete,
    /// It stopped with an error.
    Failed,
    /// It was asked to stop.
    Interrupted,
    /// It left files but no record: it still runs or was killed.
    Unfinished,
    /// It left nothing.
    NotRun,
    /// Its record cannot be read.
    Unreadable,
}

impl State {
    /// In words.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Unfinished => "unfinished",
            Self::NotRun => "not run",
            Self::Unreadable => "unreadable",
        }
    }
}

impl SeedReport {
    /// Reads what stands in `folder`. What is broken becomes a problem of this report instead of an
    /// error of the whole.
    pub(super) fn read(
        folder: &Path,
        seed: u64,
        record: Option<Result<RunRecord, RecordError>>,
    ) -> Self {
        let mut problems = Vec::new();
        let (state, record) = match record {
            Some(Ok(record)) => (
                match record.status {
                    Status::Complete => State::Complete,
                    Status::Failed => State::Failed,
                    Status::Interrupted => State::Interrupted,
                },
                Some(record),
            ),
            Some(Err(error)) => {
                problems.push(error.to_string());
                (State::Unreadable, None)
            }
            None if folder.is_dir() => (State::Unfinished, None),
            None => (State::NotRun, None),
        };
        let labels = record
            .as_ref()
            .map(|record| record.labels.clone())
            .unwrap_or_default();
        let settings = or_problem(
            settings::read(folder).map_err(|error| error.to_string()),
            &mut problems,
        );
        let confusions = or_problem(predictions::confusions(folder, &labels), &mut problems);
        Self {
            seed,
            state,
            record,
            settings,
            log: rows(folder, &mut problems),
            epochs: rows(folder, &mut problems),
            classes: rows(folder, &mut problems),
            retrieval: rows(folder, &mut problems),
            answers: rows(folder, &mut problems),
            models: rows(folder, &mut problems),
            confusions,
            stale: None,
            problems,
        }
    }

    /// How far it got, in a word, or that it is stale.
    pub(super) fn status(&self) -> &'static str {
        if self.stale.is_some() {
            "stale"
        } else {
            self.state.text()
        }
    }

    /// A figure of an evaluation under the first of `names` that the record has.
    pub(super) fn metric(&self, evaluation: &str, names: &[&str]) -> Option<f64> {
        let record = self.record.as_ref()?;
        names
            .iter()
            .find_map(|name| record.metric(evaluation, name))
    }

    /// A figure that belongs to no evaluation.
    pub(super) fn run_metric(&self, name: &str) -> Option<f64> {
        self.metric("run", &[name])
    }

    /// The accuracy in an evaluation.
    pub(super) fn accuracy(&self, evaluation: &str) -> Option<f64> {
        self.metric(evaluation, &["accuracy"])
            .or_else(|| self.average(evaluation, 3).map(|row| row.f1_score))
    }

    /// The accuracy in an evaluation with the interval of its rows.
    pub(super) fn estimate(&self, evaluation: &str) -> Option<Estimate> {
        Estimate::of_share(&[(self.accuracy(evaluation)?, self.rows(evaluation))])
    }

    /// The unweighted mean of the classes' F1 scores in an evaluation.
    pub(super) fn macro_f1(&self, evaluation: &str) -> Option<f64> {
        self.metric(evaluation, &["macro_f1"])
            .or_else(|| self.average(evaluation, 2).map(|row| row.f1_score))
    }

    /// Rows of an evaluation.
    pub(super) fn rows(&self, evaluation: &str) -> Option<u64> {
        self.average(evaluation, 3).map(|row| row.support)
    }

    /// The share that always naming the largest class would get right in an evaluation.
    pub(super) fn largest_class(&self, evaluation: &str) -> Option<f64> {
        let rows = self.rows(evaluation)?;
        let classes: Vec<&ReportRow> = self.classes_of(evaluation).collect();
        let largest = classes[..classes.len().checked_sub(3)?]
            .iter()
            .map(|row| row.support)
            .max()?;
        #[expect(clippy::cast_precision_loss, reason = "row counts")]
        (rows > 0).then(|| largest as f64 / rows as f64)
    }

    /// The class that every row of an evaluation was given, where the rows are of several.
    pub(super) fn only_class(&self, evaluation: &str) -> Option<&str> {
        let mut named = self.confusions.iter();
        let confusion = named.find(|confusion| confusion.evaluation == evaluation)?;
        confusion.only_prediction()
    }

    /// The rows of an evaluation's classification report.
    pub(super) fn classes_of<'a>(
        &'a self,
        evaluation: &'a str,
    ) -> impl Iterator<Item = &'a ReportRow> {
        self.classes
            .iter()
            .filter(move |row| row.evaluation == evaluation)
    }

    /// The `from_end`-th row of an evaluation's report: accuracy, macro and weighted average are
    /// its last three. By position, since a class may have such a name itself.
    fn average(&self, evaluation: &str, from_end: usize) -> Option<&ReportRow> {
        let rows: Vec<&ReportRow> = self
            .classes
            .iter()
            .filter(|row| row.evaluation == evaluation)
            .collect();
        rows.len().checked_sub(from_end).map(|index| rows[index])
    }

    /// Names of the evaluations that have figures, in the order of the record.
    pub(super) fn evaluations(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for row in self.record.iter().flat_map(|record| &record.metrics) {
            if row.evaluation != "run" && !names.contains(&row.evaluation.as_str()) {
                names.push(&row.evaluation);
            }
        }
        names
    }

    /// What the epochs were evaluated on.
    pub(super) fn epoch_split(&self) -> &'static str {
        let validated = self.settings.contains_key("data.validation_size")
            || self.evaluations().contains(&"validation");
        if validated { "validation" } else { "test" }
    }
}

fn rows<R: Row + serde::de::DeserializeOwned>(folder: &Path, problems: &mut Vec<String>) -> Vec<R> {
    or_problem(
        read_rows(folder).map_err(|error| error.to_string()),
        problems,
    )
}

fn or_problem<T: Default>(result: Result<T, String>, problems: &mut Vec<String>) -> T {
    result.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}

/// `seed-<n>` folders of a run, with their seeds, in the order of the seeds.
pub(super) fn folders(run: &Path) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(run).into_iter().flatten().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| {
            Some((
                entry
                    .file_name()
                    .to_str()?
                    .strip_prefix("seed-")?
                    .parse()
                    .ok()?,
                entry.path(),
            ))
        })
        .collect();
    found.sort_unstable();
    found
}
