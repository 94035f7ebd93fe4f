//! Writing and reading the CSV files of a run's folder.

use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{RecordError, Row, write_atomically};

/// Writes all rows at once to `R::FILE` in a run's folder, atomically, with a header even where there are no rows.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows<R: Row>(folder: &Path, rows: &[R]) -> Result<(), RecordError> {
    let path = folder.join(R::FILE);
    let fill = || -> csv::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        writer.write_record(R::COLUMNS)?;
        for row in rows {
            writer.serialize(row)?;
        }
        writer
            .into_inner()
            .map_err(|error| error.into_error().into())
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
    csv::Reader::from_reader(file)
        .into_deserialize()
        .collect::<csv::Result<_>>()
        .map_err(|error| match cause(error) {
            Cause::System(source) => RecordError::read(&path)(source),
            Cause::Content(message) => RecordError::Broken { path, message },
        })
}

/// Writes rows one by one while a run goes on, so that a curve can be followed and an interrupted run leaves its log.
#[derive(Debug)]
pub struct RowWriter<R: Row> {
    path: PathBuf,
    writer: csv::Writer<File>,
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
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(file);
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
mod tests {
    use super::*;
    use crate::record::{EpochRow, MetricRow, ReportRow, TrainingLogRow};

    #[test]
    fn rows_read_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let rows = [
            ReportRow {
                evaluation: "test".into(),
                class: "a, \"b\"".into(),
                precision: Some(1.0 / 3.0),
                recall: Some(0.0),
                f1_score: 1e-12,
                support: 7,
            },
            ReportRow {
                evaluation: "test".into(),
                class: "accuracy".into(),
                precision: None,
                recall: None,
                f1_score: 0.5,
                support: 9,
            },
        ];
        write_rows(folder.path(), &rows).unwrap();
        assert_eq!(read_rows::<ReportRow>(folder.path()).unwrap(), rows);
    }

    #[test]
    fn a_file_without_rows_has_its_header() {
        let folder = tempfile::tempdir().unwrap();
        write_rows::<EpochRow>(folder.path(), &[]).unwrap();
        let text = fs::read_to_string(folder.path().join("epochs.csv")).unwrap();
        assert_eq!(
            text,
            "epoch,train_loss,train_loss_mean,validation_loss,accuracy\n"
        );
        assert_eq!(read_rows::<EpochRow>(folder.path()).unwrap(), []);
        assert_eq!(read_rows::<MetricRow>(folder.path()).unwrap(), []);
    }

    #[test]
    fn a_log_can_be_read_while_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RowWriter::create(folder.path()).unwrap();
        let row = TrainingLogRow {
            step: 50,
            epoch: 0.5,
            loss: f64::NAN,
            learning_rate: 2e-4,
            gradient_norm: 3.0,
        };
        log.push(&row).unwrap();
        let back = read_rows::<TrainingLogRow>(folder.path()).unwrap();
        assert_eq!(back.len(), 1);
        assert!(back[0].loss.is_nan());
    }

    #[test]
    fn a_broken_row_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("metrics.csv"),
            "evaluation,metric,value\ntest,loss,much\n",
        )
        .unwrap();
        let error = read_rows::<MetricRow>(folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("metrics.csv") && error.contains("line: 2"),
            "{error}"
        );
    }
}
