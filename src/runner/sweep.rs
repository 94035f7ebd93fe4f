//! The parent's side: launches the jobs of a plan, some at a time, and sees to it that every run ends in a known way.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::child::{blank, ended};
use super::{Event, RunLock, StopFlag};
use crate::plan::{Job, RunSpec};
use crate::record::{self, Status};

/// How long a run that another runner is at is left alone before the next look.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a worker without work looks around.
const TICK: Duration = Duration::from_millis(50);

/// Executes one job somewhere: the one expensive seam of the runner.
pub trait Launcher: Sync {
    /// Executes the job, passes on its events and returns at its end. Once `stop` is raised the job is to end after its
    /// current step, and at once when it is urgent.
    fn launch(&self, job: &Job, events: &mut dyn FnMut(Event), stop: &StopFlag) -> JobEnd;
}

/// How a job's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// By itself; what became of its runs, its events have told.
    Exited,
    /// Against its will, for this reason.
    Died(String),
    /// Since memory ran out, as these words tell.
    OutOfMemory(String),
    /// Killed because the wish to stop was urgent, or ended by a signal.
    Killed,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// Its record is complete.
    Complete,
    /// Its record has this error, or could not be written for this reason.
    Failed(String),
    /// It stopped before its end.
    Interrupted,
    /// It was not begun.
    NotStarted,
}

/// A run and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SweptRun {
    /// The run.
    pub spec: RunSpec,
    /// What became of it.
    pub end: RunEnd,
}

/// What became of a sweep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SweepEnd {
    /// All runs of all jobs, in order.
    pub runs: Vec<SweptRun>,
}

impl SweepEnd {
    /// How many runs failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.runs
            .iter()
            .filter(|run| matches!(run.end, RunEnd::Failed(_)))
            .count()
    }

    /// How many runs were interrupted.
    #[must_use]
    pub fn interrupted(&self) -> usize {
        self.runs
            .iter()
            .filter(|run| run.end == RunEnd::Interrupted)
            .count()
    }

    /// How many runs are complete.
    #[must_use]
    pub fn complete(&self) -> usize {
        self.runs
            .iter()
            .filter(|run| run.end == RunEnd::Complete)
            .count()
    }
}

/// How a sweep goes about its jobs.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// Executes jobs.
    pub launcher: &'a dyn Launcher,
    /// Jobs at the same time, at least 1.
    pub at_once: usize,
    /// Begin nothing more after the first failure.
    pub fail_fast: bool,
    /// `auto`, `cpu` or `cuda:N`, for the records of runs that died.
    pub device: &'a str,
    /// Hears of everything.
    pub events: &'a (dyn Fn(Event) + Sync),
    /// The wish to stop.
    pub stop: &'a StopFlag,
}

/// Jobs that wait, each not before its time.
type Queue = Mutex<VecDeque<(Instant, Job)>>;

