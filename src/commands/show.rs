//! `ensayo show`: all there is to say of runs, one after the other; with `--prompt`, their prompts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;
use std::path::Path;

use super::standing::Standing;
use super::{CommandError, Ended, finished, screen};
use crate::cli::ShowArgs;
use crate::record::{RunRecord, Status};
use crate::report::{RunsInWords, duration};

/// Columns where nobody's terminal says how many there are.
const COLUMNS: usize = 120;

/// Shows every run that the patterns match.
///
/// # Errors
/// When a pattern matches nothing or a file cannot be read.
pub fn run(args: &ShowArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if let Some(which) = &args.prompt {
        return super::prompts::run(args, which, output);
    }
    let found = finished::find(&args.results, &args.patterns)?;
    let names = found.iter().map(|(_, record)| &*record.experiment);
    let standing = Standing::of(&args.results, &args.experiments, names);
    let results = &args.results;
    let columns = screen::output_columns().unwrap_or(COLUMNS);
    let mut experiments: HashMap<&str, RunsInWords> = HashMap::new();
    for (index, (folder, record)) in found.iter().enumerate() {
        if index > 0 {
            writeln!(output)?;
        }
        let standing = [
            standing
                .staleness(record)
                .map(|reason| format!("stale, not what its experiment says now: {reason}")),
            standing.later_attempt(results, record),
            record.damage(folder).map(|damage| {
                format!(
                    "its result is damaged: {damage}; `ensayo run {}` makes it again",
                    record.label()
                )
            }),
        ];
        show(&standing, folder, record, output)?;
        let runs = match experiments.entry(&record.experiment) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => {
                let read = RunsInWords::read(results, &record.experiment);
                unread.insert(read.map_err(CommandError::unexpected)?)
            }
        };
        if let Some(text) = runs.of(&record.run, record.seed, columns) {
            writeln!(output, "\n{}", text.trim_end())?;
        }
    }
    Ok(Ended::Done)
}

fn show(
    standing: &[Option<String>],
    folder: &Path,
    record: &RunRecord,
    output: &mut dyn Write,
) -> Result<(), CommandError> {
    let status = match record.status {
        Status::Complete => "complete",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
    };
    writeln!(output, "{}: {status}", record.label())?;
    let environment = &record.environment;
    writeln!(
        output,
        "  {}, {}, on {}{}, ensayo {}",
        to_the_second(&record.started),
        duration(record.wall_seconds),
        environment.device,
        if environment.tf32 == Some(true) {
            " (products of f32 may be in TF32)"
        } else {
            ""
        },
        environment.version
    )?;
    writeln!(output, "  {}", folder.display())?;
    if let Some(from) = &record.adopted_from {
        writeln!(output, "  computed as {from}, which has the same settings")?;
    }
    if record.sittings.len() > 1 {
        let sittings = record.sittings.iter().map(|sitting| {
            let device = &sitting.device;
            format!("{} on {device}", duration(sitting.seconds))
        });
        let sittings: Vec<_> = sittings.collect();
        writeln!(
            output,
            "  in {} sittings: {}",
            sittings.len(),
            sittings.join(", ")
        )?;
    }
    for remark in standing.iter().flatten() {
        writeln!(output, "  {remark}")?;
    }
    if !record.overrides.is_empty() {
        writeln!(output, "  --set {}", record.overrides.join(" --set "))?;
    }
    if let Some(error) = &record.error {
        writeln!(output, "\nerror: {error}")?;
    }
    for note in &record.notes {
        writeln!(output, "\nnote: {note}")?;
    }
    Ok(())
}

/// A time without the fraction of its second, which tells attempts apart but no person anything.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}
