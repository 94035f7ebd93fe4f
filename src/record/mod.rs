//! What a run leaves: the versioned record and the rows of its CSV files. Written atomically, read
//! by `plan` and `report`.

mod csv_file;
mod error;
mod layout;
mod left;
mod leftovers;
mod models_file;
pub mod number;
mod place;
mod plan_file;
mod predictions;
mod run_file;
mod shelf;
pub mod sittings;
mod store;
mod tables;

pub use csv_file::{CsvReader, CsvWriter, RowWriter, read_rows, write_rows};
pub use error::RecordError;
pub use layout::{
    ANSWERED_FILE, CHECKPOINT_FILE, LOG_FILE, PLAN_FILE, RECORD_FILE, RUN_FILE, SITTINGS_FILE,
    early_log, embeddings_file, experiment_folder, kept_folder, lock_file, remove_sitting_files,
    results_of, run_folder, run_label, work_folder,
};
pub use left::{LeftFile, LeftFiles, files_in, result_files};
pub use leftovers::remove_leftovers;
pub use models_file::ModelsFile;
pub use place::{adopt, place, place_attempt, take_up, tidy};
pub use plan_file::{PlanFile, PlannedComparison, PlannedRun};
pub use predictions::{
    PREDICTIONS_FILE, PredictionRow, prediction_columns, probability_cell, probability_column,
    read_judged_predictions, read_predictions,
};
pub use run_file::RunFile;
pub use shelf::{Shelf, Shelved};
pub use sittings::Sitting;
pub use store::{
    read, read_all, read_in_place, write_atomically, write_if_changed, write_in_parts,
};
pub use tables::{
    AnswerRow, AttemptRow, EpochRow, GenerationRow, MeasurementRow, MetricRow, ModelFactRow,
    ModelRow, ReportRow, RetrievalRow, Row, TrainingLogRow, VectorRow,
};

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Version of `record.json`'s schema.
pub const SCHEMA: u32 = 1;
/// The oldest version that can be read.
const OLDEST_SCHEMA: u32 = 1;

/// The content of `record.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this schema.
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The run's name within the experiment.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// `lora`, `prompt`, `rag` or `model-search`.
    pub kind: String,
    /// How the run ended.
    pub status: Status,
    /// Hash of everything that decides the result.
    pub identity: String,
    /// What `identity` was made of, part by part, so that a change can be named.
    pub identity_parts: BTreeMap<String, String>,
    /// `--set` values that were in force, as typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// The run that the result was computed as, if it was not this one: `experiment/run@seed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_from: Option<String>,
    /// When the run began, RFC 3339; the last sitting, where it took several.
    pub started: String,
    /// How long it took, all sittings together.
    pub wall_seconds: f64,
    /// The sittings it took; empty in records of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sittings: Vec<Sitting>,
    /// Every scalar of the result.
    pub metrics: Vec<MetricRow>,
    /// What was measured rather than computed.
    pub measurements: Vec<MeasurementRow>,
    /// Class names in the order of their indices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Warnings a reader of the results should know of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The files of the result, by their names in the run's folder; of complete runs only, and
    /// empty in records of earlier versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: LeftFiles,
    /// On what it ran.
    pub environment: Environment,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RunRecord {
    /// `experiment/run@seed`, as a person types it.
    #[must_use]
    pub fn label(&self) -> String {
        run_label(&self.experiment, &self.run, self.seed)
    }

    /// Whether both are of one execution, under whatever names.
    #[must_use]
    pub fn is_same_execution(&self, other: &Self) -> bool {
        self.identity == other.identity && self.started == other.started
    }

    /// Everything that decides the result but the seed.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<&str, &str> {
        let parts = self.identity_parts.iter();
        let parts = parts.map(|(key, value)| (key.as_str(), value.as_str()));
        parts.filter(|(key, _)| *key != "seed").collect()
    }

    /// The figure that a line about the run ends with, and its name.
    #[must_use]
    pub fn score(&self) -> Option<(&'static str, f64)> {
        const SCORES: [(&str, &str); 5] = [
            ("test", "accuracy"),
            ("validation", "accuracy"),
            ("questions", "mrr"),
            ("questions", "hit@1"),
            ("test", "loss"),
        ];
        SCORES
            .iter()
            .find_map(|(evaluation, name)| Some((*name, self.metric(evaluation, name)?)))
    }

    /// The value of a metric, if the run has it.
    #[must_use]
    pub fn metric(&self, evaluation: &str, metric: &str) -> Option<f64> {
        self.metrics
            .iter()
            .find(|row| row.evaluation == evaluation && row.metric == metric)
            .map(|row| row.value)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All files are there.
    Complete,
    /// It stopped with an error.
    Failed,
    /// It was asked to stop.
    Interrupted,
}

/// On what a run ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// ensayo's version.
    pub version: String,
    /// ensayo's commit, where it was built from a checkout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The card's model; absent on the processor, and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The device's driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Threads in use on the CPU.
    pub threads: usize,
    /// Precision in which the frozen weights were held.
    #[serde(default)]
    pub precision: String,
    /// Whether products of 32-bit floats may have been computed in TF32; absent on the processor,
    /// and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tf32: Option<bool>,
    /// sha256 or hub commit of each input, by role (`model`, `data` …).
    pub content: BTreeMap<String, String>,
    /// Where each input was, by the dotted key of its setting; absent in records of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: BTreeMap<String, PathBuf>,
}
