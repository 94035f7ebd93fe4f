//! Where the page's files stand, and how they name each other.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::report::PAGE_FOLDER;
use crate::report::html::address;

/// The longest name of a file that every file system takes.
const LONGEST_NAME: usize = 255;

/// Folder of the pages of runs, a folder in it for each experiment.
const RUNS: &str = "runs";
/// Folder of what the scripts read, a file for each experiment.
const DATA: &str = "data";

/// The folder of the pages of runs.
pub(super) fn runs(results: &Path) -> PathBuf {
    results.join(PAGE_FOLDER).join(RUNS)
}

/// The folder of what the scripts read.
pub(super) fn data_folder(results: &Path) -> PathBuf {
    results.join(PAGE_FOLDER).join(DATA)
}

/// What the script reads of an experiment.
pub(super) fn data(results: &Path, experiment: &str) -> PathBuf {
    data_folder(results).join(data_name(experiment))
}

/// The same as the index names it.
pub(super) fn data_from_index(experiment: &str) -> String {
    address(&format!("{DATA}/{}", data_name(experiment)))
}

fn data_name(experiment: &str) -> String {
    format!("{experiment}.js")
}

/// The name of a run's page; none where no file can have it.
pub(super) fn run_name(run: &str, seed: u64) -> Option<String> {
    let name = format!("{run}@{seed}.html");
    (name.len() <= LONGEST_NAME).then_some(name)
}

/// Whether a file has the name of a run's page.
pub(super) fn is_run_name(name: &str) -> bool {
    let stem = name.strip_suffix(".html");
    let seed = stem.and_then(|stem| stem.rsplit_once('@'));
    seed.is_some_and(|(_, seed)| seed.parse::<u64>().is_ok())
}

/// A run's page as the index names it.
pub(super) fn run_from_index(experiment: &str, name: &str) -> String {
    address(&format!("{RUNS}/{experiment}/{name}"))
}

/// A run's page as another of its experiment names it.
pub(super) fn run_from_run(name: &str) -> String {
    // Without the dot, a name with a colon in it would be an address of its own.
    address(&format!("./{name}"))
}

/// An experiment's part of the index.
pub(super) fn part(experiment: &str) -> String {
    let mut id = String::from("experiment-");
    for byte in experiment.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            id.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(id, "_{byte:02X}");
        }
    }
    id
}

/// The same as a run's page names it.
pub(super) fn part_from_run(experiment: &str) -> String {
    format!("../../index.html#{}", part(experiment))
}

/// A file in the results tree, as a page in folders so deep below the tree names it.
pub(super) fn result(depth: usize, path: &str) -> String {
    address(&format!("{}{path}", "../".repeat(depth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_address_of_its_own() {
        assert_eq!(part("x y"), "experiment-x_20y");
        assert_ne!(part("x_20y"), part("x y"));
        assert_eq!(
            run_from_index("x", "rank=4@42.html"),
            "runs/x/rank%3D4%4042.html"
        );
        assert_eq!(
            result(3, "x/a/seed-1/run.toml"),
            "../../../x/a/seed-1/run.toml"
        );
    }

    #[test]
    fn pages_of_runs_are_known_by_their_names() {
        assert_eq!(run_name("a", 1).as_deref(), Some("a@1.html"));
        assert_eq!(run_name(&"a".repeat(250), 1), None);
        assert!(is_run_name("a@b@1.html"));
        for other in ["a.html", "a@x.html", "a@1.htm", "notes.txt"] {
            assert!(!is_run_name(other), "{other}");
        }
    }
}