impl Sweep<'_> {
    /// Executes the jobs in order. A run that another runner is at is put off until that one has ended it, or has died.
    #[must_use]
    pub fn run(&self, jobs: &[Job]) -> SweepEnd {
        let now = Instant::now();
        let queue: Queue = Mutex::new(jobs.iter().map(|job| (now, job.clone())).collect());
        let ends: Mutex<HashMap<String, RunEnd>> = Mutex::default();
        let announced: Mutex<HashSet<String>> = Mutex::default();
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..self.at_once.clamp(1, jobs.len().max(1)) {
                scope.spawn(|| {
                    while !(self.stop.is_raised()
                        || self.fail_fast && failed.load(Ordering::SeqCst))
                    {
                        let job = match next(&queue) {
                            Next::Job(job) => job,
                            Next::Later => {
                                std::thread::sleep(TICK);
                                continue;
                            }
                            Next::Nothing => break,
                        };
                        let mut busy = Vec::new();
                        for (spec, end) in self.job(job) {
                            let Some(end) = end else {
                                if lock(&announced).insert(spec.label()) {
                                    (self.events)(Event::Busy { run: spec.label() });
                                }
                                busy.push(spec);
                                continue;
                            };
                            if matches!(end, RunEnd::Failed(_)) {
                                failed.store(true, Ordering::SeqCst);
                            }
                            lock(&ends).insert(spec.label(), end);
                        }
                        if !busy.is_empty() {
                            let later = Instant::now() + PATIENCE;
                            let job = Job {
                                runs: busy,
                                halvings: 0,
                            };
                            lock(&queue).push_back((later, job));
                        }
                    }
                });
            }
        });
        let mut ends = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
        let runs = jobs.iter().flat_map(|job| &job.runs).map(|spec| SweptRun {
            spec: spec.clone(),
            end: ends.remove(&spec.label()).unwrap_or(RunEnd::NotStarted),
        });
        SweepEnd {
            runs: runs.collect(),
        }
    }

    /// Executes a job as far as other runners leave it to this one; `None` for a run that one of them is at.
    fn job(&self, job: Job) -> Vec<(RunSpec, Option<RunEnd>)> {
        let mut ends: Vec<(RunSpec, Option<RunEnd>)> = Vec::new();
        let mut ours = Vec::new();
        for spec in job.runs {
            // What needs no work spares a process; the child takes the lock and looks again.
            let event = match RunLock::acquire(&spec.work_folder()) {
                Ok(None) => {
                    ends.push((spec, None));
                    continue;
                }
                Ok(Some(_lock)) => ended(&spec),
                Err(_) => Ok(None),
            };
            match event {
                Ok(Some(event)) => {
                    let end = match &event {
                        Event::Found { status, .. } => found_end(*status),
                        _ => RunEnd::Complete,
                    };
                    (self.events)(event);
                    ends.push((spec, Some(end)));
                }
                // Where the result cannot be adopted, the child says what stands in the way.
                Ok(None) | Err(_) => ours.push(spec),
            }
        }
        let mut jobs = VecDeque::from([Job {
            runs: ours,
            halvings: job.halvings,
        }]);
        while let Some(job) = jobs.pop_front() {
            if !job.runs.is_empty() {
                let next = self.launch(&job, &mut ends);
                jobs.extend(next);
            }
        }
        ends
    }

    /// Executes a job in a process and says what became of its runs. Where memory ran out, it answers with the jobs that are left: the run
    /// that it happened to, with half as much at once, and those behind it as they would have come.
    fn launch(&self, job: &Job, ends: &mut Vec<(RunSpec, Option<RunEnd>)>) -> Vec<Job> {
        let started = Timestamp::now();
        let clock = Instant::now();
        let mut told: HashMap<String, Option<RunEnd>> = HashMap::new();
        let mut lost: HashMap<String, String> = HashMap::new();
        let end = self.launcher.launch(
            job,
            &mut |event| {
                match &event {
                    Event::Finished {
                        run,
                        status,
                        summary,
                    } => {
                        told.insert(run.clone(), Some(finished_end(*status, summary)));
                    }
                    Event::Found { run, status } => {
                        told.insert(run.clone(), Some(found_end(*status)));
                    }
                    Event::Adopted { run, .. } => {
                        told.insert(run.clone(), Some(RunEnd::Complete));
                    }
                    Event::Lost { run, reason } => {
                        lost.insert(run.clone(), reason.clone());
                    }
                    Event::Busy { run } => {
                        told.insert(run.clone(), None);
                        // Announced once, by the caller, however often it is tried.
                        return;
                    }
                    _ => {}
                }
                (self.events)(event);
            },
            self.stop,
        );
        let mut untold = Vec::new();
        for spec in &job.runs {
            let label = spec.label();
            if let Some(end) = told.remove(&label) {
                ends.push((spec.clone(), end));
            } else if let Some(reason) = lost.remove(&label) {
                let end = self.untold(spec, &JobEnd::Died(reason), started, clock.elapsed());
                ends.push((spec.clone(), end));
            } else {
                untold.push(spec.clone());
            }
        }
        let mut next = Vec::new();
        let end = match end {
            JobEnd::OutOfMemory(words) if !untold.is_empty() && !self.stop.is_raised() => {
                let behind = untold.split_off(1);
                let halvings = job.halvings + 1;
                if let Some(rows) = rows_after(&untold[0], halvings) {
                    (self.events)(Event::Note {
                        run: untold[0].label(),
                        text: format!("{words}; it goes on with at most {rows} rows at once"),
                    });
                    let runs = std::mem::take(&mut untold);
                    next.push(Job { runs, halvings });
                }
                let runs = behind;
                next.push(Job { runs, halvings: 0 });
                JobEnd::Died(format!("{words}. {REMEDIES}"))
            }
            JobEnd::OutOfMemory(words) => JobEnd::Died(words),
            end => end,
        };
        for spec in untold {
            let end = self.untold(&spec, &end, started, clock.elapsed());
            ends.push((spec, end));
        }
        next
    }

    /// What became of a run that its process did not speak of. A run that died gets its record here.
    fn untold(
        &self,
        spec: &RunSpec,
        end: &JobEnd,
        started: Timestamp,
        elapsed: Duration,
    ) -> Option<RunEnd> {
        let reason = match end {
            JobEnd::Killed => {
                (self.events)(Event::Finished {
                    run: spec.label(),
                    status: Status::Interrupted,
                    summary: String::new(),
                });
                return Some(RunEnd::Interrupted);
            }
            JobEnd::Exited if self.stop.is_raised() => return Some(RunEnd::NotStarted),
            JobEnd::Exited => "the job's process ended without executing the run",
            JobEnd::Died(reason) | JobEnd::OutOfMemory(reason) => reason,
        };
        // Its own lock died with it. Whoever holds it now is another runner, which has taken the run over.
        let work = spec.work_folder();
        let _lock = match RunLock::acquire(&work) {
            Ok(Some(lock)) => lock,
            Ok(None) => return None,
            Err(error) => return Some(RunEnd::Failed(format!("{reason}; no record: {error}"))),
        };
        match ended(spec) {
            Ok(Some(Event::Found { status, .. })) => return Some(found_end(status)),
            Ok(Some(_)) => return Some(RunEnd::Complete),
            Ok(None) | Err(_) => {}
        }
        let mut record = blank(spec, self.device, started, elapsed.as_secs_f64());
        record.error = Some(reason.to_owned());
        let written = record
            .write(&work)
            .and_then(|()| record::place_attempt(&work, &spec.folder));
        let error = match written {
            Ok(()) => reason.to_owned(),
            // The same fault, most likely, and the first time said it all.
            Err(_) if reason.starts_with("cannot write") => format!("{reason}; no record"),
            Err(error) => format!("{reason}; no record: {error}"),
        };
        let summary = error.lines().next().unwrap_or_default().to_owned();
        (self.events)(Event::Finished {
            run: spec.label(),
            status: Status::Failed,
            summary,
        });
        Some(RunEnd::Failed(error))
    }
}

