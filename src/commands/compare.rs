//! `ensayo compare`: whether runs differ by more than chance, from the predictions that they left.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::standing::Standing;
use super::{CommandError, Ended, finished, say, table};
use crate::cli::CompareArgs;
use crate::plan::Selection;
use crate::record::{CsvWriter, PREDICTIONS_FILE, RunRecord, Status};
use crate::report::compare::{self, CompareError, Compared, Contender};

/// A run by name, with the seeds that a pattern selects and their folders.
type Seeds = BTreeMap<u64, PathBuf>;

/// Compares two runs in every evaluation, or more with the best of them, with a baseline or in all
/// pairs.
///
/// # Errors
/// When a pattern matches nothing, fewer than two runs are left, or they were not judged on the
/// same rows.
pub fn run(args: &CompareArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let runs = wanted(args)?;
    let baseline = args.baseline.as_deref();
    let baseline = baseline.map(|run| place_of(run, &runs)).transpose()?;
    let mut contenders: Vec<Contender> = runs
        .into_iter()
        .map(|(name, seeds)| Contender::read(&name, &seeds.into_iter().collect::<Vec<_>>()))
        .collect::<Result<_, _>>()?;
    compare::pool_seeds(&args.results, &mut contenders);
    let evaluation = args.evaluation.as_deref();
    let compared = match contenders.as_slice() {
        [first, second] if baseline == Some(0) => compare::two(second, first, evaluation)?,
        [first, second] => compare::two(first, second, evaluation)?,
        several if args.all_pairs => compare::all_pairs(several, evaluation)?,
        several => compare::against(several, baseline, evaluation)?,
    };
    if args.csv {
        print_csv(&compared, output)?;
        for remark in compared.verdict.iter().chain(&compared.remarks) {
            say(remark);
        }
    } else {
        print(&compared, output)?;
    }
    Ok(Ended::Done)
}

/// The place of the one run that a pattern means.
fn place_of(pattern: &str, runs: &[(String, Seeds)]) -> Result<usize, CommandError> {
    let selection = Selection::parse(&[pattern])?;
    let meant = |(name, seeds): &(String, Seeds)| {
        let (experiment, run) = name.split_once('/').unwrap_or((name, ""));
        seeds
            .keys()
            .all(|&seed| selection.selects(experiment, run, seed))
    };
    let mut places = (0..runs.len()).filter(|&place| meant(&runs[place]));
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (None, _) => Err(CommandError::Input(format!(
            "--baseline {pattern} is none of the runs that are compared"
        ))),
        (Some(_), Some(_)) => Err(CommandError::Input(format!(
            "--baseline {pattern} means more than one run"
        ))),
    }
}

impl From<CompareError> for CommandError {
    fn from(error: CompareError) -> Self {
        Self::input(error)
    }
}

/// The complete runs that the patterns select, in the order of the patterns, each with its seeds.
fn wanted(args: &CompareArgs) -> Result<Vec<(String, Seeds)>, CommandError> {
    // The baseline is one of the runs, whether or not the other patterns mean it.
    let patterns: Vec<String> = args
        .patterns
        .iter()
        .chain(&args.baseline)
        .cloned()
        .collect();
    let mut records = finished::find(&args.results, &patterns)?;
    let names = records.iter().map(|(_, record)| &*record.experiment);
    let standing = Standing::of(&args.results, &args.experiments, names);
    records.retain(|(_, record)| {
        let complete = record.status == Status::Complete;
        if !complete {
            let label = record.label();
            say(format_args!("{label} did not complete and is left out"));
        }
        complete
    });
    refuse_damaged(&records)?;
    if !args.stale {
        refuse_stale(&standing, &records)?;
    }
    let mut runs: Vec<(String, Seeds)> = Vec::new();
    for pattern in &patterns {
        let selection = Selection::parse(std::slice::from_ref(pattern))?;
        let mut selected: BTreeMap<String, Seeds> = BTreeMap::new();
        for (folder, record) in &records {
            if selection.selects(&record.experiment, &record.run, record.seed) {
                let name = format!("{}/{}", record.experiment, record.run);
                let seeds = selected.entry(name).or_default();
                seeds.insert(record.seed, folder.clone());
            }
        }
        runs.extend(selected);
    }
    let mut distinct: Vec<(String, Seeds)> = Vec::new();
    for (name, seeds) in runs {
        let same = distinct.iter().filter(|(known, _)| *known == name);
        let shared = same
            .map(|(_, known)| known)
            .find(|known| known.keys().any(|seed| seeds.contains_key(seed)));
        match shared {
            None => distinct.push((name, seeds)),
            Some(known) if *known == seeds => {}
            Some(_) => {
                return Err(CommandError::Input(format!(
                    "two of the patterns select {name} with the same seed; a run cannot be compared with itself"
                )));
            }
        }
    }
    match distinct.as_slice() {
        [] => Err(CommandError::Input(
            "none of these runs completed; run them again with `ensayo run`".into(),
        )),
        [(only, _)] => Err(CommandError::Input(format!(
            "only {only} is left to compare; name a second run, or a pattern that matches several"
        ))),
        _ => Ok(distinct),
    }
}

