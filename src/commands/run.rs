//! `ensayo run`: executes what is not done yet, then writes tables and plots.

use std::io::Write;
use std::sync::Arc;

use super::progress::Progress;
use super::{CommandError, Ended, plan, report, say};
use crate::cli::RunArgs;
use crate::plan::{Decision, Plan};
use crate::record;
use crate::runner::{ProcessLauncher, StopFlag, Sweep};

/// Plans, sweeps and reports.
///
/// # Errors
/// When something is wrong with the selected experiments or their inputs, or the report cannot be written. Runs that fail are
/// no error: see [`Ended::SomeFailed`].
pub fn run(args: &RunArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let results = &args.plan.places.results;
    let plan = plan::make(&args.plan)?;
    say(plan::headline(&plan));
    for planned in &plan.runs {
        if let Decision::Run(reason) = &planned.decision {
            say(format_args!("  {}: {reason}", planned.spec.label()));
        }
    }
    plan.write_files(results)?;

    let stop = StopFlag::new();
    let failed = sweep(args, &plan, &stop)?;
    let experiments = with_records(args, &plan);
    if !experiments.is_empty() {
        say("");
        report::write(results, &experiments, output)?;
    }
    Ok(match failed {
        _ if stop.is_raised() => Ended::Interrupted,
        0 => Ended::Done,
        _ => Ended::SomeFailed,
    })
}

/// Executes the jobs and tells how many runs failed.
fn sweep(args: &RunArgs, plan: &Plan, stop: &StopFlag) -> Result<usize, CommandError> {
    if plan.jobs.is_empty() {
        return Ok(0);
    }
    let program = std::env::current_exe().map_err(|error| {
        CommandError::Unexpected(format!("cannot find ensayo's own program file: {error}"))
    })?;
    let device = super::device::choose(&args.plan.device)?.to_string();
    let launcher = ProcessLauncher::new(program, ["job"], device.as_str());
    let progress = Arc::new(Progress::new(
        plan.jobs.iter().map(|job| job.runs.len()).sum(),
    ));
    let (raised, speaker) = (stop.clone(), Arc::clone(&progress));
    ctrlc::set_handler(move || {
        if !raised.is_raised() {
            speaker.say("stopping after the current step; once more stops at once");
        }
        raised.raise();
    })
    .map_err(|error| CommandError::Unexpected(format!("cannot catch Ctrl-C: {error}")))?;

    let sweep = Sweep {
        launcher: &launcher,
        at_once: args.jobs,
        fail_fast: args.fail_fast,
        device: &device,
        events: &|event| progress.hear(event),
        stop,
    };
    let end = sweep.run(&plan.jobs);
    progress.clear();
    Ok(end.failed())
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
