//! `ensayo list`: the experiments, or the runs that patterns match.

use std::io::Write;

use super::{CommandError, Ended, load, table};
use crate::cli::ListArgs;
use crate::plan::Selection;

/// Without patterns, an experiment a line; with patterns, a run a line.
///
/// # Errors
/// When there are no experiments, or a pattern matches nothing.
pub fn run(args: &ListArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let selection = Selection::parse(&args.wanted.patterns)?;
    let loaded = load::load(&args.experiments, &args.wanted.overrides, &selection)?;
    if args.wanted.patterns.is_empty() {
        let head = ["experiment", "kind", "runs", "seeds", "description"]
            .map(str::to_owned)
            .to_vec();
        let rows = loaded.grids.iter().map(|grid| {
            let experiment = &grid.experiment;
            let seeds: Vec<_> = experiment.seeds.iter().map(u64::to_string).collect();
            let runs = grid.cells.len() * experiment.seeds.len();
            let description = experiment
                .description
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            vec![
                experiment.name.clone(),
                experiment.kind.to_string(),
                runs.to_string(),
                seeds.join(" "),
                description,
            ]
        });
        let unsound = loaded.unsound().into_iter().map(|name| {
            let unknown = String::new;
            vec![
                name,
                unknown(),
                unknown(),
                unknown(),
                "has problems: see `ensayo check`".to_owned(),
            ]
        });
        let skipped = loaded.skipped().map(|(name, why)| {
            let unknown = String::new;
            vec![name.to_owned(), unknown(), unknown(), unknown(), why]
        });
        let mut rows: Vec<_> = rows.chain(unsound).chain(skipped).collect();
        rows.sort();
        rows.insert(0, head);
        write!(output, "{}", table::lines(&rows))?;
    } else {
        for (experiment, run, seed) in loaded.candidates() {
            if selection.selects(experiment, run, seed) {
                writeln!(output, "{experiment}/{run}@{seed}")?;
            }
        }
    }
    Ok(Ended::Done)
}
