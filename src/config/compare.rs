//! The `[compare]` table: which other experiments the report sets beside this one. It decides no
//! result, so it is part of no run's settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Span;

/// Other experiments whose best runs the report compares with this one's best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// Names of experiments in the same folder, of kind `lora` or `prompt`.
    #[schemars(extend("minItems" = 1, "examples" = [["other-sweep"]]))]
    pub experiments: Vec<String>,
    /// The figure by which each experiment's best run is chosen.
    #[serde(default)]
    pub metric: BestBy,
    /// The evaluation on which it is chosen: `test`, `validation`, or a name in
    /// `[[data.evaluations]]`. `validation` leaves the test rows out of the choice.
    #[serde(default = "default_evaluation")]
    pub evaluation: String,
}

fn default_evaluation() -> String {
    "test".to_owned()
}

/// A figure by which the best run is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BestBy {
    /// Share of right answers; higher is better.
    #[default]
    Accuracy,
    /// Unweighted mean of the classes' F1 scores; higher is better.
    MacroF1,
    /// Mean cross entropy; lower is better.
    Loss,
}

impl BestBy {
    /// The word in a TOML and in `metrics.csv`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro_f1",
            Self::Loss => "loss",
        }
    }
}

/// What a file's `[compare]` says, with the places of the names.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    pub compare: Compare,
    /// In the order of the names.
    pub spans: Vec<Span>,
}
