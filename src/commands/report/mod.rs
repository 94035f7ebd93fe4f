//! `ensayo report`: tables and plots from what runs left.

mod watch;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use super::{CommandError, Ended, compare, finished, say, screen, standing, words};
use crate::cli::ReportArgs;
use crate::report::{self, Exported, Format, ReportError};

/// Writes tables, plots and the page, and prints the tables.
///
/// # Errors
/// When a pattern matches nothing, or a file cannot be written.
pub fn run(args: &ReportArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if args.watch {
        return watch::run(args, output);
    }
    once(args, args.open, output)?;
    Ok(Ended::Done)
}

fn once(args: &ReportArgs, open: bool, output: &mut dyn Write) -> Result<(), CommandError> {
    let records = finished::find(&args.results, &args.patterns)?;
    let experiments: BTreeSet<String> = records
        .into_iter()
        .map(|(_, record)| record.experiment)
        .collect();
    let experiments: Vec<String> = experiments.into_iter().collect();
    let names = experiments.iter().map(String::as_str).collect();
    standing::refresh(&args.results, &args.experiments, &names);
    let sort = args.sort.as_deref();
    let formats = Format::of_names(&args.export);
    let every_run = args.every_run;
    write(
        &args.results,
        &experiments,
        sort,
        every_run,
        &formats,
        output,
    )?;
    if open {
        show(&report::page(&args.results));
    }
    Ok(())
}

/// Opens the page in the browser. The report stands where there is none.
fn show(page: &Path) {
    if let Err(error) = open::that_detached(page) {
        let page = page.display();
        say(format_args!(
            "nothing here opens web pages ({error}); open {page} in a browser"
        ));
    }
}

/// Writes the report of these experiments, also in these formats, prints their tables and says where everything is.
///
/// # Errors
/// After the tables, when a file of the report cannot be written.
pub(super) fn write(
    results: &Path,
    experiments: &[String],
    sort: Option<&str>,
    every_run: bool,
    formats: &[Format],
    output: &mut dyn Write,
) -> Result<(), CommandError> {
    let report = report::build(results, experiments)
        .map_err(CommandError::unexpected)?
        .with_every_run(every_run);
    // The tables stand whether or not they can be written down.
    let written = report.write(results);
    for experiment in experiments {
        if let Some(table) = report.sorted_table(experiment, screen::output_columns(), sort) {
            writeln!(output, "{}\n", table.trim_end())?;
        }
        if let Some(comparison) = report.comparison(experiment) {
            compare::print(comparison, output)?;
            writeln!(output)?;
        }
        if written.is_ok() {
            let folder = results.join(experiment);
            writeln!(output, "{experiment}: {}", folder.display())?;
        }
    }
    let unwritten = |error| match error {
        ReportError::Write(error) => error.into(),
        other => CommandError::unexpected(other),
    };
    let written = written.map_err(unwritten)?;
    writeln!(output, "page: {}", written.page.display())?;
    for exported in report.export(results, formats).map_err(unwritten)? {
        writeln!(output, "{}", line(&exported))?;
    }
    // A figure that none of them has is no reason to leave the rest undone.
    sort.map_or(Ok(()), |metric| {
        report.check_sort(metric).map_err(CommandError::input)
    })
}

/// What came of an export.
fn line(exported: &Exported) -> String {
    let (name, source) = (exported.format.name(), exported.format.source());
    match exported.runs {
        0 => format!("{name}: nothing, since only {source} have it"),
        runs => format!(
            "{name}: {} in {}",
            words::count(runs, "run"),
            exported.folder.display()
        ),
    }
}
