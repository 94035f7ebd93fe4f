//! Caches: where they are, how large, and how much their disks still take.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use super::super::words;
use super::Finding;
use crate::hub::{Environment, free_bytes, size};

/// Less than this does not hold a model of the usual size.
const LITTLE_BYTES: u64 = 2 << 30;

/// The hub's, this program's own, and those among the results.
pub(super) fn look(environment: &Environment, results: &Path) -> Vec<Finding> {
    let own = &environment.own_cache;
    let mut findings = vec![
        hub(environment),
        folder("documents", &own.join("documents"), "document"),
        folder("reviews", &own.join("steam"), "game and language"),
    ];
    let among_results = results.join(".cache");
    if among_results.is_dir() {
        findings.push(Finding::well(
            "results cache",
            format!(
                "{}: {}, removed by `ensayo clean --caches`",
                among_results.display(),
                size(bytes_below(&among_results))
            ),
        ));
    }
    findings
}

fn hub(environment: &Environment) -> Finding {
    let cache = &environment.cache;
    let models = entries(cache, "models--");
    let text = format!(
        "{}: {}, {}{}",
        cache.display(),
        words::count(models, "model"),
        size(bytes_below(cache)),
        free(cache)
            .map(|free| format!("; {} free", size(free)))
            .unwrap_or_default()
    );
    match free(cache) {
        Some(free) if free < LITTLE_BYTES => Finding::note(
            "hub cache",
            format!(
                "{text}: little room for a model; set HF_HOME to move the cache to another disk"
            ),
        ),
        _ => Finding::well("hub cache", text),
    }
}

fn folder(what: &'static str, folder: &Path, noun: &str) -> Finding {
    let text = match entries(folder, "") {
        0 => format!("{}: empty", folder.display()),
        number => format!(
            "{}: {}, {}",
            folder.display(),
            words::count(number, noun),
            size(bytes_below(folder))
        ),
    };
    Finding::well(what, text)
}

fn entries(folder: &Path, prefix: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && !name.starts_with('.')
        })
        .count()
}

/// What the files take; links are counted where they lead, once.
fn bytes_below(folder: &Path) -> u64 {
    let files = WalkDir::new(folder).into_iter().flatten();
    files
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| entry.metadata().ok())
        .map(|file| file.len())
        .sum()
}

/// What the disk still takes, of a folder that may not be there yet.
fn free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|path| path.exists())?;
    free_bytes(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_counted_and_hidden_files_are_not() {
        let root = tempfile::tempdir().unwrap();
        for name in ["models--a--b", "models--c", "datasets--d", ".locks"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        fs::write(root.path().join("models--c/x"), [0; 1500]).unwrap();
        assert_eq!(entries(root.path(), "models--"), 2);
        assert_eq!(entries(root.path(), ""), 3);
        assert_eq!(bytes_below(root.path()), 1500);
        assert!(free(&root.path().join("not/yet")).is_some_and(|free| free > 0));
    }
}
