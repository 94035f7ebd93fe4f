//! `ensayo check`: whether the experiments are sound, without running anything.

use std::collections::BTreeSet;
use std::io::Write;

use super::commits::Commits;
use super::{CommandError, Ended, inputs, load, studies, words};
use crate::cli::CheckArgs;
use crate::config;
use crate::plan::Selection;

/// Reports everything that is wrong with the selected experiments at once, or that nothing is; or
/// prints the schema or the reference of the settings.
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
    if args.reference {
        write!(output, "{}", config::reference())?;
        return Ok(Ended::Done);
    }
    let selection = Selection::parse(&args.wanted.patterns)?;
    let machine = Commits::default();
    let loaded = load::load_on(
        &args.experiments,
        &args.wanted.overrides,
        &selection,
        &machine,
    )?
    .sound()?;
    loaded.say_skipped();
    let found = if selection.is_everything() {
        studies::check(&args.experiments, &loaded.runs())?
    } else {
        None
    };
    let candidates = loaded.candidates();
    let selected: Vec<_> = candidates
        .filter(|(experiment, run, seed)| selection.selects(experiment, run, *seed))
        .collect();
    let names: BTreeSet<(&str, &str)> = selected
        .iter()
        .map(|(experiment, run, _)| (*experiment, *run))
        .collect();
    let cells = loaded.grids.iter().flat_map(|grid| {
        let name = grid.experiment.name.as_str();
        grid.cells.iter().map(move |cell| (name, cell))
    });
    let cells = cells.filter(|(name, cell)| names.contains(&(*name, cell.name.as_str())));
    let facts = inputs::look(cells.map(|(name, cell)| (name, &cell.settings)))?;
    for fact in facts {
        writeln!(output, "{fact}")?;
    }
    let experiments = words::count(loaded.grids.len(), "experiment");
    writeln!(
        output,
        "{} of {experiments}: all sound",
        words::count(selected.len(), "run")
    )?;
    if let Some(found) = found {
        writeln!(output, "{found}")?;
    }
    Ok(Ended::Done)
}
