//! `ensayo run`: executes what is not done yet, then writes tables and plots.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};
use std::sync::Arc;

use super::commits::Commits;
use super::progress::Progress;
use super::{CommandError, Ended, plan, report, say, standing, studies};
use crate::cli::{PlanArgs, RunArgs};
use crate::plan::{Decision, Job, Plan, RunSpec};
use crate::record;
use crate::runner::{ProcessLauncher, StopFlag, Sweep, SweepEnd};
use crate::tasks;

/// Plans, sweeps and reports.
///
/// # Errors
/// When something is wrong with the selected experiments or their inputs, or the report cannot be
/// written. Runs that fail are no error: see [`Ended::SomeFailed`].
pub fn run(args: &RunArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if args.dry_run {
        return plan::run(&args.plan, output);
    }
    super::device::find_compiler_first(&args.plan.device);
    let results = &args.plan.places.results;
    record::tidy(results);
    let mut commits = Commits::of(results, args.plan.refresh)?;
    let mut plan = plan::make(&args.plan, &mut commits)?;
    let skipped = out_of_reach(&args.plan, &plan, &commits);
    plan.keep(|experiment| !skipped.contains(experiment));
    for line in skip_refused(&mut plan)? {
        say(line);
    }
    say(plan::headline(&plan));
    for remark in commits.remarks() {
        say(format_args!("  {remark}"));
    }
    if fetch(&plan, &commits)? {
        // What has come may not be what the settings take it for.
        plan = plan::make(&args.plan, &mut commits)?;
        plan.keep(|experiment| !skipped.contains(experiment));
        skip_refused(&mut plan)?;
    }
    for fact in plan::inputs(&plan)? {
        say(format_args!("  {fact}"));
    }
    say_why(&plan);
    plan.write_files(results)?;
    commits.keep(results)?;
    record::remove_leftovers(results);

    let stop = StopFlag::new();
    let end = sweep(args, &plan, &stop)?;
    let failed = end.failed();
    let experiments = with_records(args, &plan);
    if !experiments.is_empty() {
        say("");
        let names = experiments.iter().map(String::as_str).collect();
        standing::refresh(results, &args.plan.places.experiments, &names);
        let studies = studies::of(&args.plan.places.experiments, &experiments);
        let wanted = report::Wanted {
            experiments: &experiments,
            studies: &studies,
            sort: args.sort.as_deref(),
            every_run: false,
            formats: &[],
        };
        match report::write(results, &wanted, output) {
            // Whoever reads the tables has had enough; how the sweep ended stands all the same.
            Err(CommandError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            // Why runs failed has been said, and matters more.
            Err(error) if failed > 0 => say(format_args!("no report: {error}")),
            written => written?,
        }
    }
    Ok(match failed {
        _ if stop.is_raised() || end.interrupted() > 0 => Ended::Interrupted,
        0 => Ended::Done,
        _ => Ended::SomeFailed,
    })
}

/// Where all experiments are asked for: those that need something which cannot be had now. They are
/// named with the reason, and the others go on without them.
fn out_of_reach(args: &PlanArgs, plan: &Plan, commits: &Commits) -> BTreeSet<String> {
    if !args.wanted.patterns.is_empty() {
        return BTreeSet::new();
    }
    let downloads = plan::downloads(plan, commits);
    let faults = || downloads.faults.by_experiment();
    let skipped: BTreeSet<String> = faults().map(|(name, _)| name.to_owned()).collect();
    if (plan.runs.iter()).all(|planned| skipped.contains(&planned.spec.experiment)) {
        // Nothing is left to go on with, which is an error.
        return BTreeSet::new();
    }
    for (experiment, fault) in faults() {
        say(format_args!("{experiment}: skipped: {fault}"));
    }
    skipped
}

/// Fetches what the runs need; says whether anything was missing. What is wrong with what is here
/// already is said before.
fn fetch(plan: &Plan, commits: &Commits) -> Result<bool, CommandError> {
    let downloads = plan::downloads(plan, commits);
    downloads.faults.none()?;
    if !downloads.lines().is_empty() {
        plan::inputs(plan)?;
    }
    Ok(downloads.fetch(commits)? > 0)
}

/// Leaves out the runs that this version cannot execute, and says which they are and why.
///
/// # Errors
/// When there are no others.
fn skip_refused(plan: &mut Plan) -> Result<Vec<String>, CommandError> {
    let refusal = |spec: &RunSpec| tasks::of(&spec.settings).refusal();
    let due: Vec<&RunSpec> = plan.jobs.iter().flat_map(|job| &job.runs).collect();
    let mut refused: Vec<(String, Vec<String>)> = Vec::new();
    for spec in due {
        let Some(reason) = refusal(spec) else {
            continue;
        };
        match refused.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, labels)) => labels.push(spec.label()),
            None => refused.push((reason, vec![spec.label()])),
        }
    }
    let count: usize = refused.iter().map(|(_, labels)| labels.len()).sum();
    if count > 0 && count == plan.runs.len() {
        refuse(plan, refusal)?;
    }
    let labels: BTreeSet<&String> = refused.iter().flat_map(|(_, labels)| labels).collect();
    plan.leave_out(|spec| labels.contains(&spec.label()));
    let lines = refused
        .iter()
        .map(|(reason, labels)| format!("{}: skipped: {reason}", labels.join(", ")));
    Ok(lines.collect())
}

