//! `ensayo report`: tables and plots from what runs left.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use super::{CommandError, Ended, compare, finished, screen, standing};
use crate::cli::ReportArgs;
use crate::report::{self, ReportError};

/// Writes tables, plots and the page, and prints the tables.
///
/// # Errors
/// When a pattern matches nothing, or a file cannot be written.
pub fn run(args: &ReportArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let records = finished::find(&args.results, &args.patterns)?;
    let experiments: BTreeSet<String> = records
        .into_iter()
        .map(|(_, record)| record.experiment)
        .collect();
    let experiments: Vec<String> = experiments.into_iter().collect();
    let names = experiments.iter().map(String::as_str).collect();
    standing::refresh(&args.results, &args.experiments, &names);
    write(&args.results, &experiments, output)?;
    Ok(Ended::Done)
}

/// Writes the report of these experiments, prints their tables and says where everything is.
pub(super) fn write(
    results: &Path,
    experiments: &[String],
    output: &mut dyn Write,
) -> Result<(), CommandError> {
    let report = report::build(results, experiments).map_err(CommandError::unexpected)?;
    let written = report.write(results).map_err(|error| match error {
        ReportError::Write(error) => error.into(),
        other => CommandError::unexpected(other),
    })?;
    for experiment in experiments {
        if let Some(table) = report.terminal_table(experiment, screen::output_columns()) {
            writeln!(output, "{}\n", table.trim_end())?;
        }
        if let Some(comparison) = report.comparison(experiment) {
            compare::print(comparison, output)?;
            writeln!(output)?;
        }
        writeln!(
            output,
            "{experiment}: {}",
            results.join(experiment).display()
        )?;
    }
    writeln!(output, "page: {}", written.page.display())?;
    Ok(())
}
