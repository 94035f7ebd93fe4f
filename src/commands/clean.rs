//! `ensayo clean`: what lies in a results tree beside the results themselves, and how it goes.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::{CommandError, Ended, load, say, table, words};
use crate::cli::CleanArgs;
use crate::plan::Selection;
use crate::record;
use crate::runner::RunLock;

/// What can be removed, each sort by an option of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Caches,
    Kept,
    Work,
    Orphans,
}

const SORTS: [Sort; 4] = [Sort::Caches, Sort::Kept, Sort::Work, Sort::Orphans];

impl Sort {
    fn words(self) -> &'static str {
        match self {
            Self::Caches => "caches, rebuilt when needed",
            Self::Kept => "finished results that newer ones replaced",
            Self::Work => "unfinished work, which a later run would resume",
            Self::Orphans => "results of runs that no experiment has",
        }
    }

    fn option(self) -> &'static str {
        match self {
            Self::Caches => "--caches",
            Self::Kept => "--kept",
            Self::Work => "--unfinished",
            Self::Orphans => "--orphans",
        }
    }

    fn is_wanted(self, args: &CleanArgs) -> bool {
        match self {
            Self::Caches => args.caches,
            Self::Kept => args.kept,
            Self::Work => args.unfinished,
            Self::Orphans => args.orphans,
        }
    }
}

/// Something that can be removed as a whole.
#[derive(Debug)]
struct Item {
    sort: Sort,
    path: PathBuf,
    /// What removing it sets free: a file that other results share is none of it.
    bytes: u64,
    written: Option<SystemTime>,
}

/// Shows what lies there, or removes what is asked for.
///
/// # Errors
/// When the tree cannot be read, or something cannot be removed.
pub fn run(args: &CleanArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if !args.results.is_dir() {
        return Err(CommandError::Input(format!(
            "no results in {}; --results names another folder",
            args.results.display()
        )));
    }
    let mut items = found(args)?;
    if let Some(days) = args.older_than {
        let age = Duration::from_secs(days * 24 * 60 * 60);
        items.retain(|item| {
            let elapsed = item.written.and_then(|time| time.elapsed().ok());
            elapsed.is_some_and(|elapsed| elapsed > age)
        });
    }
    let wanted: Vec<Sort> = SORTS
        .into_iter()
        .filter(|sort| sort.is_wanted(args))
        .collect();
    if wanted.is_empty() {
        overview(&items, output)?;
        return Ok(Ended::Done);
    }
    items.retain(|item| wanted.contains(&item.sort));
    let only_caches = items.iter().all(|item| item.sort == Sort::Caches);
    let removes = !args.dry_run && (args.yes || only_caches);
    let total = items.iter().map(|item| item.bytes).sum();
    for item in &items {
        let verb = if removes { "removed" } else { "would remove" };
        if removes {
            remove(item)?;
        }
        writeln!(
            output,
            "{verb} {} ({})",
            item.path.display(),
            words::bytes(item.bytes)
        )?;
    }
    let number = words::count(items.len(), "item");
    if removes {
        writeln!(output, "{number} removed, {} free", words::bytes(total))?;
    } else {
        writeln!(
            output,
            "{number}, {}: nothing was removed{}",
            words::bytes(total),
            if args.dry_run {
                ""
            } else {
                "; --yes removes them"
            }
        )?;
    }
    Ok(Ended::Done)
}

/// One line for each sort.
fn overview(items: &[Item], output: &mut dyn Write) -> Result<(), CommandError> {
    let mut rows = vec![
        ["what", "items", "size", "oldest", "removed by"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for sort in SORTS {
        let own: Vec<&Item> = items.iter().filter(|item| item.sort == sort).collect();
        let bytes = own.iter().map(|item| item.bytes).sum();
        let oldest = own.iter().filter_map(|item| item.written).min();
        let age = oldest.and_then(|time| time.elapsed().ok());
        rows.push(vec![
            sort.words().to_owned(),
            own.len().to_string(),
            words::bytes(bytes),
            age.map(days).unwrap_or_default(),
            sort.option().to_owned(),
        ]);
    }
    write!(output, "{}", table::lines(&rows))?;
    Ok(())
}

fn days(age: Duration) -> String {
    let days = age.as_secs() / (24 * 60 * 60);
    match days {
        0 => "today".to_owned(),
        days => words::count(usize::try_from(days).unwrap_or(usize::MAX), "day"),
    }
}

fn found(args: &CleanArgs) -> Result<Vec<Item>, CommandError> {
    let results = &args.results;
    let mut items = Vec::new();
    let mut add = |sort, path: PathBuf| items.push(item(sort, path));
    for path in entries(&results.join(".cache")) {
        add(Sort::Caches, path);
    }
    for path in entries(&record::kept_folder(results)) {
        add(Sort::Kept, path);
    }
    for path in entries(&record::work_folder(results, "")) {
        // A process is at it.
        let busy = RunLock::is_held(&path).unwrap_or(true);
        if path.is_dir() && !busy {
            add(Sort::Work, path);
        }
    }
    for path in orphans(args)? {
        add(Sort::Orphans, path);
    }
    Ok(items)
}

/// Folders of results whose runs no experiment has. Without sound experiments nothing is an orphan:
/// they may only be elsewhere.
fn orphans(args: &CleanArgs) -> Result<Vec<PathBuf>, CommandError> {
    if !args.experiments.is_dir() {
        return Ok(Vec::new());
    }
    let loaded = match load::load(&args.experiments, &[], &Selection::default()) {
        Ok(loaded) => loaded,
        Err(CommandError::Input(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let unsound = loaded.unsound();
    let known: BTreeSet<PathBuf> = loaded
        .candidates()
        .map(|(experiment, run, seed)| record::run_folder(&args.results, experiment, run, seed))
        .collect();
    let orphans = record::read_all(&args.results)
        .into_iter()
        .filter_map(|(folder, found)| found.ok().map(|found| (folder, found)))
        .filter(|(folder, found)| !known.contains(folder) && !unsound.contains(&found.experiment))
        .map(|(folder, _)| folder);
    Ok(orphans.collect())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn item(sort: Sort, path: PathBuf) -> Item {
    let files: Vec<Metadata> = WalkDir::new(&path)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(Metadata::is_file)
        .collect();
    Item {
        sort,
        path,
        bytes: files
            .iter()
            .filter(|file| !is_shared(file))
            .map(Metadata::len)
            .sum(),
        written: files.iter().filter_map(|file| file.modified().ok()).max(),
    }
}

#[cfg(unix)]
fn is_shared(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) > 1
}

#[cfg(not(unix))]
fn is_shared(_file: &Metadata) -> bool {
    false
}

fn remove(item: &Item) -> Result<(), CommandError> {
    let mut lock = None;
    if item.sort == Sort::Work {
        lock = RunLock::acquire(&item.path)?;
        if lock.is_none() {
            say(format_args!("{}: in use, left", item.path.display()));
            return Ok(());
        }
    }
    let removed = if item.path.is_dir() {
        fs::remove_dir_all(&item.path)
    } else {
        fs::remove_file(&item.path)
    };
    drop(lock);
    removed.map_err(|error| {
        CommandError::Unexpected(format!("cannot remove {}: {error}", item.path.display()))
    })
}