/// What a run can do that has no rows left to take fewer of.
const REMEDIES: &str = "It cannot do with less at once: set a lower training.max_length, training.gradient_checkpointing = true or model.precision = \"bf16\", \
     run fewer jobs at a time, or free memory";

/// The rows that a run takes at once after so many halvings; none where that is no fewer than before.
fn rows_after(spec: &RunSpec, halvings: u32) -> Option<usize> {
    let rows = spec.settings.rows_at_once()?;
    let after = rows.checked_shr(halvings).unwrap_or(0);
    (after > 0).then_some(after)
}

fn finished_end(status: Status, summary: &str) -> RunEnd {
    match status {
        Status::Complete => RunEnd::Complete,
        Status::Failed => RunEnd::Failed(summary.to_owned()),
        Status::Interrupted => RunEnd::Interrupted,
    }
}

fn found_end(status: Status) -> RunEnd {
    finished_end(status, "it failed in another runner")
}

enum Next {
    Job(Job),
    /// All that wait are put off.
    Later,
    Nothing,
}

fn next(queue: &Queue) -> Next {
    let mut queue = lock(queue);
    let now = Instant::now();
    match queue.iter().position(|(time, _)| *time <= now) {
        Some(index) => queue
            .remove(index)
            .map_or(Next::Nothing, |(_, job)| Next::Job(job)),
        None if queue.is_empty() => Next::Nothing,
        None => Next::Later,
    }
}

/// No worker panics while it holds one of these locks in a way that would leave half a change behind.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
