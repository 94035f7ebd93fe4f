//! `ensayo plan`: what `ensayo run` would do, and why.

use std::io::Write;

use super::{CommandError, Ended, load, table, words};
use crate::cli::PlanArgs;
use crate::plan::{Decision, Plan, Planner, Selection};

/// Prints the number of runs, then a line for each with the decision and its estimate.
///
/// # Errors
/// When something is wrong with the selected experiments or their inputs.
pub fn run(args: &PlanArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let plan = make(args)?;
    writeln!(output, "{}", headline(&plan))?;
    let rows: Vec<_> = plan
        .runs
        .iter()
        .map(|planned| {
            let estimate = match (&planned.decision, planned.estimate_seconds) {
                (Decision::Skip, _) => String::new(),
                (Decision::Run(_), Some(seconds)) => format!("about {}", words::duration(seconds)),
                (Decision::Run(_), None) => "no estimate".to_owned(),
            };
            vec![planned.spec.label(), estimate, planned.decision.to_string()]
        })
        .collect();
    writeln!(output)?;
    write!(output, "{}", table::lines(&rows))?;
    Ok(Ended::Done)
}

/// Loads, lays out and decides.
pub(super) fn make(args: &PlanArgs) -> Result<Plan, CommandError> {
    let results = &args.places.results;
    if results.exists() && !results.is_dir() {
        return Err(CommandError::Input(format!(
            "{} is a file; --results names a folder for the results",
            results.display()
        )));
    }
    let selection = Selection::parse(&args.wanted.patterns)?;
    let loaded =
        load::load(&args.places.experiments, &args.wanted.overrides, &selection)?.sound()?;
    let planner = Planner {
        results,
        selection: &selection,
        force: args.force,
        device: &args.device,
    };
    Ok(planner.plan(&loaded.sources())?)
}

/// How many runs there are, how many of them will be executed, and how long that takes on the evidence so far.
pub(super) fn headline(plan: &Plan) -> String {
    let due = plan
        .runs
        .iter()
        .filter(|planned| matches!(planned.decision, Decision::Run(_)))
        .count();
    let done = plan.runs.len() - due;
    let runs = words::count(plan.runs.len(), "run");
    let experiments = words::count(plan.files.len(), "experiment");
    let time = match plan.estimate_seconds() {
        _ if due == 0 => String::new(),
        Some(seconds) => format!("; about {}", words::duration(seconds)),
        None => "; no estimate of the time, for want of records of the same shape".to_owned(),
    };
    format!("{runs} of {experiments}: {due} to execute, {done} done{time}")
}
