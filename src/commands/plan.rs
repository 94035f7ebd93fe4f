//! `ensayo plan`: what `ensayo run` would do, and why.

use std::io::Write;

use engine::device::Device;

use super::commits::Commits;
use super::downloads::Downloads;
use super::{CommandError, Ended, inputs, load, table, words};
use crate::cli::PlanArgs;
use crate::content::Contents;
use crate::plan::{Decision, Plan, Planned, Planner, Selection};
use crate::report::duration;
use crate::tasks::{self, Forecast};

/// Prints the number of runs, then a line for each with the decision and its estimate.
///
/// # Errors
/// When something is wrong with the selected experiments or their inputs.
pub fn run(args: &PlanArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let mut commits = Commits::of(&args.places.results, args.refresh)?;
    let plan = make(args, &mut commits)?;
    inputs(&plan)?;
    writeln!(output, "{}", headline(&plan))?;
    let device = Device::resolve(&args.device).map_err(CommandError::input)?;
    let memory = memory(&plan, device);
    let rows: Vec<_> = plan
        .runs
        .iter()
        .zip(&memory)
        .map(|(planned, memory)| {
            let estimate = match (&planned.decision, planned.estimate_seconds) {
                (Decision::Skip | Decision::Adopt(_), _) => String::new(),
                (Decision::Run(_), Some(seconds)) => format!("about {}", duration(seconds)),
                (Decision::Run(_), None) => "no estimate".to_owned(),
            };
            let memory = memory.map(words::bytes).unwrap_or_default();
            vec![
                planned.spec.label(),
                estimate,
                memory,
                planned.decision.to_string(),
            ]
        })
        .collect();
    writeln!(output)?;
    write!(output, "{}", table::lines(&rows))?;
    if let Some(warning) = too_large(&plan, &memory, device) {
        writeln!(output, "\n{warning}")?;
    }
    let downloads = downloads(&plan, &commits).lines();
    let shared = tasks::remarks(&plan, &args.places.results);
    for remark in commits.remarks().iter().chain(&downloads).chain(&shared) {
        writeln!(output, "\n{remark}")?;
    }
    Ok(Ended::Done)
}

/// The most memory that each run which is due should hold, where that can be said.
fn memory(plan: &Plan, device: Device) -> Vec<Option<u64>> {
    let mut forecast = Forecast::default();
    let of_run = |planned: &Planned| match &planned.decision {
        // What is wrong with the run's inputs, `run` says in full.
        Decision::Run(_) => tasks::of(&planned.spec.settings)
            .memory(&planned.spec, device, &mut forecast)
            .ok()
            .flatten(),
        Decision::Skip | Decision::Adopt(_) => None,
    };
    plan.runs.iter().map(of_run).collect()
}

/// Says that runs need more memory than the device has, if some do.
fn too_large(plan: &Plan, memory: &[Option<u64>], device: Device) -> Option<String> {
    let there = device.memory_bytes()?;
    let needs = plan.runs.iter().zip(memory);
    let large: Vec<(u64, String)> = needs
        .filter_map(|(planned, memory)| {
            Some((memory.filter(|&bytes| bytes > there)?, planned.spec.label()))
        })
        .collect();
    let (bytes, label) = large.iter().max()?;
    let count = words::count(large.len(), "run");
    let verb = if large.len() == 1 { "needs" } else { "need" };
    Some(format!(
        "Warning: {count} {verb} more memory than the {} {}; {label} should take {}. \
         A smaller training.micro_batch_size takes less and leaves the batch as it is, training.gradient_checkpointing takes less for more time, \
         a smaller training.max_length cuts texts.",
        words::bytes(there),
        match device {
            Device::Cpu => "that are free".to_owned(),
            Device::Cuda(_) => format!("of {device}"),
        },
        words::bytes(*bytes),
    ))
}

/// Looks at the inputs of the runs that are due; returns the facts worth telling.
///
/// # Errors
/// With everything about them that would make runs fail.
pub(super) fn inputs(plan: &Plan) -> Result<Vec<String>, CommandError> {
    let due = plan
        .runs
        .iter()
        .filter(|planned| matches!(planned.decision, Decision::Run(_)));
    inputs::look(due.map(|planned| (&*planned.spec.experiment, &planned.spec.settings)))
}

/// What the runs that are due need from elsewhere.
pub(super) fn downloads(plan: &Plan, commits: &Commits) -> Downloads {
    let due = plan
        .runs
        .iter()
        .filter(|planned| matches!(planned.decision, Decision::Run(_)));
    let needs = due.flat_map(|planned| {
        let needs = tasks::needs(&planned.spec.settings).into_iter();
        needs.map(|need| (&*planned.spec.experiment, need))
    });
    Downloads::of(commits, needs)
}

/// Loads, lays out and decides.
pub(super) fn make(args: &PlanArgs, commits: &mut Commits) -> Result<Plan, CommandError> {
    let results = &args.places.results;
    if args.rehash {
        Contents::forget(results).map_err(CommandError::input)?;
    }
    let selection = Selection::parse(&args.wanted.patterns)?;
    let (folder, overrides) = (&args.places.experiments, &args.wanted.overrides);
    let mut loaded = load::load_on(folder, overrides, &selection, commits)?.sound()?;
    loaded.say_skipped();
    commits.pin(&mut loaded.grids, Some(&selection))?;
    let format = super::device::format(&args.device)?;
    let planner = Planner {
        results,
        selection: &selection,
        force: args.force,
        device: &args.device,
        format: Some(&format),
    };
    let sources = loaded.sources();
    if args.wanted.overrides.is_empty() {
        return Ok(planner.plan(&sources)?);
    }
    // Where the files cannot do without what was set, that is what results are measured by.
    let plain = load::load_on(folder, &[], &selection, commits);
    let mut plain = plain.and_then(load::Loaded::sound).ok();
    if let Some(plain) = &mut plain {
        commits.pin(&mut plain.grids, None)?;
    }
    let standing = plain.as_ref().map(load::Loaded::sources);
    Ok(planner.plan_beside(&sources, standing.as_deref().unwrap_or(&sources))?)
}

/// How many runs there are, how many of them will be executed, and how long that takes on the
/// evidence so far.
pub(super) fn headline(plan: &Plan) -> String {
    let count = |wanted: fn(&Decision) -> bool| {
        let decisions = plan.runs.iter().map(|planned| &planned.decision);
        decisions.filter(|decision| wanted(decision)).count()
    };
    let due = count(|decision| matches!(decision, Decision::Run(_)));
    let adopted = match count(|decision| matches!(decision, Decision::Adopt(_))) {
        0 => String::new(),
        number => format!("{number} to adopt, "),
    };
    let done = count(|decision| *decision == Decision::Skip);
    let runs = words::count(plan.runs.len(), "run");
    let experiments = words::count(plan.files.len(), "experiment");
    let time = match plan.estimate_seconds() {
        _ if due == 0 => String::new(),
        Some(seconds) => format!("; about {}", duration(seconds)),
        None => "; no estimate of the time: no similar run has a record".to_owned(),
    };
    format!("{runs} of {experiments}: {due} to execute, {adopted}{done} done{time}")
}