/// Refuses runs that cannot be executed, before anything runs.
fn refuse(plan: &Plan, refusal: impl Fn(&RunSpec) -> Option<String>) -> Result<(), CommandError> {
    let specs = plan.jobs.iter().flat_map(|job| &job.runs);
    let refused: Vec<_> = specs
        .filter_map(|spec| Some((spec, refusal(spec)?)))
        .collect();
    let Some((_, reason)) = refused.first() else {
        return Ok(());
    };
    let names: BTreeSet<_> = refused
        .iter()
        .map(|(spec, _)| format!("`{}`", spec.experiment))
        .collect();
    let names: Vec<_> = names.into_iter().collect();
    Err(CommandError::Input(format!(
        "{}: {reason}; nothing was run: name the experiments to run without {}",
        names.join(", "),
        if names.len() == 1 { "it" } else { "them" }
    )))
}

/// Says why each run is executed; once, where all have the same reason.
fn say_why(plan: &Plan) {
    let reasons: Vec<_> = plan
        .runs
        .iter()
        .filter_map(|planned| match &planned.decision {
            Decision::Skip => None,
            decision => Some((planned.spec.label(), decision.to_string())),
        })
        .collect();
    match reasons.as_slice() {
        [(_, first), _, ..] if reasons.iter().all(|(_, reason)| reason == first) => {
            say(format_args!("  all of them: {first}"));
        }
        _ => {
            for (label, reason) in &reasons {
                say(format_args!("  {label}: {reason}"));
            }
        }
    }
}

/// Executes the jobs and tells what became of their runs.
fn sweep(args: &RunArgs, plan: &Plan, stop: &StopFlag) -> Result<SweepEnd, CommandError> {
    if plan.jobs.is_empty() {
        return Ok(SweepEnd::default());
    }
    let (device, card) = super::device::choose(&args.plan.device)?;
    if let Some(card) = &card {
        refuse(plan, |spec| tasks::refusal_of_card(&spec.settings, card))?;
    }
    let due = plan
        .runs
        .iter()
        .filter_map(|planned| match planned.decision {
            Decision::Skip => None,
            Decision::Adopt(_) => Some((planned.spec.label(), Some(0.0))),
            Decision::Run(_) => Some((planned.spec.label(), planned.estimate_seconds)),
        });
    let pace = Pace {
        at_once: args.jobs,
        fail_fast: args.fail_fast,
    };
    execute(&plan.jobs, due.collect(), pace, &device.to_string(), stop)
}

/// How many jobs are executed at once, and whether any begin after the first failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) at_once: usize,
    pub(super) fail_fast: bool,
}

/// Executes jobs and tells what became of their runs, which are `due` with their estimates in
/// seconds. Ctrl-C stops them.
pub(super) fn execute(
    jobs: &[Job],
    due: Vec<(String, Option<f64>)>,
    pace: Pace,
    device: &str,
    stop: &StopFlag,
) -> Result<SweepEnd, CommandError> {
    let program = std::env::current_exe().map_err(|error| {
        CommandError::Unexpected(format!("cannot find ensayo's own program file: {error}"))
    })?;
    let launcher = ProcessLauncher::new(program, ["job"], device);
    let progress = Arc::new(Progress::new(due, pace.at_once));
    let (raised, speaker) = (stop.clone(), Arc::clone(&progress));
    ctrlc::set_handler(move || {
        if !raised.is_raised() {
            speaker.say("stopping after the current step; press Ctrl-C again to stop at once");
        }
        raised.raise();
    })
    .map_err(|error| CommandError::Unexpected(format!("cannot catch Ctrl-C: {error}")))?;

    let sweep = Sweep {
        launcher: &launcher,
        at_once: pace.at_once,
        fail_fast: pace.fail_fast,
        device,
        events: &|event| progress.hear(event),
        stop,
    };
    let end = sweep.run(jobs);
    progress.clear();
    Ok(end)
}

/// The selected experiments of which any run has a record.
fn with_records(args: &RunArgs, plan: &Plan) -> Vec<String> {
    let results = &args.plan.places.results;
    let mut experiments: Vec<String> = plan
        .files
        .iter()
        .map(|file| file.experiment.clone())
        .collect();
    experiments.retain(|name| {
        plan.runs.iter().any(|planned| {
            let spec = &planned.spec;
            spec.experiment == *name
                && record::run_folder(results, name, &spec.run, spec.seed)
                    .join(record::RECORD_FILE)
                    .exists()
        })
    });
    experiments
}
