//! The files that a run left beside its record, each read when it is first asked for: a report on
//! thousands of runs reads few of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::de::DeserializeOwned;

use super::predictions::{self, Confusion};
use crate::record::{
    AnswerRow, EpochRow, ModelRow, ReportRow, RetrievalRow, Row, TrainingLogRow, read_rows,
};

/// A run's files. Clones share the problems that were found, not the rows: what is read through a
/// clone is dropped with it.
#[derive(Debug, Clone)]
pub(super) struct Left {
    folder: PathBuf,
    /// Class names in the order of their indices.
    labels: Vec<String>,
    log: OnceLock<Vec<TrainingLogRow>>,
    epochs: OnceLock<Vec<EpochRow>>,
    classes: OnceLock<Vec<ReportRow>>,
    retrieval: OnceLock<Vec<RetrievalRow>>,
    answers: OnceLock<Vec<AnswerRow>>,
    models: OnceLock<Vec<ModelRow>>,
    confusions: OnceLock<Vec<Confusion>>,
    problems: Arc<Mutex<BTreeSet<String>>>,
}

impl Left {
    /// The files in `folder`, which may be missing; nothing is read yet.
    pub(super) fn new(folder: &Path, labels: Vec<String>) -> Self {
        Self {
            folder: folder.to_owned(),
            labels,
            log: OnceLock::new(),
            epochs: OnceLock::new(),
            classes: OnceLock::new(),
            retrieval: OnceLock::new(),
            answers: OnceLock::new(),
            models: OnceLock::new(),
            confusions: OnceLock::new(),
            problems: Arc::default(),
        }
    }

    /// Where they lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The rows of `training_log.csv`.
    pub(super) fn log(&self) -> &[TrainingLogRow] {
        self.rows(&self.log)
    }

    /// The rows of `epochs.csv`.
    pub(super) fn epochs(&self) -> &[EpochRow] {
        self.rows(&self.epochs)
    }

    /// The rows of `classification_report.csv`.
    pub(super) fn classes(&self) -> &[ReportRow] {
        self.rows(&self.classes)
    }

    /// The rows of `retrieval.csv`.
    pub(super) fn retrieval(&self) -> &[RetrievalRow] {
        self.rows(&self.retrieval)
    }

    /// The rows of `answers.csv`.
    pub(super) fn answers(&self) -> &[AnswerRow] {
        self.rows(&self.answers)
    }

    /// The rows of `models.csv`.
    pub(super) fn models(&self) -> &[ModelRow] {
        self.rows(&self.models)
    }

    /// Matrices from `predictions.csv`, the largest of the files.
    pub(super) fn confusions(&self) -> &[Confusion] {
        self.confusions
            .get_or_init(|| self.or_problem(predictions::confusions(&self.folder, &self.labels)))
    }

    /// Reads whatever was not read yet, so that [`problems`](Self::problems) knows all of them.
    pub(super) fn read_all(&self) {
        self.log();
        self.epochs();
        self.classes();
        self.retrieval();
        self.answers();
        self.models();
        self.confusions();
    }

    /// What was wrong with the files that were read so far, here or through a clone.
    pub(super) fn problems(&self) -> Vec<String> {
        let found = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().cloned().collect()
    }

    fn rows<'a, R: Row + DeserializeOwned>(&self, cell: &'a OnceLock<Vec<R>>) -> &'a [R] {
        cell.get_or_init(|| {
            self.or_problem(read_rows(&self.folder).map_err(|error| error.to_string()))
        })
    }

    fn or_problem<T: Default>(&self, read: Result<T, String>) -> T {
        read.unwrap_or_else(|problem| {
            let found = self.problems.lock();
            found
                .unwrap_or_else(PoisonError::into_inner)
                .insert(problem);
            T::default()
        })
    }
}
