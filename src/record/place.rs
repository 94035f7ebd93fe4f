//! How a result takes its named place, and what becomes of the one that stood there: nothing that
//! is finished is ever removed.
//!
//! Two folders change places in one step where the file system can do that. Where it cannot, the
//! older result is set aside first; whoever looks between the two steps finds both, each in the
//! folder of its identity.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{CHECKPOINT_FILE, WORK};
use super::{
    RUN_FILE, RecordError, RunFile, RunRecord, Status, kept_folder, lock_file, read, results_of,
    run_folder, work_folder,
};

/// How the name of a folder ends in which an adopted result is put together.
const ADOPTED: &str = ".adopted";

/// Makes the folder of a run's work ready for a sitting: empty but for what `keep` names, which an
/// earlier sitting left. An unfinished result of the same identity that took the named place is
/// moved back first; a finished one in the way is set aside.
///
/// # Errors
/// When the folder cannot be made, moved or emptied.
pub fn take_up(work: &Path, named: &Path, keep: &[&str]) -> Result<(), RecordError> {
    // What would keep the result from its place is better known before the work than after it.
    let _lock = lock(named)?;
    if named.exists() && !named.is_dir() {
        let in_the_way = io::Error::other("there is a file where the run's folder should be");
        return Err(RecordError::write(named)(in_the_way));
    }
    if belongs_elsewhere(work) {
        clear(work, None)?;
    }
    if !work.exists() && is_unfinished(named, work) {
        make_parent(work)?;
        fs::rename(named, work).map_err(RecordError::write(named))?;
    }
    fs::create_dir_all(work).map_err(RecordError::write(work))?;
    for entry in fs::read_dir(work).map_err(RecordError::read(work))? {
        let entry = entry.map_err(RecordError::read(work))?;
        let path = entry.path();
        if keep.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type().map_err(RecordError::read(&path))?;
        let removed = if kind.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(RecordError::write(path))?;
    }
    Ok(())
}

/// Whether an unfinished attempt at the identity that `work` is called by stands in the named place.
/// A process that was killed before there were folders for work left no record but a checkpoint,
/// which knows its identity itself.
fn is_unfinished(named: &Path, work: &Path) -> bool {
    match read(named) {
        Ok(Some(record)) => {
            record.status != Status::Complete
                && work
                    .file_name()
                    .is_some_and(|name| name == &*record.identity)
        }
        Ok(None) => named.join(CHECKPOINT_FILE).exists(),
        Err(_) => false,
    }
}

/// Gives a finished result its named place. What stood there is kept if it is finished too.
///
/// # Errors
/// When a folder cannot be moved.
pub fn place(result: &Path, named: &Path) -> Result<(), RecordError> {
    let _lock = lock(named)?;
    exchange(result, named)?;
    sync(named.parent());
    // An attempt at what is finished now is of no more use.
    let done = read(named).ok().flatten().map(|record| record.identity);
    clear(result, done.as_deref())
}

/// Gives an attempt that failed or was interrupted the named place, unless a finished result stands
/// there: then the attempt stays in the folder of its work.
///
/// # Errors
/// When a folder cannot be moved.
pub fn place_attempt(work: &Path, named: &Path) -> Result<(), RecordError> {
    let _lock = lock(named)?;
    match read(named) {
        Ok(Some(record)) if record.status == Status::Complete => Ok(()),
        // Whatever it is, it may be worth more than an attempt.
        Err(_) => Ok(()),
        Ok(_) => {
            exchange(work, named)?;
            clear(work, None)
        }
    }
}

/// Gives a finished result of the same identity, wherever it stands, a second name: its files are
/// linked where the file system has links and copied elsewhere, its record and settings name the run
/// that adopts it. `record` is the adopting run's.
///
/// # Errors
/// When a file cannot be linked, copied or written.
pub fn adopt<S: serde::Serialize>(
    from: &Path,
    record: &RunRecord,
    settings: &RunFile<S>,
    named: &Path,
) -> Result<(), RecordError> {
    let work = work_folder(results_of(named), &record.identity);
    let folder = with_suffix(&work, ADOPTED);
    // Left by a process that was killed: nothing but links.
    remove(&folder)?;
    link_all(from, &folder)?;
    for own in [super::RECORD_FILE, RUN_FILE] {
        remove(&folder.join(own))?;
    }
    settings.write(&folder)?;
    record.write(&folder)?;
    place(&folder, named)
}

/// Puts away what killed processes left among the results in the making: finished ones that were
/// about to take or to leave a place are kept, half-adopted ones go. Those that are worked on stay.
pub fn tidy(results: &Path) {
    let Ok(entries) = fs::read_dir(results.join(WORK)) else {
        return;
    };
    for entry in entries.flatten() {
        let folder = entry.path();
        if !folder.is_dir() {
            continue;
        }
        let adopted = folder.to_string_lossy().ends_with(ADOPTED);
        let work = if adopted {
            folder.with_extension("")
        } else {
            folder.clone()
        };
        let owner = File::open(lock_file(&work));
        if owner.is_ok_and(|file| file.try_lock().is_err()) {
            continue;
        }
        let _ = if adopted {
            remove(&folder)
        } else if belongs_elsewhere(&folder) {
            home(&folder)
        } else {
            Ok(())
        };
    }
}

