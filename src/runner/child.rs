//! The child's side: executes the runs of one job, each under its lock, and leaves their records.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::wire::{Assignment, INTERRUPTED, STOP};
use super::{Context, Event, Execute, ExecuteError, Outcome, RunLock, StopFlag};
use crate::content::{self, Contents};
use crate::plan::{Change, Job, RunSpec};
use crate::record::{
    self, CHECKPOINT_FILE, Environment, LeftFile, LeftFiles, MeasurementRow, RecordError,
    RunRecord, Sitting, Status, sittings,
};

/// The child cannot do what its parent asks.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// There is no assignment on standard input.
    #[error("no job on standard input: {0}; this command is for ensayo's own use")]
    Assignment(String),
    /// A run's folder or lock cannot be used.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// How long a process without a parent may take to end its step.
const GRACE: Duration = Duration::from_millis(400);
/// How long the end of a process may take before it is aborted: some drivers wait for what they compile.
const PATIENCE: Duration = Duration::from_millis(300);

/// Reads an assignment from `input`, executes it and writes events to `output`. A line `stop` on the input asks to stop after
/// the current step, and so does a signal that would end the process; a second signal ends it. The end of the input ends the
/// process too, wherever it stands: whoever wanted the results is gone, and what is done is done. Only a record that is being
/// written is waited for.
///
/// # Errors
/// When there is no assignment, or a run's folder cannot be written. A run that fails is no error but a record.
pub fn serve<I, O>(mut input: I, mut output: O, execute: &dyn Execute) -> Result<(), ChildError>
where
    I: BufRead + Send + 'static,
    O: Write,
{
    let mut line = String::new();
    input
        .read_line(&mut line)
        .map_err(|error| ChildError::Assignment(error.to_string()))?;
    let Assignment { job, device, log } =
        serde_json::from_str(&line).map_err(|error| ChildError::Assignment(error.to_string()))?;

    let stop = StopFlag::new();
    let signalled = heed_signals(&stop);
    let raised = stop.clone();
    // Not joined: it ends with the process, or with its input.
    std::thread::spawn(move || {
        for line in input.lines() {
            match line {
                Ok(line) if line.trim() == STOP => raised.raise(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        raised.raise();
        std::thread::sleep(GRACE);
        let _closing = raised.closing();
        leave();
    });

    let mut send = |event: Event| {
        // A parent that no longer listens is gone, and the end of the input says so too.
        if let Ok(mut line) = serde_json::to_vec(&event) {
            line.push(b'\n');
            let _ = output.write_all(&line).and_then(|()| output.flush());
        }
    };
    work(&job, &device, log.as_deref(), execute, &mut send, &stop)?;
    if signalled.load(Ordering::SeqCst) {
        leave();
    }
    Ok(())
}

/// Takes a signal that would end the process for the wish to stop: whoever ends all processes of a sweep interrupts it, and
/// breaks nothing. Tells whether there was one.
fn heed_signals(stop: &StopFlag) -> Arc<AtomicBool> {
    let signalled = Arc::new(AtomicBool::new(false));
    let (heard, raised) = (Arc::clone(&signalled), stop.clone());
    // Where signals cannot be caught, they end the process as ever.
    let _ = ctrlc::set_handler(move || {
        if heard.swap(true, Ordering::SeqCst) {
            let _closing = raised.closing();
            leave();
        }
        raised.raise();
    });
    signalled
}

/// Ends the process, whatever its other threads are at.
fn leave() -> ! {
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        std::process::abort();
    });
    std::process::exit(INTERRUPTED)
}

/// Executes a job in the calling process. [`serve`] does this in a child.
///
/// # Errors
/// When a run's folder or lock cannot be used.
pub fn run_job(
    job: &Job,
    device: &str,
    execute: &dyn Execute,
    events: &mut dyn FnMut(Event),
    stop: &StopFlag,
) -> Result<(), ChildError> {
    work(job, device, None, execute, events, stop)
}

fn work(
    job: &Job,
    device: &str,
    mut log: Option<&Path>,
    execute: &dyn Execute,
    events: &mut dyn FnMut(Event),
    stop: &StopFlag,
) -> Result<(), ChildError> {
    for spec in &job.runs {
        if stop.is_raised() {
            break;
        }
        // The first run's folder gets the log.
        if let Err(error) = owned(spec, job.halvings, device, &mut log, execute, events, stop) {
            // Said over the pipe: where the folder cannot be written, the log often cannot either.
            events(Event::Lost {
                run: spec.label(),
                reason: error.to_string(),
            });
            return Err(error.into());
        }
    }
    Ok(())
}

/// Executes a run under its lock, unless another runner is at it or has ended it.
fn owned(
    spec: &RunSpec,
    halvings: u32,
    device: &str,
    log: &mut Option<&Path>,
    execute: &dyn Execute,
    events: &mut dyn FnMut(Event),
    stop: &StopFlag,
) -> Result<(), RecordError> {
    let run = spec.label();
    let work = spec.work_folder();
    let Some(_lock) = RunLock::acquire(&work)? else {
        events(Event::Busy { run });
        return Ok(());
    };
    if let Some(end) = ended(spec)? {
        events(end);
        return Ok(());
    }
    let earlier = sittings::earlier(&work);
    let kept = [
        CHECKPOINT_FILE,
        record::ANSWERED_FILE,
        record::SITTINGS_FILE,
    ];
    record::take_up(&work, &spec.folder, &kept)?;
    let earlier = if earlier.is_empty() {
        sittings::earlier(&work)
    } else {
        earlier
    };
    if let Some(log) = log.take() {
        let path = work.join(record::LOG_FILE);
        match fs::rename(log, &path) {
            // Somebody cleared it away: no reason to lose the run.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            moved => moved.map_err(|source| RecordError::Write { path, source })?,
        }
    }
    one(spec, halvings, device, earlier, execute, events, stop)
}

/// What there is to say of a run that needs no work: another runner ended it since the plan was
/// made, or a finished result of its identity stands elsewhere and takes its place now. To be called
/// by the owner of the run's work.
pub(super) fn ended(spec: &RunSpec) -> Result<Option<Event>, RecordError> {
    let run = spec.label();
    if let Some(status) = found(spec, &spec.folder) {
        return Ok(Some(Event::Found { run, status }));
    }
    let work = spec.work_folder();
    let source = match found(spec, &work) {
        // Its owner was killed before the result had its place.
        Some(Status::Complete) => Some(&work),
        Some(status) => return Ok(Some(Event::Found { run, status })),
        None => spec.source.as_ref(),
    };
    let Some(source) = source else {
        return Ok(None);
    };
    // Cleared away since, or not computed after all.
    let Some(original) = record::read(source).ok().flatten() else {
        return Ok(None);
    };
    let status = original.status;
    let whole = status == Status::Complete && original.damage(source).is_none();
    if !whole || original.identity != spec.identity {
        return Ok(None);
    }
    if *source == work && original.label() == run {
        record::place(&work, &spec.folder)?;
        return Ok(Some(Event::Found { run, status }));
    }
    let from = original
        .adopted_from
        .clone()
        .unwrap_or_else(|| original.label());
    let own = RunRecord {
        experiment: spec.experiment.clone(),
        run: spec.run.clone(),
        seed: spec.seed,
        overrides: spec.overrides.clone(),
        adopted_from: (from != run).then(|| from.clone()),
        ..original
    };
    record::adopt(source, &own, &spec.run_file(), &spec.folder)?;
    Ok(Some(Event::Adopted { run, from }))
}

/// How another runner ended the run since the plan was made, if it left a record in this folder.
fn found(spec: &RunSpec, folder: &Path) -> Option<Status> {
    let record = record::read(folder).ok().flatten()?;
    let later = !spec.seen.contains(&record.started);
    let ended = record.status != Status::Interrupted;
    (later && ended && record.identity == spec.identity).then_some(record.status)
}

fn one(
    spec: &RunSpec,
    halvings: u32,
    device: &str,
    mut sittings: Vec<Sitting>,
    execute: &dyn Execute,
    events: &mut dyn FnMut(Event),
    stop: &StopFlag,
) -> Result<(), RecordError> {
    let run = spec.label();
    events(Event::Started { run: run.clone() });
    let started = Timestamp::now();
    let clock = Instant::now();
    let work = spec.work_folder();
    spec.run_file().write(&work)?;
    let before: f64 = sittings.iter().map(|sitting| sitting.seconds).sum();
    sittings.push(Sitting {
        started: started.to_string(),
        device: device.to_owned(),
        seconds: 0.0,
    });
    sittings::write(&work, &sittings)?;

    let mut context = Context {
        folder: &work,
        device,
        halvings,
        events,
        stop,
    };
    let result = match inputs_are_the_plans(spec) {
        Ok(()) => execute.execute(spec, &mut context),
        Err(error) => Err(error),
    };
    let _closing = stop.closing();
    let seconds = clock.elapsed().as_secs_f64();
    if let Some(last) = sittings.last_mut() {
        last.seconds = seconds;
    }
    let mut record = to_record(spec, device, result, started, before + seconds);
    record::write_rows(&work, &record.metrics)?;
    record::write_rows(&work, &record.measurements)?;
    let complete = record.status == Status::Complete;
    if complete {
        // Before the record: whatever kills the process in between, no finished run keeps a checkpoint.
        record::remove_sitting_files(&work)?;
        record.files = left(&work)?;
    } else {
        sittings::write(&work, &sittings)?;
    }
    record.sittings = sittings;
    record.write(&work)?;
    if complete {
        record::place(&work, &spec.folder)?;
    } else {
        record::place_attempt(&work, &spec.folder)?;
    }
    events(Event::Finished {
        run,
        status: record.status,
        summary: summary(&record),
    });
    Ok(())
}

/// The files of a result, which is to be found whole for as long as its record stands.
fn left(work: &Path) -> Result<LeftFiles, RecordError> {
    let names = record::result_files(work)?;
    let files = names.into_iter().map(|name| {
        let path = work.join(&name);
        let bytes = fs::metadata(&path).map(|file| file.len());
        let sum = bytes.and_then(|bytes| Ok((bytes, content::sha256(&path)?)));
        match sum {
            Ok((bytes, sha256)) => Ok((name, LeftFile { bytes, sha256 })),
            Err(source) => Err(RecordError::Read { path, source }),
        }
    });
    files.collect()
}

/// A sweep may take hours, in which inputs may be edited: a result of other inputs must not pass for the planned one.
fn inputs_are_the_plans(spec: &RunSpec) -> Result<(), ExecuteError> {
    let changes = spec.changes(&mut Contents::open(spec.results()))?;
    if changes.is_empty() {
        return Ok(());
    }
    let changes: Vec<_> = changes.iter().map(Change::to_string).collect();
    Err(ExecuteError::message(format!(
        "changed after the sweep began: {}; run again",
        changes.join(", ")
    )))
}

fn to_record(
    spec: &RunSpec,
    device: &str,
    result: Result<Outcome, ExecuteError>,
    started: Timestamp,
    wall_seconds: f64,
) -> RunRecord {
    let mut record = blank(spec, device, started, wall_seconds);
    match result {
        Ok(outcome) => {
            record.status = if outcome.interrupted {
                Status::Interrupted
            } else {
                Status::Complete
            };
            record.metrics = outcome.metrics;
            record.measurements.extend(outcome.measurements);
            record.labels = outcome.labels;
            record.notes = outcome.notes;
            let planned = std::mem::replace(&mut record.environment, outcome.environment);
            if record.environment.content.is_empty() {
                record.environment.content = planned.content;
            }
            record.environment.paths = planned.paths;
            if record.environment.device.is_empty() {
                record.environment.device = planned.device;
            }
            if record.environment.version.is_empty() {
                record.environment.version = planned.version;
            }
            if record.environment.threads == 0 {
                record.environment.threads = planned.threads;
            }
            record.environment.commit = record.environment.commit.or(planned.commit);
        }
        Err(error) => record.error = Some(error.to_string()),
    }
    record
}

/// The record of a run that failed, before its error is known.
pub(super) fn blank(
    spec: &RunSpec,
    device: &str,
    started: Timestamp,
    wall_seconds: f64,
) -> RunRecord {
    RunRecord {
        schema: record::SCHEMA,
        experiment: spec.experiment.clone(),
        run: spec.run.clone(),
        seed: spec.seed,
        kind: spec.settings.kind().to_string(),
        status: Status::Failed,
        identity: spec.identity.clone(),
        identity_parts: spec.identity_parts.clone(),
        overrides: spec.overrides.clone(),
        adopted_from: None,
        started: started.to_string(),
        wall_seconds,
        sittings: Vec::new(),
        metrics: Vec::new(),
        measurements: vec![MeasurementRow {
            metric: "wall_seconds".into(),
            value: wall_seconds,
        }],
        labels: Vec::new(),
        notes: Vec::new(),
        files: BTreeMap::new(),
        environment: Environment {
            version: env!("CARGO_PKG_VERSION").into(),
            commit: option_env!("ENSAYO_COMMIT").map(str::to_owned),
            threads: rayon::current_num_threads(),
            device: device.into(),
            content: spec.content(),
            paths: spec.paths(),
            ..Environment::default()
        },
        error: None,
    }
}

/// One line about a run that ended: its error, or its main metrics.
fn summary(record: &RunRecord) -> String {
    const MAIN: [(&str, &str); 4] = [
        ("test", "accuracy"),
        ("test", "macro_f1"),
        ("test", "loss"),
        ("questions", "mrr"),
    ];
    if let Some(error) = &record.error {
        return error.lines().next().unwrap_or_default().to_owned();
    }
    if record.status != Status::Complete {
        return String::new();
    }
    let metrics: Vec<_> = MAIN
        .iter()
        .filter_map(|(evaluation, name)| {
            Some(format!("{name} {:.4}", record.metric(evaluation, name)?))
        })
        .collect();
    metrics.join(", ")
}
