//! Labelled texts from a comma-separated file with a header (RFC 4180, either line ending).
//! Stricter about quotes than the `csv` crate, which takes a broken one for part of a text.

use csv::{ByteRecord, ReaderBuilder};

use super::error::{DataError, Problems, RowFault, short};
use super::file_row::{FileRow, Source, Wanted, near_name};
use super::foreign::{misread, separated};
use super::quotes::{line_breaks, quote_fault};
use crate::config::Label;

/// Reads the wanted rows of a file that is not empty.
pub(super) fn read(source: &Source, wanted: &Wanted) -> Result<Vec<FileRow>, DataError> {
    let mut records = Records::new(source);
    // A file that is not empty has a first record.
    let header = records.next_record().unwrap_or_default();
    let columns = Columns::find(source, wanted, &header)?;
    let mut problems = Problems::default();
    let mut rows = Vec::new();
    let limit = wanted.limit.unwrap_or(usize::MAX);
    let mut count = 0;
    while count < limit
        && let Some(record) = records.next_record()
    {
        let row = count;
        count += 1;
        match columns.take(&record, wanted) {
            Ok((text, label)) => rows.push(FileRow {
                text,
                label,
                row,
                line: record.line,
            }),
            Err(fault) => {
                let broken = matches!(
                    fault,
                    RowFault::OpenQuote { .. } | RowFault::AfterQuote { .. }
                );
                problems.push(row, Some(record.line), fault);
                if broken {
                    // Where the next row begins is anyone's guess.
                    break;
                }
            }
        }
    }
    if count == 0 && limit > 0 {
        return Err(DataError::Empty {
            path: source.owned_path(),
            header: true,
        });
    }
    settle_labels(&mut rows);
    problems.hint(|| misread(source.path, source.content));
    problems.unless_any(source.path.display().to_string(), rows)
}

/// Turns the labels into integers if all of them are.
fn settle_labels(rows: &mut [FileRow]) {
    let integers: Option<Vec<i64>> = rows
        .iter()
        .map(|row| match &row.label {
            Some(Label::Text(label)) => label.parse().ok(),
            _ => None,
        })
        .collect();
    for (row, integer) in rows.iter_mut().zip(integers.unwrap_or_default()) {
        row.label = Some(Label::Integer(integer));
    }
}

/// A record with its place in the file.
#[derive(Default)]
struct Record {
    values: ByteRecord,
    line: u64,
    fault: Option<RowFault>,
}

/// Walks through a file's records.
struct Records<'a> {
    source: &'a Source<'a>,
    reader: csv::Reader<&'a [u8]>,
}

impl<'a> Records<'a> {
    fn new(source: &'a Source<'a>) -> Self {
        let mut builder = ReaderBuilder::new();
        // Rows of unequal length are reported here, with all others, rather than by the first of
        // them.
        builder
            .has_headers(false)
            .flexible(true)
            .delimiter(source.separator);
        Self {
            source,
            reader: builder.from_reader(source.content),
        }
    }

    fn next_record(&mut self) -> Option<Record> {
        let start = self.reader.position().clone();
        let mut values = ByteRecord::new();
        // Reading from memory with `flexible` set has no error to return.
        if !self.reader.read_byte_record(&mut values).ok()? {
            return None;
        }
        let [from, to] = [start.byte(), self.reader.position().byte()]
            .map(|byte| usize::try_from(byte).unwrap_or(usize::MAX));
        let all = self.source.content.get(from..to).unwrap_or_default();
        // Blank lines before a record, and the second half of a CRLF, count as part of it.
        let blank = all
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let (skipped, bytes) = all.split_at(blank);
        let line = self.source.lines_skipped + start.line() + line_breaks(skipped);
        let first_byte = self.source.skipped + (from + blank) as u64;
        let fault = encoding_fault(bytes, first_byte)
            .or_else(|| quote_fault(bytes, line, self.source.separator));
        Some(Record {
            values,
            line,
            fault,
        })
    }
}

