//! Whether a run that was repeated came out alike, and what may be why not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;

use super::files::{Likeness, compare};
use super::numbers::{Drift, scale, tolerance};
use crate::commands::{CommandError, words};
use crate::content;
use crate::plan::Change;
use crate::record::{self, Environment, RecordError, RunRecord, number};
use crate::report::duration;

/// What there is to say of a run and its repetition.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "what JSON calls it")]
pub(super) struct Verdict {
    run: String,
    pub(super) verdict: Outcome,
    /// How far numbers may drift, as a share of the largest of their kind.
    tolerance: f64,
    files: Vec<FileVerdict>,
    /// Figures that are not the same.
    figures: Vec<Figure>,
    /// Hash or commit of each input, by its role: what the run was made with and the repetition too.
    inputs: BTreeMap<String, String>,
    /// What else is not the same: version, arithmetic, device.
    differs: Vec<String>,
    seconds: f64,
}

/// How well a run repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Outcome {
    /// All that is computed is the same.
    #[serde(rename = "identical")]
    Identical,
    /// It is the same but for numbers, none of which is far off.
    #[serde(rename = "within tolerance")]
    Within,
    /// It is not.
    #[serde(rename = "different")]
    Different,
}

#[derive(Debug, Serialize)]
struct FileVerdict {
    file: String,
    verdict: Outcome,
    /// What became of its numbers, where only they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Drift>,
    /// What else differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Debug, Serialize)]
struct Figure {
    evaluation: String,
    metric: String,
    verdict: Outcome,
    before: Option<Number>,
    now: Option<Number>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
struct Number(#[serde(with = "number")] f64);

impl Outcome {
    fn of(drift: Drift, tolerance: f64) -> Self {
        if drift.numbers == 0 {
            Self::Identical
        } else if drift.largest <= tolerance {
            Self::Within
        } else {
            Self::Different
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Within => "within tolerance",
            Self::Different => "different",
        }
    }
}

/// A run and the folder that it stands in.
pub(super) type Standing<'a> = (&'a RunRecord, &'a Path);

/// Compares a finished run with its repetition, which is finished too.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn judge(
    (before, folder): Standing<'_>,
    (now, place): Standing<'_>,
    changes: &[Change],
) -> Result<Verdict, CommandError> {
    let formats = [&before.environment.precision, &now.environment.precision];
    let tolerance = formats
        .into_iter()
        .map(|format| tolerance(format))
        .fold(0.0, f64::max);
    let mut files = Vec::new();
    for name in names(before, folder)?.union(&names(now, place)?) {
        let likeness = file(name, (before, folder), (now, place))?;
        let (verdict, drift, why) = match likeness {
            Likeness::Same => (Outcome::Identical, None, None),
            Likeness::Near(drift) => (Outcome::of(drift, tolerance), Some(drift), None),
            Likeness::Other(words) => (Outcome::Different, None, Some(words)),
        };
        files.push(FileVerdict {
            file: name.clone(),
            verdict,
            drift,
            why,
        });
    }
    let figures = figures(before, now, tolerance);
    let all = files.iter().map(|file| file.verdict);
    let all = all.chain(figures.iter().map(|figure| figure.verdict));
    let mut differs: Vec<String> = changes.iter().map(Change::to_string).collect();
    differs.extend(environments(&before.environment, &now.environment));
    Ok(Verdict {
        run: before.label(),
        verdict: all.max().unwrap_or(Outcome::Identical),
        tolerance,
        files,
        figures,
        inputs: now.environment.content.clone(),
        differs,
        seconds: now.wall_seconds,
    })
}

/// The files of a result; records of earlier versions do not list them.
fn names(record: &RunRecord, folder: &Path) -> Result<BTreeSet<String>, RecordError> {
    if record.files.is_empty() {
        return Ok(record::result_files(folder)?.into_iter().collect());
    }
    Ok(record.files.keys().cloned().collect())
}

fn file(
    name: &str,
    (before, folder): Standing<'_>,
    (now, place): Standing<'_>,
) -> Result<Likeness, CommandError> {
    let other = |words: &str| Ok(Likeness::Other(words.to_owned()));
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| CommandError::from(RecordError::Read { path, source })
    };
    let (old, new) = (folder.join(name), place.join(name));
    if !new.is_file() {
        return other("the rerun did not make it");
    }
    let (left, made) = (before.files.get(name), now.files.get(name));
    if left.is_none() && !old.is_file() {
        return other("only the rerun made it");
    }
    let stands = match content::sha256(&old) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        sum => Some(sum.map_err(unreadable(&old))?),
    };
    if let Some(left) = left
        && stands.as_ref() != Some(&left.sha256)
    {
        let what = match stands {
            None => "it is missing from the results",
            Some(_) => "it was changed after the run",
        };
        let repeats = made.is_some_and(|made| made.sha256 == left.sha256);
        let rest = if repeats {
            "; the rerun made what the run had left"
        } else {
            ""
        };
        return Ok(Likeness::Other(format!("{what}{rest}")));
    }
    compare(name, &old, &new).map_err(unreadable(&old))
}

