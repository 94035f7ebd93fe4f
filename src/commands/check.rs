//! `ensayo check`: whether the experiments are sound, without running anything.

use std::io::Write;

use super::{CommandError, Ended, load, words};
use crate::cli::CheckArgs;
use crate::config;
use crate::plan::Selection;

/// Reports everything that is wrong with the selected experiments at once, or that nothing is; or
/// prints the schema.
///
/// # Errors
/// When something is wrong.
pub fn run(args: &CheckArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if args.schema {
        let schema =
            serde_json::to_string_pretty(&config::schema()).map_err(CommandError::unexpected)?;
        writeln!(output, "{schema}")?;
        return Ok(Ended::Done);
    }
    let selection = Selection::parse(&args.wanted.patterns)?;
    let loaded = load::load(&args.experiments, &args.wanted.overrides, &selection)?.sound()?;
    loaded.remark();
    let runs = loaded
        .candidates()
        .filter(|(experiment, run, seed)| selection.selects(experiment, run, *seed))
        .count();
    let experiments = words::count(loaded.grids.len(), "experiment");
    writeln!(
        output,
        "{} of {experiments}: all sound",
        words::count(runs, "run")
    )?;
    Ok(Ended::Done)
}