fn encoding_fault(bytes: &[u8], first_byte: u64) -> Option<RowFault> {
    let error = std::str::from_utf8(bytes).err()?;
    Some(RowFault::Encoding {
        byte: first_byte + error.valid_up_to() as u64,
    })
}

/// Where the wanted columns stand.
struct Columns {
    text: usize,
    label: Option<usize>,
    width: usize,
}

impl Columns {
    fn find(source: &Source, wanted: &Wanted, header: &Record) -> Result<Self, DataError> {
        let names = names(&header.values);
        if (header.fault.is_some() || !names.iter().any(|name| name == wanted.text))
            && let Some(separator) = other_separator(source, wanted)
        {
            return Err(DataError::Separator {
                path: source.owned_path(),
                separator,
                fix: separated(source.path, separator),
            });
        }
        if let Some(fault) = header.fault.clone() {
            let misread = matches!(fault, RowFault::Encoding { .. })
                .then(|| misread(source.path, source.content));
            return Err(DataError::Header {
                path: source.owned_path(),
                line: header.line,
                fault: Box::new(fault),
                hint: misread,
            });
        }
        let find = |role, column: &str| {
            let mut places = (0..names.len()).filter(|&place| names[place] == column);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err(DataError::RepeatedColumn {
                    path: source.owned_path(),
                    line: header.line,
                    column: column.to_owned(),
                }),
                (None, _) => Err(DataError::MissingColumn {
                    path: source.owned_path(),
                    role,
                    column: column.to_owned(),
                    hint: hint(column, &names),
                    present: names.clone(),
                }),
            }
        };
        Ok(Self {
            text: find("text", wanted.text)?,
            label: wanted
                .label
                .map(|column| find("label", column))
                .transpose()?,
            width: names.len(),
        })
    }

    fn take(&self, record: &Record, wanted: &Wanted) -> Result<(String, Option<Label>), RowFault> {
        if let Some(fault) = &record.fault {
            return Err(fault.clone());
        }
        if record.values.len() != self.width {
            return Err(RowFault::Width {
                found: record.values.len(),
                expected: self.width,
            });
        }
        // The record as a whole is UTF-8 by now, so nothing is lost.
        let value = |place: usize| String::from_utf8_lossy(&record.values[place]);
        let text = value(self.text).into_owned();
        if text.trim().is_empty() && !wanted.takes_empty_texts() {
            return Err(RowFault::EmptyText {
                column: wanted.text.to_owned(),
            });
        }
        let label = self.label.map(|place| value(place).trim().to_owned());
        if label.as_deref() == Some("") {
            let column = wanted.label.unwrap_or_default().to_owned();
            return Err(RowFault::NoLabel { column });
        }
        Ok((text, label.map(Label::Text)))
    }
}

fn names(header: &ByteRecord) -> Vec<String> {
    let name = |name| String::from_utf8_lossy(name).trim().to_owned();
    header.iter().map(name).collect()
}

/// What stands between the values in place of commas, where that makes columns of the header: the
/// wanted ones, or any where there is but one.
fn other_separator(source: &Source, wanted: &Wanted) -> Option<char> {
    let parted = |separator: char| {
        let mut builder = ReaderBuilder::new();
        let separator = u8::try_from(separator).ok()?;
        builder.has_headers(false).delimiter(separator);
        let mut header = ByteRecord::new();
        let mut reader = builder.from_reader(source.content);
        reader.read_byte_record(&mut header).ok()?;
        Some(names(&header))
    };
    let own = char::from(source.separator);
    let others = || [';', '\t', '|'].into_iter().filter(move |&it| it != own);
    let is_wanted =
        |names: Vec<String>| names.len() > 1 && names.iter().any(|it| it == wanted.text);
    let mut sure = others().filter(|&it| parted(it).is_some_and(is_wanted));
    sure.next().or_else(|| {
        let only = parted(own).filter(|names| names.len() == 1)?;
        others().find(|&separator| only[0].contains(separator))
    })
}

