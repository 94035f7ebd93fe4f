//! `ensayo report`: tables and plots from what runs left.

mod watch;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use super::{CommandError, Ended, compare, finished, say, screen, standing, studies, words};
use crate::cli::ReportArgs;
use crate::report::{self, Exported, Format, ReportError};
use crate::study::Study;

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
    // What is wrong with them is said before anything is written.
    let studies = studies::all(&args.experiments)?;
    let records = finished::find(&args.results, &args.patterns)?;
    let experiments: BTreeSet<String> = records
        .into_iter()
        .map(|(_, record)| record.experiment)
        .collect();
    let experiments: Vec<String> = experiments.into_iter().collect();
    let names = experiments.iter().map(String::as_str).collect();
    standing::refresh(&args.results, &args.experiments, &names);
    let sort = args.sort.as_deref();
    let wanted = Wanted {
        experiments: &experiments,
        studies: &studies,
        sort,
        every_run: args.every_run,
        formats: &Format::of_names(&args.export),
    };
    write(&args.results, &wanted, output)?;
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

/// What a report is to have.
pub(super) struct Wanted<'a> {
    /// The experiments whose tables and plots are written.
    pub(super) experiments: &'a [String],
    /// The studies whose tables are written.
    pub(super) studies: &'a [Study],
    /// The figure that tables are sorted by.
    pub(super) sort: Option<&'a str>,
    /// Whether every run is shown one by one.
    pub(super) every_run: bool,
    /// What else is written for other tools.
    pub(super) formats: &'a [Format],
}

/// Writes the report of these experiments and studies, prints their tables and says where everything is.
///
/// # Errors
/// After the tables, when a file of the report cannot be written.
pub(super) fn write(
    results: &Path,
    wanted: &Wanted<'_>,
    output: &mut dyn Write,
) -> Result<(), CommandError> {
    let (experiments, sort) = (wanted.experiments, wanted.sort);
    let report = report::build(results, experiments)
        .map_err(CommandError::unexpected)?
        .with_every_run(wanted.every_run);
    let studies = report.study_lines(wanted.studies);
    let report = report.with_studies(studies);
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
    let page = written.page.parent().unwrap_or(results);
    for study in report
        .write_studies(results, wanted.studies)
        .map_err(unwritten)?
    {
        let page = page.join(&study.address);
        writeln!(
            output,
            "{}: {}: {}",
            study.name,
            study.counts,
            page.display()
        )?;
    }
    writeln!(output, "page: {}", written.page.display())?;
    for exported in report.export(results, wanted.formats).map_err(unwritten)? {
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn formats(names: &str) -> Option<Vec<Format>> {
        let cli = Cli::try_parse_from(["ensayo", "report", "--export", names]).ok()?;
        match cli.command {
            Command::Report(args) => Some(Format::of_names(&args.export)),
            _ => None,
        }
    }

    #[test]
    fn every_format_can_be_asked_for_and_other_names_are_refused() {
        for format in Format::ALL {
            assert_eq!(formats(format.name()), Some(vec![format]));
        }
        assert_eq!(formats("all").as_deref(), Some(&Format::ALL[..]));
        let two = [Format::TrainerState, Format::Trec];
        assert_eq!(
            formats("trec,trainer-state,trec").as_deref(),
            Some(&two[..])
        );
        for names in ["tensorbord", "trec,", "", "All"] {
            assert_eq!(formats(names), None, "{names}");
        }
    }
}
