//! CSV as all of ours is written and read: no cell of it is a formula to a spreadsheet.

use std::io::{Read, Write};

use serde::Serialize;

use super::guard::{guarded, unguarded};

/// Room for a row on its way; most are shorter.
const ROW_BYTES: usize = 256;

/// Writes CSV whose cells no spreadsheet runs. There is no header but the first row.
#[derive(Debug)]
pub struct CsvWriter<W: Write>(csv::Writer<W>);

impl<W: Write> CsvWriter<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        let mut builder = csv::WriterBuilder::new();
        Self(builder.has_headers(false).from_writer(output))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the output cannot be written, or the row is not as long as those before it.
    pub fn write_record<I, C>(&mut self, cells: I) -> csv::Result<()>
    where
        I: IntoIterator<Item = C>,
        C: AsRef<[u8]>,
    {
        for cell in cells {
            self.0.write_field(guarded(cell.as_ref()))?;
        }
        self.0.write_record(None::<&[u8]>)
    }

    /// Writes the fields of a struct or tuple as a row.
    ///
    /// # Errors
    /// As [`write_record`](Self::write_record), and when it has fields that are no cells.
    pub fn serialize(&mut self, row: impl Serialize) -> csv::Result<()> {
        let mut plain = csv::WriterBuilder::new();
        plain.has_headers(false).buffer_capacity(ROW_BYTES);
        // Otherwise the reader would take a byte order mark of the first text for one of its own.
        plain.quote_style(csv::QuoteStyle::Always);
        let mut plain = plain.from_writer(Vec::new());
        plain.serialize(row)?;
        let line = plain
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        let mut cells = csv::ByteRecord::new();
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).buffer_capacity(ROW_BYTES);
        reader
            .from_reader(line.as_slice())
            .read_byte_record(&mut cells)?;
        self.write_record(&cells)
    }

    /// Hands everything to the output.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }

    /// The output with everything written to it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn into_inner(self) -> csv::Result<W> {
        Ok(self
            .0
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?)
    }
}

/// Reads CSV that [`CsvWriter`] wrote: the header, then row by row.
#[derive(Debug)]
pub struct CsvReader<R> {
    reader: csv::Reader<R>,
    header: csv::StringRecord,
    row: csv::StringRecord,
}

impl<R: Read> CsvReader<R> {
    /// Reads from `input`, the header at once.
    ///
    /// # Errors
    /// When the input cannot be read or is not text.
    pub fn new(input: R) -> csv::Result<Self> {
        let mut reader = csv::Reader::from_reader(input);
        let header = reader.headers()?.clone();
        let row = csv::StringRecord::new();
        Ok(Self {
            reader,
            header,
            row,
        })
    }

    /// The first row.
    #[must_use]
    pub fn header(&self) -> &csv::StringRecord {
        &self.header
    }

    /// The next row, with the texts that its cells stand for.
    ///
    /// # Errors
    /// When the input cannot be read, or a row is not as long as the header.
    pub fn next_row(&mut self) -> csv::Result<Option<&csv::StringRecord>> {
        if !self.reader.read_record(&mut self.row)? {
            return Ok(None);
        }
        if self.row.iter().any(|cell| unguarded(cell) != cell) {
            let mut plain: csv::StringRecord = self.row.iter().map(unguarded).collect();
            plain.set_position(self.row.position().cloned());
            self.row = plain;
        }
        Ok(Some(&self.row))
    }
}
