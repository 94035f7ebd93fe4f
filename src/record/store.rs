//! Writing and reading records: whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use walkdir::WalkDir;

use super::leftovers::PART;
use super::{OLDEST_SCHEMA, RECORD_FILE, RecordError, RunRecord, SCHEMA, run_folder};

/// Writes a file so that a reader sees the old content or the new one, never a part: into a temporary file in the same
/// folder, flushed to the disk, then renamed over `path`. Missing folders are made. Of a writer that is killed in between the
/// temporary file stays, until [`remove_leftovers`](super::remove_leftovers) finds it.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), RecordError> {
    write_in_parts(path, &|file| file.write_all(content))
}

/// The same where the content is too large to be held as a whole: `content` writes it, twice if the
/// first file is lost.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_in_parts(
    path: &Path,
    content: &dyn Fn(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), RecordError> {
    put(path, content, true)
}

/// Writes a file that can be made again: only where its content differs from what is there, and
/// without waiting for the disk. A reader still sees the old content or the new one.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), RecordError> {
    let same_length = |known: fs::Metadata| known.len() == content.len() as u64;
    if fs::metadata(path).is_ok_and(same_length)
        && fs::read(path).is_ok_and(|known| known == content)
    {
        return Ok(());
    }
    put(path, &|file| file.write_all(content), false)
}

fn put(
    path: &Path,
    content: &dyn Fn(&mut dyn Write) -> std::io::Result<()>,
    lasting: bool,
) -> Result<(), RecordError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PART);
        // A temporary file is private by default; results follow the user's umask like any other file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder).map_err(plain)?;
        // Says that its writer lives. Where there are no locks, nothing is ever taken for a leftover.
        let _ = file.as_file().lock();
        // Past the wrapper, whose errors tell the temporary name.
        let mut buffer = BufWriter::new(file.as_file_mut());
        content(&mut buffer)?;
        buffer.flush()?;
        drop(buffer);
        if lasting {
            file.as_file().sync_all()?;
        }
        file.persist(path)?;
        // The rename itself lives in the folder. Not every file system can flush a folder; the content is safe already.
        if lasting && let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    };
    // A file that was not locked yet may have been taken for a leftover.
    let gone = |error: &std::io::Error| error.kind() == ErrorKind::NotFound;
    match write() {
        Err(error) if gone(&error) => write(),
        written => written,
    }
    .map_err(RecordError::write(path))
}

/// The error without the temporary file's name, which is nobody's concern.
fn plain(error: std::io::Error) -> std::io::Error {
    if error.get_ref().is_some() {
        error.kind().into()
    } else {
        error
    }
}

impl RunRecord {
    /// Writes `record.json` into the run's folder, atomically.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        let path = folder.join(RECORD_FILE);
        write_json(&path, self)
    }
}

/// Writes a value as indented JSON, atomically.
pub(super) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), RecordError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| RecordError::Broken {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    text.push(b'\n');
    write_atomically(path, &text)
}

#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// The `schema` of a text that begins with it, as ours do: thousands of records need not be gone
/// through twice.
fn leading_schema(text: &str) -> Option<u32> {
    let rest = text.strip_prefix('{')?.trim_start();
    let rest = rest.strip_prefix("\"schema\"")?.trim_start();
    let number = rest.strip_prefix(':')?.trim_start();
    let digits = number.find(|c: char| !c.is_ascii_digit())?;
    // A number goes on after a point or an exponent.
    let ends = number[digits..].trim_start().starts_with([',', '}']);
    ends.then(|| number[..digits].parse().ok()).flatten()
}

/// Reads a JSON file with a `schema` number; `None` if there is no such file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(RecordError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let broken = |error: serde_json::Error| RecordError::Broken {
        path: path.to_owned(),
        message: error.to_string(),
    };
    // The version first: a newer schema may well lack what this one requires.
    let found = match leading_schema(&text) {
        Some(schema) => schema,
        None => {
            serde_json::from_str::<Version>(&text)
                .map_err(broken)?
                .schema
        }
    };
    if found > SCHEMA {
        return Err(RecordError::Newer {
            path: path.to_owned(),
            found,
            supported: SCHEMA,
        });
    }
    if found < OLDEST_SCHEMA {
        return Err(RecordError::Older {
            path: path.to_owned(),
            found,
            supported: OLDEST_SCHEMA,
        });
    }
    serde_json::from_str(&text).map(Some).map_err(broken)
}

/// Reads the record in a run's folder; `None` if there is none, that is for an interrupted run or one never begun.
///
/// # Errors
/// When the record cannot be read, is no record, or was written with a newer schema.
pub fn read(folder: &Path) -> Result<Option<RunRecord>, RecordError> {
    read_json(&folder.join(RECORD_FILE))
}