/// The figures that are not the same, in the order of the run's.
fn figures(before: &RunRecord, now: &RunRecord, tolerance: f64) -> Vec<Figure> {
    let key = |row: &record::MetricRow| (row.evaluation.clone(), row.metric.clone());
    let known: BTreeSet<_> = before.metrics.iter().map(key).collect();
    let news = now.metrics.iter().map(key);
    let news = news.filter(|key| !known.contains(key));
    let mut figures = Vec::new();
    for (evaluation, metric) in before.metrics.iter().map(key).chain(news) {
        let value = |record: &RunRecord| record.metric(&evaluation, &metric);
        let (was, is) = (value(before), value(now));
        let verdict = if let (Some(was), Some(is)) = (was, is) {
            let mut drift = Drift::default();
            drift.add(was, is, scale([was, is].into_iter()));
            Outcome::of(drift, tolerance)
        } else {
            Outcome::Different
        };
        if verdict != Outcome::Identical {
            figures.push(Figure {
                evaluation,
                metric,
                verdict,
                before: was.map(Number),
                now: is.map(Number),
            });
        }
    }
    figures
}

/// What is not the same of the environments.
fn environments(before: &Environment, now: &Environment) -> Vec<String> {
    let version = |environment: &Environment| {
        let commit = environment.commit.as_deref();
        let commit = commit.map(|commit| format!(" ({})", commit.get(..12).unwrap_or(commit)));
        format!(
            "ensayo {}{}",
            environment.version,
            commit.unwrap_or_default()
        )
    };
    let device = |environment: &Environment| {
        let card = environment.card.as_deref();
        let card = card.map(|card| format!(" ({card})")).unwrap_or_default();
        format!("{}{card}", environment.device)
    };
    let optional = |words: Option<String>| words.unwrap_or_else(|| "none".to_owned());
    let tf32 = |environment: &Environment| optional(environment.tf32.map(|may| may.to_string()));
    let threads = |environment: &Environment| words::count(environment.threads, "thread");
    let pairs = [
        ("", version(before), version(now)),
        ("", device(before), device(now)),
        (
            "driver ",
            optional(before.driver.clone()),
            optional(now.driver.clone()),
        ),
        ("", before.precision.clone(), now.precision.clone()),
        ("", threads(before), threads(now)),
        ("TF32 ", tf32(before), tf32(now)),
    ];
    let other = pairs.into_iter().filter(|(_, before, now)| before != now);
    other
        .map(|(what, before, now)| format!("{what}{before} -> {now}"))
        .collect()
}

impl Verdict {
    /// Says it in words.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn print(&self, output: &mut dyn Write) -> std::io::Result<()> {
        writeln!(output, "{}: {}", self.run, self.verdict.words())?;
        let time = duration(self.seconds);
        let of = |outcome: Outcome| {
            self.files
                .iter()
                .filter(move |file| file.verdict == outcome)
        };
        let same = of(Outcome::Identical).count();
        let all = words::count(self.files.len(), "file");
        writeln!(output, "  repeated in {time}; {same} of {all} the same")?;
        for outcome in [Outcome::Within, Outcome::Different] {
            for file in of(outcome) {
                let words = match (&file.drift, &file.why) {
                    (Some(drift), _) => self.drift(*drift),
                    (None, Some(why)) => why.clone(),
                    (None, None) => String::new(),
                };
                writeln!(output, "  {}: {}: {words}", outcome.words(), file.file)?;
            }
        }
        for figure in &self.figures {
            let value = |value: Option<Number>| match value {
                Some(Number(value)) => value.to_string(),
                None => "nothing".to_owned(),
            };
            writeln!(
                output,
                "  {}: {} {} {} -> {}",
                figure.verdict.words(),
                figure.evaluation,
                figure.metric,
                value(figure.before),
                value(figure.now)
            )?;
        }
        let inputs = self.inputs.iter().map(|(role, content)| {
            let content = content.get(..12).unwrap_or(content);
            format!("{role} {content}")
        });
        let inputs: Vec<String> = inputs.collect();
        if !inputs.is_empty() {
            writeln!(output, "  the same inputs: {}", inputs.join(", "))?;
        }
        for words in &self.differs {
            writeln!(output, "  not the same: {words}")?;
        }
        Ok(())
    }

    fn drift(&self, drift: Drift) -> String {
        let numbers = words::count(drift.numbers, "number");
        if drift.largest.is_infinite() {
            return format!("{numbers}, among them counts, or what is no number");
        }
        format!(
            "{numbers}, by at most {:.2e} of the largest of their kind ({:e} is allowed)",
            drift.largest, self.tolerance
        )
    }
}
