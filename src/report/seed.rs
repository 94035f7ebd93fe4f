//! One run with one seed as it was found on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::estimate::{Estimate, Figure, Noises, macro_f1_scale};
use super::left::Left;
use super::predictions::Confusion;
use super::settings::{self, Settings};
use crate::metrics::{Rows, Trainings};
use crate::record::{
    AnswerRow, EpochRow, ModelRow, RecordError, ReportRow, RetrievalRow, RunRecord, Status,
    TrainingLogRow,
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
    /// Why it is not what the experiment asks for now, if it is not.
    pub stale: Option<String>,
    /// What a reader should mind, whatever its files say.
    pub remarks: Vec<String>,
    /// How the figures of its experiment vary between seeds.
    pub noise: Arc<Noises>,
    left: Left,
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
        let mut remarks = Vec::new();
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
                remarks.push(error.to_string());
                (State::Unreadable, None)
            }
            None if folder.is_dir() => (State::Unfinished, None),
            None => (State::NotRun, None),
        };
        let labels = record
            .as_ref()
            .map(|record| record.labels.clone())
            .unwrap_or_default();
        let settings = settings::read(folder).unwrap_or_else(|error| {
            remarks.push(error.to_string());
            Settings::new()
        });
        Self {
            seed,
            state,
            record,
            settings,
            stale: None,
            remarks,
            noise: Arc::default(),
            left: Left::new(folder, labels),
        }
    }

    /// Where its files lie; nothing need be there.
    pub(super) fn folder(&self) -> &Path {
        self.left.folder()
    }

    /// The rows of `training_log.csv`.
    pub(super) fn log(&self) -> &[TrainingLogRow] {
        self.left.log()
    }

    /// The rows of `epochs.csv`.
    pub(super) fn epochs(&self) -> &[EpochRow] {
        self.left.epochs()
    }

    /// The rows of `classification_report.csv`.
    pub(super) fn classes(&self) -> &[ReportRow] {
        self.left.classes()
    }

    /// The rows of `retrieval.csv`.
    pub(super) fn retrieval(&self) -> &[RetrievalRow] {
        self.left.retrieval()
    }

    /// The rows of `answers.csv`.
    pub(super) fn answers(&self) -> &[AnswerRow] {
        self.left.answers()
    }

    /// The rows of `models.csv`.
    pub(super) fn models(&self) -> &[ModelRow] {
        self.left.models()
    }

    /// From `predictions.csv`, the largest of its files.
    pub(super) fn confusions(&self) -> &[Confusion] {
        self.left.confusions()
    }

    /// Reads all of its files, so that [`problems`](Self::problems) knows what is wrong with any.
    pub(super) fn read_all(&self) {
        self.left.read_all();
    }

    /// What a reader should mind, and what was wrong with the files that were read so far.
    pub(super) fn problems(&self) -> Vec<String> {
        let own = self.remarks.iter().cloned();
        own.chain(self.left.problems()).collect()
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

    /// The accuracy in an evaluation with the interval that one training has.
    pub(super) fn estimate(&self, evaluation: &str) -> Option<Estimate> {
        self.accuracy(evaluation)?;
        estimate_of(std::iter::once(self), evaluation, Figure::Accuracy)
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

    /// The class that every row of an evaluation was given, where the rows are of several. Known
    /// from the report alone: a class that was said of every row has its share of them as precision,
    /// and all of its own rows.
    pub(super) fn only_class<'a>(&'a self, evaluation: &'a str) -> Option<&'a str> {
        let rows = self.rows(evaluation)?;
        let report: Vec<&ReportRow> = self.classes_of(evaluation).collect();
        let classes = &report[..report.len().checked_sub(3)?];
        let several = classes.iter().filter(|class| class.support > 0).count() > 1;
        #[expect(clippy::cast_precision_loss, reason = "row counts")]
        let said_of_all = |class: &&&ReportRow| {
            let said = class
                .precision
                .map(|precision| class.support as f64 / precision);
            class.support > 0
                && class.recall == Some(1.0)
                && said.is_some_and(|said| (said - rows as f64).abs() < 0.5)
        };
        let only = classes.iter().find(said_of_all).filter(|_| several)?;
        Some(&only.class)
    }

    /// The rows of an evaluation's classification report.
    pub(super) fn classes_of<'a>(
        &'a self,
        evaluation: &'a str,
    ) -> impl Iterator<Item = &'a ReportRow> {
        self.classes()
            .iter()
            .filter(move |row| row.evaluation == evaluation)
    }

    /// The `from_end`-th row of an evaluation's report: accuracy, macro and weighted average are
    /// its last three. By position, since a class may have such a name itself.
    fn average(&self, evaluation: &str, from_end: usize) -> Option<&ReportRow> {
        let rows: Vec<&ReportRow> = self
            .classes()
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

/// A figure over some seeds of one run, all current or all stale. Stale ones speak for themselves
/// alone. None if no seed has it.
pub(super) fn estimate_of<'a>(
    seeds: impl Iterator<Item = &'a SeedReport> + Clone,
    evaluation: &str,
    figure: Figure,
) -> Option<Estimate> {
    let first = seeds.clone().next()?;
    let noise = first.noise.on(evaluation).filter(|_| first.stale.is_none());
    let own = noise.and_then(|noise| noise.common.get(&first.record.as_ref()?.run));
    Estimate::of_run(&trainings(seeds, evaluation, figure, own), noise, figure)
}

/// What seeds of one run measured; `common` is how far they are known to agree on the rows.
pub(super) fn trainings<'a>(
    seeds: impl Iterator<Item = &'a SeedReport> + Clone,
    evaluation: &str,
    figure: Figure,
    common: Option<&f64>,
) -> Trainings {
    let value = |seed: &'a SeedReport| match figure {
        Figure::Accuracy => seed.accuracy(evaluation),
        Figure::MacroF1 => seed.macro_f1(evaluation),
        Figure::Loss => seed.metric(evaluation, &["loss"]),
    };
    let values: Vec<f64> = seeds.clone().filter_map(value).collect();
    let counted = |seed: &'a SeedReport| seed.rows(evaluation);
    let rows = match figure {
        Figure::Loss => None,
        Figure::Accuracy | Figure::MacroF1 => seeds.clone().filter_map(counted).min(),
    };
    let scale = match figure {
        Figure::MacroF1 => crate::metrics::mean(
            &seeds
                .filter_map(|seed| {
                    let report: Vec<&ReportRow> = seed.classes_of(evaluation).collect();
                    macro_f1_scale(seed.macro_f1(evaluation)?, &report)
                })
                .collect::<Vec<f64>>(),
        ),
        Figure::Accuracy | Figure::Loss => Some(1.0),
    };
    let rows = rows.zip(scale).map(|(count, scale)| Rows {
        count,
        scale,
        common: common.copied(),
    });
    Trainings { values, rows }
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