/// Refuses results that lost rows of their predictions: a comparison would be of the rows left.
fn refuse_damaged(records: &[(PathBuf, RunRecord)]) -> Result<(), CommandError> {
    let mut damaged = records.iter().filter_map(|(folder, record)| {
        let left = record.files.get(PREDICTIONS_FILE)?;
        let now = fs::metadata(folder.join(PREDICTIONS_FILE)).map(|file| file.len());
        (now.ok() != Some(left.bytes)).then(|| record.label())
    });
    let Some(label) = damaged.next() else {
        return Ok(());
    };
    let others = match damaged.count() {
        0 => String::new(),
        more => format!(", nor are those of {more} more"),
    };
    Err(CommandError::Input(format!(
        "the predictions of {label} are not what the run left{others}; `ensayo run` makes them again"
    )))
}

/// Refuses results of other settings than their experiments have now: a comparison would mix them
/// up. What an experiment no longer has can only be meant as it is, as long as its seeds agree.
fn refuse_stale(standing: &Standing, records: &[(PathBuf, RunRecord)]) -> Result<(), CommandError> {
    const SHOWN: usize = 5;
    let stale: Vec<String> = records
        .iter()
        .filter_map(|(_, record)| {
            let reason = standing.staleness(record)?;
            let agrees = |other: &RunRecord| {
                (&other.experiment, &other.run) != (&record.experiment, &record.run)
                    || other.settings() == record.settings()
            };
            if !standing.has(record) && records.iter().all(|(_, other)| agrees(other)) {
                return None;
            }
            Some(format!("  {}: {reason}", record.label()))
        })
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    let more = match stale.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    Err(CommandError::Input(format!(
        "these results do not match what their experiments say now:\n{}{more}\n`ensayo run` brings them up to date; --stale compares them as they are",
        stale[..stale.len().min(SHOWN)].join("\n")
    )))
}

/// Prints tables and sentences for people.
pub(super) fn print(compared: &Compared, output: &mut dyn Write) -> Result<(), CommandError> {
    for said in &compared.verdict {
        writeln!(output, "{said}")?;
    }
    if !compared.verdict.is_empty() {
        writeln!(output)?;
    }
    for shown in &compared.tables {
        if !shown.title.is_empty() {
            writeln!(output, "{}", shown.title)?;
        }
        writeln!(output, "{}", table::lines(&shown.rows))?;
    }
    for remark in &compared.remarks {
        writeln!(output, "{remark}")?;
    }
    Ok(())
}

fn print_csv(compared: &Compared, output: &mut dyn Write) -> Result<(), CommandError> {
    let mut writer = CsvWriter::new(Vec::new());
    for row in &compared.rows {
        writer.write_record(row).map_err(CommandError::unexpected)?;
    }
    let text = writer.into_inner().map_err(CommandError::unexpected)?;
    output.write_all(&text)?;
    Ok(())
}
