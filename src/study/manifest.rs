//! What a study's TOML may say.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::claim::Claim;

/// A study: its tables, and what fills them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The file's stem.
    pub name: String,
    /// As a reader knows the study.
    pub title: String,
    /// What it is, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// The numbers that it printed.
    #[serde(default)]
    pub published: PublishedFiles,
    /// The study's runs.
    #[schemars(extend("minItems" = 1))]
    pub runs: Vec<NamedRun>,
    /// Its tables and figures.
    #[schemars(extend("minItems" = 1))]
    pub figures: Vec<Figure>,
    /// What it concludes.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

/// CSV files with published numbers, relative to the manifest's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublishedFiles {
    /// Classification reports.
    pub reports: Option<PathBuf>,
    /// Loss and accuracy after each epoch.
    pub epochs: Option<PathBuf>,
    /// Settings, counts, measurements, single scores.
    pub values: Option<PathBuf>,
    /// The first values of embeddings.
    pub embeddings: Option<PathBuf>,
}

/// A run as the study calls it, and the run of ours that reproduces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRun {
    /// The study's name, which the published numbers have, too.
    pub name: String,
    /// Ours, as `experiment/run`.
    pub run: String,
    /// What stands before `ensayo run` in the command that makes it, such as `MANUAL=manual.txt`.
    #[serde(default)]
    pub environment: Option<String>,
}

impl NamedRun {
    /// The experiment and the run in it.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.run.split_once('/').unwrap_or((&self.run, ""))
    }

    /// What a person types to make it.
    #[must_use]
    pub fn command(&self) -> String {
        let before = self.environment.as_deref().map(str::trim);
        let before = before.filter(|before| !before.is_empty());
        let before = before.map_or_else(String::new, |before| format!("{before} "));
        format!("{before}ensayo run {}", quoted(&self.run))
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,+:@".contains(letter);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A table or figure of the study.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// As the study numbers it.
    pub number: u32,
    /// What it shows.
    pub caption: String,
    /// What kind of table it is.
    pub kind: TableKind,
    /// The study's runs that it is about, by their names.
    #[schemars(extend("minItems" = 1))]
    pub runs: Vec<String>,
    /// Which evaluation; `test` without.
    #[serde(default)]
    pub evaluation: Option<String>,
    /// Which values, where the kind has a choice: metrics, `evaluation/metric`, or dotted settings.
    #[serde(default)]
    pub values: Vec<String>,
    /// Which questions, by their ids; all without.
    #[serde(default)]
    pub questions: Vec<String>,
}

impl Figure {
    /// The evaluation that it is about.
    #[must_use]
    pub fn evaluation(&self) -> &str {
        self.evaluation.as_deref().unwrap_or("test")
    }

    /// The stem of its files.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("figure-{:02}", self.number)
    }
}

/// Kinds of table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// Precision, recall, F1 and support of each class.
    ClassificationReport,
    /// Loss and accuracy after each epoch.
    Epochs,
    /// What adapters train, and which share of the model that is.
    Parameters,
    /// Rows, steps, time, speed and loss of a training.
    Training,
    /// Settings, or any other values, of each run.
    Values,
    /// Runs side by side: scores with what they cost.
    Comparison,
    /// The first values of a question's embedding.
    Embedding,
    /// How near questions are to the nearest chunk.
    Similarity,
    /// How good what the questions found is.
    Retrieval,
    /// Fragments and answers of a search, with what can be seen of them.
    Answers,
    /// Models found on the hub.
    Models,
    /// What a model is made of.
    Inspection,
    /// Rows of the data by class, and a first text of each.
    Dataset,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_run_as_a_shell_takes_it() {
        let run = |run: &str, environment: Option<&str>| NamedRun {
            name: "a".into(),
            run: run.into(),
            environment: environment.map(str::to_owned),
        };
        assert_eq!(
            run("x/rank=4,a+b", None).command(),
            "ensayo run x/rank=4,a+b"
        );
        assert_eq!(
            run("x/it's 1", Some(" MANUAL=m.txt ")).command(),
            r"MANUAL=m.txt ensayo run 'x/it'\''s 1'"
        );
        assert_eq!(run("x/a/b", None).parts(), ("x", "a/b"));
    }
}
