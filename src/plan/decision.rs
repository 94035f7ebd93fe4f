//! Whether a run is executed, and why.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::{RunSpec, identity};
use crate::record::{self, RecordError, RunRecord, Shelf, Shelved, Status};

/// What is to become of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Its record is complete and its identity unchanged.
    Skip,
    /// A result of the same identity is complete under another name, or will be before its turn.
    Adopt(Adoption),
    /// It is executed.
    Run(Reason),
}

/// Whose result a run adopts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// One that is kept since another took its place.
    Kept,
    /// That of another run: `experiment/run@seed`.
    Of(String),
    /// That of a run of the same plan, once it has one.
    Expected(String),
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
    /// It is complete, but this became of its files.
    Damaged(String),
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

/// What the results tree says about a run.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) decision: Decision,
    /// When the records began that there are of the run.
    pub(super) seen: Vec<String>,
    /// Where the result to adopt stands.
    pub(super) source: Option<PathBuf>,
}

/// Decides about a run.
///
/// # Errors
/// When the record was written by an ensayo of another schema: running would replace it.
pub(super) fn decide(spec: &RunSpec, force: bool, shelf: &Shelf) -> Result<Verdict, RecordError> {
    let known = shelf.at(&spec.folder);
    let record = match known {
        Some(known) => Ok(Some(Cow::Borrowed(&known.record))),
        // One that is missing, broken, or not this run's.
        None => match record::read(&spec.folder) {
            Err(error) if error.is_other_version() && !force => return Err(error),
            record => record.map(|record| record.map(Cow::Owned)),
        },
    };
    let attempt = record::read(&spec.work_folder()).ok().flatten();
    let started = |record: &RunRecord| record.started.clone();
    let standing = record.iter().flatten().map(|record| started(record));
    let seen = standing.chain(attempt.iter().map(started)).collect();
    let own = known.filter(|known| is_result_of(&known.record, spec));
    let mut source = None;
    let decision = match record {
        Ok(None) if force => Decision::Run(Reason::New),
        _ if force => Decision::Run(Reason::Forced),
        _ if own.is_some_and(Shelved::is_finished) => Decision::Skip,
        record => match shelf.find(&spec.identity) {
            Some((folder, found)) => {
                source = Some(folder.to_owned());
                Decision::Adopt(if found.label() == spec.label() {
                    Adoption::Kept
                } else {
                    Adoption::Of(found.label())
                })
            }
            None => Decision::Run(match own.and_then(|own| own.damage.clone()) {
                Some(damage) => Reason::Damaged(damage),
                None => reason(
                    spec,
                    record.map(|record| record.map(Cow::into_owned)),
                    attempt,
                ),
            }),
        },
    };
    Ok(Verdict {
        decision,
        seen,
        source,
    })
}

/// Why a run without a result is executed, by what stands in its place and what an earlier sitting
/// left.
fn reason(
    spec: &RunSpec,
    record: Result<Option<RunRecord>, RecordError>,
    attempt: Option<RunRecord>,
) -> Reason {
    let attempt = match &record {
        Ok(Some(record)) if record.identity == spec.identity => Some(record.clone()),
        _ => attempt,
    };
    if let Some(attempt) = attempt.filter(|attempt| attempt.identity == spec.identity) {
        return match attempt.status {
            Status::Failed => Reason::Failed(attempt.error.unwrap_or_default()),
            Status::Complete | Status::Interrupted => Reason::Interrupted,
        };
    }
    let begun = |folder: &Path| folder.join(record::RUN_FILE).exists();
    match record {
        _ if begun(&spec.work_folder()) => Reason::Interrupted,
        Ok(Some(record)) => Reason::Changed(changes(&record.identity_parts, &spec.identity_parts)),
        Ok(None) if begun(&spec.folder) => Reason::Interrupted,
        Ok(None) => Reason::New,
        Err(error) => Reason::Unreadable(why_unreadable(&error)),
    }
}

fn is_result_of(record: &RunRecord, spec: &RunSpec) -> bool {
    record.status == Status::Complete && record.identity == spec.identity
}

/// What is wrong with a record, without its path and the advice to delete it: the run stands beside, and replaces it.
fn why_unreadable(error: &RecordError) -> String {
    match error {
        RecordError::Read { source, .. } => source.to_string(),
        RecordError::Broken { message, .. } => message.clone(),
        RecordError::Write { .. }
        | RecordError::Copied { .. }
        | RecordError::Newer { .. }
        | RecordError::Older { .. } => error.to_string(),
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
            Self::Adopt(adoption) => adoption.fmt(formatter),
            Self::Run(reason) => reason.fmt(formatter),
        }
    }
}

impl fmt::Display for Adoption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => formatter.write_str("restores its kept result"),
            Self::Of(run) => write!(formatter, "adopts the result of {run}"),
            Self::Expected(run) => write!(formatter, "adopts the result of {run} when it is done"),
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
            Self::Damaged(damage) => write!(formatter, "its result is damaged: {damage}"),
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
                write!(formatter, "ensayo's arithmetic (version {before} -> {now})")
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
             ensayo's arithmetic (version 1 -> 2), training.epochs 2 -> 3"
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