/// Why a column may be missing.
fn hint(column: &str, names: &[String]) -> Option<String> {
    // A header's names are short; a review is not.
    if let Some(name) = names.iter().find(|name| name.chars().count() > 60) {
        return Some(format!(
            "the first line must be a header, but one of its names is `{}`",
            short(name)
        ));
    }
    near_name(column, names)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn rows_of(content: &[u8], limit: Option<usize>) -> Result<Vec<FileRow>, DataError> {
        let wanted = Wanted {
            text: "text",
            label: Some("label"),
            limit,
        };
        read(
            &Source {
                path: Path::new("rows.csv"),
                content,
                skipped: 0,
                lines_skipped: 0,
                separator: b',',
            },
            &wanted,
        )
    }

    fn good(content: &str) -> Vec<(String, Label, usize, u64)> {
        let rows = rows_of(content.as_bytes(), None).unwrap().into_iter();
        rows.map(|row| (row.text, row.label.unwrap(), row.row, row.line))
            .collect()
    }

    fn bad(content: impl AsRef<[u8]>) -> String {
        match rows_of(content.as_ref(), None) {
            Ok(_) => "no error".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn text(label: &str) -> Label {
        Label::Text(label.to_owned())
    }

    #[test]
    fn columns_are_found_by_name_and_lines_counted_through_breaks() {
        let rows = good(
            "id,label,text\n1,0,\"one, \"\"quoted\"\"\nbreak\"\n\n2,1,two 5\" wide\n3,-2,\"three\"",
        );
        assert_eq!(
            rows,
            [
                ("one, \"quoted\"\nbreak".to_owned(), Label::Integer(0), 0, 2),
                ("two 5\" wide".to_owned(), Label::Integer(1), 1, 5),
                ("three".to_owned(), Label::Integer(-2), 2, 6),
            ]
        );
    }

    #[test]
    fn windows_line_endings_change_nothing() {
        let content = "text,label\none,1\n\"two\nlines\",0\n\nthree,1\n";
        let unix = good(content);
        let windows = good(&content.replace('\n', "\r\n"));
        assert_eq!(unix[0], windows[0]);
        assert_eq!(unix[2], windows[2]);
        assert_eq!(
            windows[1],
            ("two\r\nlines".to_owned(), Label::Integer(0), 1, 3)
        );
    }

    #[test]
    fn labels_are_integers_only_if_all_are() {
        let labels = |content| {
            good(content)
                .into_iter()
                .map(|row| row.1)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels("text,label\na, 1\nb,2 \n"),
            [Label::Integer(1), Label::Integer(2)]
        );
        assert_eq!(labels("text,label\na,1\nb,two\n"), [text("1"), text("two")]);
        assert_eq!(labels("text,label\na,1.0\nb,2\n"), [text("1.0"), text("2")]);
    }

    #[test]
    fn limit_stops_reading() {
        let content = b"text,label\na,1\nb,0\n\"broken,";
        assert_eq!(rows_of(content, Some(2)).unwrap().len(), 2);
        assert_eq!(rows_of(content, Some(0)).unwrap().len(), 0);
        assert!(rows_of(content, Some(3)).is_err());
    }

    #[test]
    fn all_row_problems_are_listed() {
        insta::assert_snapshot!(bad(b"text,label\n,1\nok,1\n \t ,0\nnot, quoted,1\nlonely\nb,\xff\n"), @r"
        rows.csv: 5 rows cannot be used
          line 2 (row 0): the text `text` is empty: fill it in or remove the row
          line 4 (row 2): the text `text` is empty: fill it in or remove the row
          line 5 (row 3): 3 values for 2 columns: quote a text that contains a separator or a line break
          line 6 (row 4): 1 value for 2 columns: quote a text that contains a separator or a line break
          line 7 (row 5): byte 48 of the file is not UTF-8; it looks like Windows-1252: `iconv -f CP1252 -t UTF-8 rows.csv > rows-converted.csv`
        ");
        insta::assert_snapshot!(bad("text,label\nok,1\nc, \n"), @"rows.csv: line 3 (row 1): the label `label` is missing: fill it in or remove the row");
    }

    #[test]
    fn problems_beyond_the_first_few_are_counted() {
        let error = bad(format!("text,label\n{}", ",1\n".repeat(27)));
        assert!(
            error.starts_with("rows.csv: 27 rows cannot be used\n  line 2 (row 0): "),
            "{error}"
        );
        assert!(error.ends_with("\n  and 22 more"), "{error}");
        assert_eq!(error.lines().count(), 2 + crate::data::SHOWN_PROBLEMS);
    }

    #[test]
    fn broken_quotes_are_found_where_they_stand() {
        insta::assert_snapshot!(bad("text,label\nfine,1\n\"open,0\nnext,1\n"), @"rows.csv: line 3 (row 1): the quote that opens on line 3 is never closed, so nothing after it was read: close it, or double each quote inside the text");
        insta::assert_snapshot!(bad("text,label\nfine,1\n\"she said\n \"hi\" twice\",0\nnext,1\n"), @"rows.csv: line 3 (row 1): text follows the quote that closes on line 4, so nothing after it was read: double each quote inside the text");
        insta::assert_snapshot!(
            bad("\"text\"s,label\nfine,1\n"),
            @"rows.csv: line 1, the header: text follows the quote that closes on line 1, so nothing after it was read: double each quote inside the text"
        );
    }

    #[test]
    fn quoted_values_may_end_the_file_or_be_empty() {
        assert_eq!(good("text,\"label\"\n\"a\"\"\",\"1\"")[0].0, "a\"");
        assert_eq!(
            good("text,note,label\n\"a\",\"\",1\n\"\"\"\",\"\"\"\",2\n")[1].0,
            "\""
        );
    }

    #[test]
    fn header_without_rows_is_refused() {
        insta::assert_snapshot!(bad("text,label\n\n"), @"rows.csv: the file has a header but no rows");
    }

    #[test]
    fn missing_columns_come_with_a_hint() {
        insta::assert_snapshot!(
            bad("Text,labels,id\na,1,2\n"),
            @"rows.csv: no column `text` (did you mean `Text`?): set `data.text` to one of the file's columns: `Text`, `labels`, `id`"
        );
        insta::assert_snapshot!(
            bad("text,verdict\na,1\n"),
            @"rows.csv: no column `label`: set `data.label` to one of the file's columns: `text`, `verdict`"
        );
        insta::assert_snapshot!(
            bad("text;label\na;1\n"),
            @r"rows.csv: the values stand between semicolons, not between commas: put a line `sep=;` before the header: `(printf 'sep=;\n'; cat rows.csv) > rows-converted.csv`"
        );
        for quoted in [
            "\"text\";\"label\"\n\"a\";\"1\"\n",
            "id;text;label\n1;a, b;2\n",
        ] {
            assert!(bad(quoted).contains("between semicolons"), "{quoted}");
        }
        assert!(bad("text\tlabel\na\t1\n").contains(r"`(printf 'sep=\t\n'; cat rows.csv)"));
        insta::assert_snapshot!(
            bad("\"A review that is much longer than the name of any column would ever be\",1\nb,0\n"),
            @"rows.csv: no column `text` (the first line must be a header, but one of its names is `A review that is much longer than the na…`): set `data.text` to one of the file's columns: `A review that is much longer than the na…`, `1`"
        );
    }

    #[test]
    fn repeated_columns_are_refused_only_where_they_are_used() {
        insta::assert_snapshot!(
            bad("text,label,text\na,1,b\n"),
            @"rows.csv: line 1, the header: column `text` appears twice: rename one of them"
        );
        assert_eq!(good("text,label,note,note\na,1,,\n").len(), 1);
    }
}