/// Whether what lies in the folder of an identity's work is finished, or an attempt at another one.
fn belongs_elsewhere(work: &Path) -> bool {
    let own = work.file_name().unwrap_or_default();
    matches!(read(work), Ok(Some(record)) if record.status == Status::Complete || own != &*record.identity)
}

/// Gives what a killed process was about to move its named place, unless a finished result is there.
fn home(folder: &Path) -> Result<(), RecordError> {
    if let Ok(Some(record)) = read(folder)
        && record.status == Status::Complete
    {
        let results = results_of(folder);
        let named = run_folder(results, &record.experiment, &record.run, record.seed);
        place_attempt(folder, &named)?;
    }
    clear(folder, None)
}

/// Puts a folder away that made room for another: kept if it is finished or cannot be read, back to
/// the folder of its work if it is not, and removed if there is nothing in it, a later attempt, or
/// if its identity is the one that is `done`.
fn clear(folder: &Path, done: Option<&str>) -> Result<(), RecordError> {
    match read(folder) {
        _ if !folder.exists() => Ok(()),
        Ok(Some(record)) if record.status == Status::Complete => keep(folder, Some(&record)),
        Ok(Some(record)) => {
            let work = work_folder(results_of(folder), &record.identity);
            // Moving fails where another attempt has begun.
            if work == folder
                || done == Some(&record.identity)
                || fs::rename(folder, &work).is_err()
            {
                return remove(folder);
            }
            Ok(())
        }
        Ok(None) => remove(folder),
        Err(_) => keep(folder, None),
    }
}

/// Moves a folder to where finished results are kept; the same execution is kept once.
fn keep(folder: &Path, record: Option<&RunRecord>) -> Result<(), RecordError> {
    let kept = kept_folder(results_of(folder));
    fs::create_dir_all(&kept).map_err(RecordError::write(&kept))?;
    let name = record.map_or("unreadable", |record| &record.identity);
    for number in 1_u32.. {
        let target = match number {
            1 => kept.join(name),
            _ => kept.join(format!("{name}-{number}")),
        };
        if target.exists() {
            let same = |known: &RunRecord| record.is_some_and(|own| known.is_same_execution(own));
            let whole = |known: &RunRecord| known.damage(&target).is_none();
            let known = read(&target).ok().flatten();
            if known.is_some_and(|known| same(&known) && whole(&known)) {
                return remove(folder);
            }
            continue;
        }
        match fs::rename(folder, &target) {
            // Another process was faster.
            Err(_) if target.exists() => {}
            moved => {
                sync(Some(&kept));
                return moved.map_err(RecordError::write(target));
            }
        }
    }
    Ok(())
}

/// Lets two folders change places; where there is nothing at `named`, `folder` moves there.
fn exchange(folder: &Path, named: &Path) -> Result<(), RecordError> {
    make_parent(named)?;
    if !named.exists() {
        return fs::rename(folder, named).map_err(RecordError::write(named));
    }
    match exchange_at_once(folder, named) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            clear(named, None)?;
            fs::rename(folder, named).map_err(RecordError::write(named))
        }
        Err(error) => Err(RecordError::write(named)(error)),
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange_at_once(folder: &Path, named: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, folder, CWD, named, RenameFlags::EXCHANGE) {
        // The system or the file system does not know how.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
        exchanged => Ok(exchanged?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange_at_once(_folder: &Path, _named: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Links all files of a folder into a new one, or copies them where links cannot be made.
fn link_all(from: &Path, to: &Path) -> Result<(), RecordError> {
    fs::create_dir_all(to).map_err(RecordError::write(to))?;
    for entry in fs::read_dir(from).map_err(RecordError::read(from))? {
        let entry = entry.map_err(RecordError::read(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(RecordError::read(&source))?;
        if kind.is_dir() {
            link_all(&source, &target)?;
        } else if fs::hard_link(&source, &target).is_err() {
            fs::copy(&source, &target).map_err(RecordError::write(target))?;
        }
    }
    Ok(())
}

/// The right to change what stands in a named place; waits for whoever has it, which takes moments.
fn lock(named: &Path) -> Result<File, RecordError> {
    let path = lock_file(named);
    make_parent(&path)?;
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    let file = options.open(&path).map_err(RecordError::write(&path))?;
    file.lock().map_err(RecordError::write(&path))?;
    Ok(file)
}

fn make_parent(path: &Path) -> Result<(), RecordError> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(RecordError::write(parent)),
        None => Ok(()),
    }
}

fn with_suffix(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    folder.with_file_name(name)
}

/// Removes a file or folder, if it is there.
fn remove(path: &Path) -> Result<(), RecordError> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(RecordError::write(path)(error))
        }
        _ => Ok(()),
    }
}

/// A rename lives in the folder. Not every file system can flush one; the content is safe already.
fn sync(folder: Option<&Path>) {
    if let Some(Ok(folder)) = folder.map(File::open) {
        let _ = folder.sync_all();
    }
}
