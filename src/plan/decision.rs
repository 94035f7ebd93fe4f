//! Whether a run is executed, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{RunSpec, identity};
use crate::record::{self, RecordError, Status};

/// What is to become of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Its record is complete and its identity unchanged.
    Skip,
    /// It is executed.
    Run(Reason),
}

/// Why a run is executed.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// There is nothing of it yet.
    New,
    /// What decides its result is not what it was.
    Changed(Vec<Change>),
    /// It failed, with this error.
    Failed(String),
    /// It was begun and has no record, or its record says so.
    Interrupted,
    /// `--force`.
    Forced,
    /// Its record cannot be read, for this reason.
    Unreadable(String),
}

/// A part of the identity that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Dotted key.
    pub key: String,
    /// In the record; `None` if it was not there.
    pub before: Option<String>,
    /// In the plan; `None` if it is gone.
    pub now: Option<String>,
}

/// Decides about a run. Beside the decision: when the record on disk began, if there is one.
///
/// # Errors
/// When the record was written by an ensayo of another schema: running would replace it.
pub(super) fn decide(
    spec: &RunSpec,
    force: bool,
) -> Result<(Decision, Option<String>), RecordError> {
    let record = match record::read(&spec.folder) {
        Ok(record) => record,
        Err(error) if error.is_other_version() && !force => return Err(error),
        Err(error) => {
            let reason = if force {
                Reason::Forced
            } else {
                Reason::Unreadable(why_unreadable(&error))
            };
            return Ok((Decision::Run(reason), None));
        }
    };
    let seen = record.as_ref().map(|record| record.started.clone());
    let decision = match record {
        None if spec.folder.join(record::RUN_FILE).exists() => Decision::Run(Reason::Interrupted),
        None => Decision::Run(Reason::New),
        Some(_) if force => Decision::Run(Reason::Forced),
        Some(record) if record.identity != spec.identity => Decision::Run(Reason::Changed(
            changes(&record.identity_parts, &spec.identity_parts),
        )),
        Some(record) => match record.status {
            Status::Complete => Decision::Skip,
            Status::Failed => Decision::Run(Reason::Failed(record.error.unwrap_or_default())),
            Status::Interrupted => Decision::Run(Reason::Interrupted),
        },
    };
    Ok((decision, seen))
}

/// What is wrong with a record, without its path and the advice to delete it: the run stands beside, and replaces it.
fn why_unreadable(error: &RecordError) -> String {
    match error {
        RecordError::Read { source, .. } => source.to_string(),
        RecordError::Broken { message, .. } => message.clone(),
        RecordError::Write { .. } | RecordError::Newer { .. } | RecordError::Older { .. } => {
            error.to_string()
        }
    }
}

pub(super) fn changes(
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Vec<Change> {
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .map(|key| Change {
            key: key.clone(),
            before: before.get(key).cloned(),
            now: now.get(key).cloned(),
        })
        .collect()
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => formatter.write_str("done"),
            Self::Run(reason) => reason.fmt(formatter),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => formatter.write_str("new"),
            Self::Interrupted => formatter.write_str("interrupted before"),
            Self::Forced => formatter.write_str("forced"),
            Self::Failed(error) => {
                write!(
                    formatter,
                    "failed before: {}",
                    error.lines().next().unwrap_or_default()
                )
            }
            Self::Unreadable(error) => write!(formatter, "its record cannot be read: {error}"),
            Self::Changed(changes) if changes.is_empty() => formatter.write_str("changed"),
            Self::Changed(changes) => {
                formatter.write_str("changed: ")?;
                for (index, change) in changes.iter().enumerate() {
                    if index > 0 {
                        formatter.write_str(", ")?;
                    }
                    change.fmt(formatter)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match (self.before.as_deref(), self.now.as_deref()) {
            (Some(before), Some(now))
                if identity::is_content(before) && identity::is_content(now) =>
            {
                write!(formatter, "the content of {key}")
            }
            (Some(before), Some(now)) if key == "numerics" => {
                write!(
                    formatter,
                    "ensayo's own arithmetic (version {before} -> {now})"
                )
            }
            (Some(before), Some(now)) => {
                write!(formatter, "{key} {} -> {}", short(before), short(now))
            }
            (None, Some(now)) => write!(formatter, "{key} is now {}", short(now)),
            (before, None) => write!(formatter, "{key} was {}", short(before.unwrap_or_default())),
        }
    }
}

/// Long values, such as texts of inline rows, would hide the other changes.
fn short(value: &str) -> String {
    const LONGEST: usize = 40;
    if identity::is_content(value) {
        return "a file".into();
    }
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    value.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn changes_are_named() {
        let before = parts(&[
            ("data.path", "sha256:1"),
            ("data.limit", "9"),
            ("numerics", "1"),
            ("seed", "42"),
            ("training.epochs", "2"),
        ]);
        let now = parts(&[
            ("data.path", "sha256:2"),
            ("model.dropout", "0.1"),
            ("numerics", "2"),
            ("seed", "42"),
            ("training.epochs", "3"),
        ]);
        assert_eq!(
            Reason::Changed(changes(&before, &now)).to_string(),
            "changed: data.limit was 9, the content of data.path, model.dropout is now 0.1, \
             ensayo's own arithmetic (version 1 -> 2), training.epochs 2 -> 3"
        );
    }

    #[test]
    fn long_values_are_cut() {
        let change = Change {
            key: "text".into(),
            before: None,
            now: Some("x".repeat(100)),
        };
        assert!(change.to_string().chars().count() < 60);
    }

    #[test]
    fn only_the_first_line_of_an_error_is_said() {
        assert_eq!(
            Reason::Failed("out of memory\nat …".into()).to_string(),
            "failed before: out of memory"
        );
    }
}
