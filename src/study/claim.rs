//! What a study concludes from its numbers.

use schemars::JsonSchema;
use serde::Deserialize;

/// A conclusion: that a run is better than others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// In words.
    pub text: String,
    /// The run that is said to be better, by the study's name.
    pub better: String,
    /// Those that it is said to be better than.
    #[schemars(extend("minItems" = 1))]
    pub than: Vec<String>,
    /// By which share of right answers it is: `accuracy`, where nothing is said. A claim that rests
    /// on no number has `none`.
    #[serde(default)]
    pub by: Option<String>,
    /// In which evaluation; `test` without.
    #[serde(default)]
    pub evaluation: Option<String>,
    /// The settings that the claim is about, as dotted keys: other settings of these runs should be
    /// equal.
    #[serde(default)]
    pub about: Vec<String>,
    /// Whether the better one was chosen as the best of them all by the same numbers.
    #[serde(default)]
    pub chosen: bool,
}

impl Claim {
    /// The evaluation that it is about.
    #[must_use]
    pub fn evaluation(&self) -> &str {
        self.evaluation.as_deref().unwrap_or("test")
    }

    /// The metric that it is about; none where it rests on no number.
    #[must_use]
    pub fn metric(&self) -> Option<&str> {
        match self.by.as_deref() {
            None => Some("accuracy"),
            Some("none") => None,
            by => by,
        }
    }

    /// All runs that it compares.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.better)
            .chain(&self.than)
            .map(String::as_str)
    }
}