/// Reads the record of a named place, which must be the one that the record itself names: a folder
/// that somebody copied would otherwise pass for results of its own.
///
/// # Errors
/// As [`read`], and where the record is another run's.
pub fn read_in_place(results: &Path, folder: &Path) -> Result<Option<RunRecord>, RecordError> {
    let Some(record) = read(folder)? else {
        return Ok(None);
    };
    if run_folder(results, &record.experiment, &record.run, record.seed) == folder {
        return Ok(Some(record));
    }
    Err(RecordError::Copied {
        path: folder.to_owned(),
        label: record.label(),
    })
}

/// All records of a results tree in the order of their paths, each with its folder. A record that cannot be read stands
/// beside the others as its error. A tree that does not exist has no records.
#[must_use]
pub fn read_all(results: &Path) -> Vec<(PathBuf, Result<RunRecord, RecordError>)> {
    if !results.exists() {
        return Vec::new();
    }
    let entries = WalkDir::new(results)
        .min_depth(4)
        .max_depth(4)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() != 1 || !is_hidden(entry.file_name()));
    let entries: Vec<_> = entries.collect();
    let read = entries.into_par_iter().filter_map(|entry| match entry {
        Ok(entry) if entry.file_name() == RECORD_FILE => {
            let folder = entry.path().parent().unwrap_or(results).to_owned();
            let record = read_in_place(results, &folder).transpose()?;
            Some((folder, record))
        }
        Ok(_) => None,
        Err(error) => {
            let path = error.path().unwrap_or(results).to_owned();
            let source = error
                .into_io_error()
                .unwrap_or_else(|| ErrorKind::Other.into());
            Some((path.clone(), Err(RecordError::Read { path, source })))
        }
    });
    read.collect()
}

/// Whether a folder of the tree is ensayo's own: caches, work and what is kept.
fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::{Environment, MetricRow, Status, run_folder};

    fn record(run: &str) -> RunRecord {
        RunRecord {
            schema: SCHEMA,
            experiment: "x".into(),
            run: run.into(),
            seed: 42,
            kind: "lora".into(),
            status: Status::Complete,
            identity: "abc".into(),
            identity_parts: BTreeMap::new(),
            overrides: vec![],
            adopted_from: None,
            started: "2026-01-01T00:00:00Z".into(),
            wall_seconds: 1.5,
            sittings: vec![],
            metrics: vec![MetricRow {
                evaluation: "test".into(),
                metric: "loss".into(),
                value: f64::NAN,
            }],
            measurements: vec![],
            labels: vec![],
            notes: vec![],
            files: BTreeMap::new(),
            environment: Environment::default(),
            error: None,
        }
    }

    #[test]
    fn a_written_record_reads_back_even_after_divergence() {
        let root = tempfile::tempdir().unwrap();
        let folder = run_folder(root.path(), "x", "base", 42);
        assert_eq!(read(&folder).unwrap(), None);
        record("base").write(&folder).unwrap();
        let back = read(&folder).unwrap().unwrap();
        assert_eq!(back.label(), "x/base@42");
        assert!(back.metric("test", "loss").unwrap().is_nan());
        // No temporary file stays behind.
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_newer_schema_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        fs::write(
            root.path().join(RECORD_FILE),
            r#"{"schema": 999, "runs": []}"#,
        )
        .unwrap();
        let error = read(root.path()).unwrap_err().to_string();
        assert!(
            error.contains("record.json") && error.contains("schema 999"),
            "{error}"
        );
        assert!(error.contains("use a newer ensayo"), "{error}");
    }

    #[test]
    fn a_broken_record_is_reported_and_the_walk_goes_on() {
        let root = tempfile::tempdir().unwrap();
        record("b")
            .write(&run_folder(root.path(), "x", "b", 42))
            .unwrap();
        let broken = run_folder(root.path(), "x", "a", 42);
        write_atomically(&broken.join(RECORD_FILE), b"{\"schema\": 1,").unwrap();
        fs::create_dir_all(run_folder(root.path(), "x", "unfinished", 42)).unwrap();

        let all = read_all(root.path());
        assert_eq!(all.len(), 2);
        let error = all[0].1.as_ref().unwrap_err().to_string();
        assert!(error.contains("line 1 column"), "{error}");
        assert_eq!(all[1].1.as_ref().unwrap().run, "b");
        assert!(read_all(&root.path().join("nowhere")).is_empty());
    }

    #[test]
    fn an_error_names_the_file_and_not_its_temporary_name() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a folder");
        fs::create_dir(&path).unwrap();
        let blocked = path.join("inside");
        fs::create_dir(&blocked).unwrap();
        let error = write_atomically(&path, b"x").unwrap_err().to_string();
        assert!(
            error.contains("a folder") && !error.contains(".part-"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn written_files_are_as_readable_as_others() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let (ours, plain) = (root.path().join("ours"), root.path().join("plain"));
        write_atomically(&ours, b"x").unwrap();
        fs::write(&plain, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
