//! Writing and reading the CSV files of a run's folder.

mod guard;
mod table;

pub use table::{CsvReader, CsvWriter};

use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{RecordError, Row, write_atomically};

/// Writes all rows at once to `R::FILE` in a run's folder, atomically, with a header even where
/// there are no rows.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows<R: Row>(folder: &Path, rows: &[R]) -> Result<(), RecordError> {
    let path = folder.join(R::FILE);
    let fill = || -> csv::Result<Vec<u8>> {
        let mut writer = CsvWriter::new(Vec::new());
        writer.write_record(R::COLUMNS)?;
        for row in rows {
            writer.serialize(row)?;
        }
        writer.into_inner()
    };
    let content = fill().map_err(|error| unwritten(&path, error))?;
    write_atomically(&path, &content)
}

/// Reads `R::FILE` of a run's folder. A run without that file has no rows of the kind.
///
/// # Errors
/// When the file cannot be read or a row is not what it should be; the message has its line.
pub fn read_rows<R: Row + DeserializeOwned>(folder: &Path) -> Result<Vec<R>, RecordError> {
    let path = folder.join(R::FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file = File::open(&path).map_err(RecordError::read(&path))?;
    all(file).map_err(|error| match cause(error) {
        Cause::System(source) => RecordError::read(&path)(source),
        Cause::Content(message) => RecordError::Broken { path, message },
    })
}

fn all<R: DeserializeOwned>(file: File) -> csv::Result<Vec<R>> {
    let mut reader = CsvReader::new(file)?;
    let header = reader.header().clone();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row.deserialize(Some(&header))?);
    }
    Ok(rows)
}

/// Writes rows one by one while a run goes on, so that a curve can be followed and an interrupted
/// run leaves its log.
#[derive(Debug)]
pub struct RowWriter<R: Row> {
    path: PathBuf,
    writer: CsvWriter<File>,
    rows: PhantomData<fn(&R)>,
}

impl<R: Row> RowWriter<R> {
    /// Begins `R::FILE` in a run's folder with its header.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(R::FILE);
        fs::create_dir_all(folder).map_err(RecordError::write(folder))?;
        let file = File::create(&path).map_err(RecordError::write(&path))?;
        let mut writer = CsvWriter::new(file);
        writer
            .write_record(R::COLUMNS)
            .map_err(|error| unwritten(&path, error))?;
        writer.flush().map_err(RecordError::write(&path))?;
        Ok(Self {
            path,
            writer,
            rows: PhantomData,
        })
    }

    /// Adds a row and hands it to the operating system at once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, row: &R) -> Result<(), RecordError> {
        self.writer
            .serialize(row)
            .map_err(|error| unwritten(&self.path, error))?;
        self.writer.flush().map_err(RecordError::write(&self.path))
    }
}

/// Whose fault an error is.
enum Cause {
    /// The system's.
    System(io::Error),
    /// The rows'.
    Content(String),
}

fn cause(error: csv::Error) -> Cause {
    let message = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Cause::System(source),
        _ => Cause::Content(message),
    }
}

fn unwritten(path: &Path, error: csv::Error) -> RecordError {
    match cause(error) {
        Cause::System(source) => RecordError::write(path)(source),
        Cause::Content(message) => RecordError::Broken {
            path: path.to_owned(),
            message,
        },
    }
}

#[cfg(test)]
mod tests;
