//! `ensayo report --watch`: redraws when runs leave something new.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use walkdir::{DirEntry, WalkDir};

use super::{CommandError, Ended, screen};
use crate::cli::ReportArgs;
use crate::commands::say;
use crate::record::{PLAN_FILE, RECORD_FILE};
use crate::report::PAGE_FOLDER;
use crate::runner::StopFlag;

/// How often the results are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How soon a wish to end is noticed.
const NAP: Duration = Duration::from_millis(100);
/// Clears a terminal and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Draws the report whenever records or plans change, until the user ends it.
///
/// # Errors
/// Where Ctrl-C cannot be caught, or standard output is gone.
pub(super) fn run(args: &ReportArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let stop = StopFlag::new();
    let raised = stop.clone();
    ctrlc::set_handler(move || raised.raise())
        .map_err(|error| CommandError::Unexpected(format!("cannot catch Ctrl-C: {error}")))?;
    let (mut seen, mut opened, mut waiting) = (None, false, String::new());
    while !stop.is_raised() {
        let now = state(&args.results);
        if seen != Some(now) {
            seen = Some(now);
            let mut drawn = Vec::new();
            match super::once(args, args.open && !opened, &mut drawn) {
                Ok(()) => {
                    opened = true;
                    let clear = screen::output_columns().map_or("", |_| CLEAR);
                    write!(output, "{clear}{}", String::from_utf8_lossy(&drawn))?;
                    output.flush()?;
                    say("watching; Ctrl-C ends it");
                }
                // A sweep may be about to begin, and a file may be half copied.
                Err(error) => {
                    let reason = error.to_string();
                    if reason != waiting {
                        say(format_args!("waiting: {reason}"));
                        waiting = reason;
                    }
                }
            }
        }
        let mut rest = EVERY;
        while !stop.is_raised() && !rest.is_zero() {
            thread::sleep(NAP);
            rest = rest.saturating_sub(NAP);
        }
    }
    Ok(Ended::Done)
}

/// What a report is made of, in a number: names, lengths and times of records and plans. What cannot
/// be listed does not count.
fn state(results: &Path) -> u64 {
    let ours = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() != 1 || !(name.starts_with('.') || name == PAGE_FOLDER)
    };
    let walk = WalkDir::new(results).max_depth(4).sort_by_file_name();
    let mut hasher = DefaultHasher::new();
    for entry in walk.into_iter().filter_entry(ours).flatten() {
        let name = entry.file_name().to_string_lossy();
        if name != RECORD_FILE && name != PLAN_FILE {
            continue;
        }
        let Ok(known) = entry.metadata() else {
            continue;
        };
        let changed = known.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        (entry.path(), known.len(), changed).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn records_and_plans_change_the_state_and_what_a_report_writes_does_not() {
        let results = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = results.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            state(results.path())
        };
        let empty = state(results.path());
        let first = write("x/a/seed-1/record.json", "{}");
        assert_ne!(first, empty);
        assert_ne!(write("x/plan.json", "{}"), first);
        let before = write("x/a/seed-1/record.json", "{ }");
        assert_ne!(before, first);
        for made in [
            "x/summary.csv",
            "report/index.html",
            ".work/abc/record.json",
        ] {
            assert_eq!(write(made, "new"), before, "{made}");
        }
        assert_eq!(state(&results.path().join("none")), empty);
    }
}
