//! `plan.json`: the runs an experiment consists of, so that the report knows their order and which
//! are missing.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::store::{read_json, write_json};
use super::{
    PLAN_FILE, RecordError, RunRecord, Status, experiment_folder, read, run_label, work_folder,
};

/// The content of `plan.json`: every run of the experiment, selected or not, in the order of the
/// grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Version of the schema, which records and plans share.
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// `lora`, `prompt`, `rag` or `model-search`.
    pub kind: String,
    /// The experiment's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the report sets beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<PlannedComparison>,
    /// In the order of the grid, each run's seeds together.
    pub runs: Vec<PlannedRun>,
}

/// Other experiments whose best runs are compared with this one's best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedComparison {
    /// Their names.
    pub experiments: Vec<String>,
    /// The metric that the best runs are chosen by: `accuracy`, `macro_f1` or `loss`.
    pub metric: String,
    /// The evaluation that they are chosen on.
    pub evaluation: String,
}

/// A run of `plan.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// The run's name within the experiment.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// The identity that a record must have to be this run's.
    pub identity: String,
    /// What sets this run apart: (dotted key, value) in the order of the axes.
    pub axes: Vec<(String, String)>,
    /// What the result in the run's place differed in when the plan was made, such as
    /// `training.epochs 2 -> 3`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

impl PlannedRun {
    /// Why a result in the run's place is not the one that the plan asks for, if it is not.
    #[must_use]
    pub fn staleness(&self, record: &RunRecord) -> Option<String> {
        if record.identity == self.identity {
            return None;
        }
        let differs = match self.differs.as_slice() {
            [] => "other settings or inputs".to_owned(),
            differs => differs.join(", "),
        };
        let set = match record.overrides.as_slice() {
            [] => String::new(),
            overrides => format!("; it was run with --set {}", overrides.join(" --set ")),
        };
        Some(format!("{differs}{set}"))
    }

    /// What became of a later attempt at the run, whose place an older result holds.
    #[must_use]
    pub fn later_attempt(&self, results: &Path) -> Option<String> {
        let attempt = read(&work_folder(results, &self.identity)).ok()??;
        match attempt.status {
            Status::Failed => {
                let error = attempt.error.unwrap_or_default();
                let first = error.lines().next().unwrap_or_default();
                Some(format!(
                    "a later attempt with the present settings failed: {first}"
                ))
            }
            Status::Interrupted => {
                Some("a later attempt with the present settings was interrupted".to_owned())
            }
            Status::Complete => None,
        }
    }
}

impl PlanFile {
    /// `experiment/run@seed` of one of the runs.
    #[must_use]
    pub fn label(&self, run: &PlannedRun) -> String {
        run_label(&self.experiment, &run.run, run.seed)
    }

    /// Writes `plan.json` into the experiment's folder, atomically.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, results: &Path) -> Result<(), RecordError> {
        write_json(
            &experiment_folder(results, &self.experiment).join(PLAN_FILE),
            self,
        )
    }

    /// Reads an experiment's `plan.json`; `None` if there is none.
    ///
    /// # Errors
    /// When the file cannot be read, is no plan, or was written with a newer schema.
    pub fn read(results: &Path, experiment: &str) -> Result<Option<Self>, RecordError> {
        read_json(&experiment_folder(results, experiment).join(PLAN_FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_plan_reads_back() {
        let results = tempfile::tempdir().unwrap();
        assert_eq!(PlanFile::read(results.path(), "x").unwrap(), None);
        let plan = PlanFile {
            schema: super::super::SCHEMA,
            experiment: "x".into(),
            kind: "lora".into(),
            description: None,
            compare: Some(PlannedComparison {
                experiments: vec!["y".into()],
                metric: "accuracy".into(),
                evaluation: "test".into(),
            }),
            runs: vec![PlannedRun {
                run: "rank=4".into(),
                seed: 42,
                identity: "abc".into(),
                axes: vec![("lora.rank".into(), "4".into())],
                differs: vec![],
            }],
        };
        plan.write(results.path()).unwrap();
        assert_eq!(
            PlanFile::read(results.path(), "x").unwrap().as_ref(),
            Some(&plan)
        );
        assert_eq!(plan.label(&plan.runs[0]), "x/rank=4@42");
    }
}
