//! `ensayo rerun`: repeats a finished run from its record alone, and says whether it comes out
//! alike. Nothing in the results tree is touched.

mod files;
mod numbers;
mod verdict;

#[cfg(test)]
mod tests;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::commits::Commits;
use super::downloads::Downloads;
use super::run::{Pace, execute};
use super::{CommandError, Ended, device, finished, inputs, say};
use crate::cli::RerunArgs;
use crate::config::Settings;
use crate::plan::{Change, Job, RunSpec};
use crate::record::{self, RunFile, RunRecord, Status};
use crate::runner::{RunEnd, StopFlag};
use crate::tasks;
use verdict::Outcome;

/// Repeats a run and prints the verdict. One that comes out different, or fails this time, is
/// [`Ended::SomeFailed`].
///
/// # Errors
/// When there is no such run, it did not complete, or something that it needs is missing or not what
/// it was.
pub fn run(args: &RerunArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let (folder, record) = finished::one(&args.results, &args.run)?;
    let asked = match &args.device {
        Some(device) => device.as_str(),
        // The first card, or the processor where there is none.
        None if record.environment.device.starts_with("cuda") => "auto",
        None => "cpu",
    };
    device::find_compiler_first(asked);
    let scratch = Scratch::new(args)?;
    let (spec, changes) = specification(&record, &folder, scratch.path(), asked)?;
    obtain(&spec)?;
    let stop = StopFlag::new();
    let Some(again) = repeat(&record, &spec, asked, &stop)? else {
        return Ok(Ended::Interrupted);
    };
    if again.status != Status::Complete {
        let error = again.error.as_deref().unwrap_or("it did not complete");
        let label = record.label();
        if args.json {
            let failed = json!({ "run": label, "verdict": "different", "error": error });
            writeln!(output, "{failed:#}")?;
        } else {
            writeln!(output, "{label}: different: the rerun failed: {error}")?;
        }
        return Ok(Ended::SomeFailed);
    }
    let verdict = verdict::judge((&record, &folder), (&again, &spec.folder), &changes)?;
    if args.json {
        let text = serde_json::to_string_pretty(&verdict).map_err(CommandError::unexpected)?;
        writeln!(output, "{text}")?;
    } else {
        verdict.print(output)?;
    }
    if args.keep.is_some() {
        say(format_args!("kept in {}", spec.folder.display()));
    }
    Ok(match verdict.verdict {
        Outcome::Identical | Outcome::Within => Ended::Done,
        Outcome::Different => Ended::SomeFailed,
    })
}

/// A results tree of its own for the rerun.
enum Scratch {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Scratch {
    fn new(args: &RerunArgs) -> Result<Self, CommandError> {
        let Some(folder) = &args.keep else {
            let folder = tempfile::Builder::new().prefix("ensayo-rerun-").tempdir();
            return folder.map(Self::Temporary).map_err(|error| {
                CommandError::Unexpected(format!(
                    "cannot make a temporary folder: {error}; set TMPDIR to a folder that can be written, or use --keep DIR"
                ))
            });
        };
        let shown = folder.display();
        let is_empty = match fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !folder.exists(),
        };
        if !is_empty {
            return Err(CommandError::Input(format!(
                "--keep {shown}: there is something already; name a new folder, or an empty one"
            )));
        }
        // A rerun among the results would pass for an experiment of theirs.
        let results = args.results.canonicalize();
        let absolute = std::path::absolute(folder);
        let above = absolute.as_ref().ok().and_then(|folder| {
            let mut above = folder.ancestors();
            above.find_map(|folder| folder.canonicalize().ok())
        });
        if let (Ok(results), Some(above)) = (results, above)
            && above.starts_with(&results)
        {
            return Err(CommandError::Input(format!(
                "--keep {shown}: this is inside the results folder, which a rerun does not touch; name a folder elsewhere"
            )));
        }
        let made = fs::create_dir_all(folder);
        made.map_err(|error| CommandError::Input(format!("--keep {shown}: {error}")))?;
        Ok(Self::Kept(folder.clone()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// What is to be executed, from the record and its inputs, and what is not what it was.
fn specification(
    record: &RunRecord,
    folder: &Path,
    results: &Path,
    asked: &str,
) -> Result<(RunSpec, Vec<Change>), CommandError> {
    let settings = RunFile::<Settings>::read(folder)?.settings;
    if let Some(reason) = tasks::of(&settings).refusal() {
        return Err(CommandError::Input(format!("{}: {reason}", record.label())));
    }
    let format = device::format(asked)?;
    RunSpec::to_repeat(record, folder, &settings, results, &format).map_err(CommandError::input)
}

/// Fetches what is not here, and looks at the inputs as `ensayo run` does.
fn obtain(spec: &RunSpec) -> Result<(), CommandError> {
    let name = spec.experiment.as_str();
    let commits = Commits::of(spec.results(), false)?;
    let needs = tasks::needs(&spec.settings).into_iter();
    let downloads = Downloads::of(&commits, needs.map(|need| (name, need)));
    downloads.fetch(&commits)?;
    inputs::look([(name, &spec.settings)])?;
    Ok(())
}

/// Executes the run as `ensayo run` would; `None` if it was interrupted.
fn repeat(
    record: &RunRecord,
    spec: &RunSpec,
    asked: &str,
    stop: &StopFlag,
) -> Result<Option<RunRecord>, CommandError> {
    let (device, card) = device::choose(asked)?;
    if let Some(reason) = card
        .as_ref()
        .and_then(|card| tasks::refusal_of_card(&spec.settings, card))
    {
        return Err(CommandError::Input(format!("{}: {reason}", spec.label())));
    }
    let job = Job {
        runs: vec![spec.clone()],
        halvings: halvings(record),
    };
    let due = vec![(spec.label(), Some(record.wall_seconds))];
    let pace = Pace {
        at_once: 1,
        fail_fast: true,
    };
    let end = execute(&[job], due, pace, &device.to_string(), stop)?;
    if stop.is_raised() || end.interrupted() > 0 {
        return Ok(None);
    }
    if let Some(again) = record::read(&spec.folder)? {
        return Ok(Some(again));
    }
    let reason = end.runs.into_iter().find_map(|run| match run.end {
        RunEnd::Failed(reason) => Some(reason),
        _ => None,
    });
    Err(CommandError::Unexpected(format!(
        "the rerun left no record: {}",
        reason.as_deref().unwrap_or("it was not begun")
    )))
}

/// How often memory ran out in the run: so many rows went through the network at once, and so many
/// are to go again.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the bits of a count"
)]
fn halvings(record: &RunRecord) -> u32 {
    let mut rows = record.measurements.iter();
    let row = rows.find(|row| row.metric == "memory_restarts");
    row.map_or(0, |row| row.value.clamp(0.0, 31.0) as u32)
}
