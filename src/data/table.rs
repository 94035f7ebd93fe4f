//! Reads labelled texts from a `.csv` or `.jsonl` file: all of a file's rows, or an error that
//! lists what is wrong with them. Knows nothing of classes or splits.

use std::fs;
use std::path::Path;

use super::error::{DataError, Problems, RowFault};
use super::file_row::{FileRow, Source, Wanted};
use super::foreign::{Use, foreign};
use super::{csv_file, jsonl_file};
use crate::config::Label;

/// A labelled text as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// The text, unchanged.
    pub text: String,
    /// The label: in a CSV, an integer if all labels of the file are integers.
    pub label: Label,
    /// The row, from 0, a CSV's header not counted.
    pub row: usize,
    /// The line of the file on which the row begins, from 1.
    pub line: u64,
}

/// Reads the labelled texts of `path`, at most the first `limit`.
///
/// # Errors
///
/// If the file cannot be read, lacks a column, has no rows, or has rows that cannot be used: the
/// error then lists the first few of them and counts the rest.
pub fn read(
    path: &Path,
    text_column: &str,
    label_column: &str,
    limit: Option<usize>,
) -> Result<Vec<RawRow>, DataError> {
    let wanted = Wanted {
        text: text_column,
        label: Some(label_column),
        limit,
    };
    let rows = read_rows(path, &wanted)?;
    let labelled = rows.into_iter().filter_map(|row| {
        Some(RawRow {
            text: row.text,
            label: row.label?,
            row: row.row,
            line: row.line,
        })
    });
    Ok(labelled.collect())
}

/// Reads the texts of `path`, which needs no labels: one for each row, empty ones too.
///
/// # Errors
///
/// As [`read`].
pub fn read_texts(path: &Path, text_column: &str) -> Result<Vec<String>, DataError> {
    texts(read_rows(path, &only(text_column)))
}

/// The same from bytes of either format: objects of JSON begin with a brace. `name` is what messages
/// call them.
///
/// # Errors
///
/// As [`read`].
pub fn texts_of(name: &str, bytes: &[u8], text_column: &str) -> Result<Vec<String>, DataError> {
    let path = Path::new(name);
    let source = without_mark(path, bytes);
    let format = match source.content.trim_ascii_start().first() {
        Some(b'{') => Use::Lines,
        _ => Use::Table,
    };
    refuse_foreign(path, foreign(path, bytes, format))?;
    texts(read_source(source, format, &only(text_column)))
}

/// Texts of one line each, empty ones too. `name` is what messages call them.
///
/// # Errors
///
/// When there are none, or they are not UTF-8.
pub fn lines_of(name: &str, bytes: &[u8]) -> Result<Vec<String>, DataError> {
    let path = Path::new(name);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        refuse_foreign(path, foreign(path, bytes, Use::Table))?;
    }
    let source = without_mark(path, bytes);
    if source.content.is_empty() {
        return Err(DataError::Empty {
            path: path.to_owned(),
            header: false,
        });
    }
    let mut problems = Problems::default();
    let mut texts = Vec::new();
    let mut start = source.skipped;
    let lines = source.content.split_inclusive(|&byte| byte == b'\n');
    for (row, line) in lines.enumerate() {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        match std::str::from_utf8(text.strip_suffix(b"\r").unwrap_or(text)) {
            Ok(text) => texts.push(text.to_owned()),
            Err(error) => {
                let byte = start + error.valid_up_to() as u64;
                problems.push(row, Some(row as u64 + 1), RowFault::Encoding { byte });
            }
        }
        start += line.len() as u64;
    }
    problems.unless_any(name.to_owned(), texts)
}

fn only(text_column: &str) -> Wanted<'_> {
    Wanted {
        text: text_column,
        label: None,
        limit: None,
    }
}

/// The texts of rows; a column that is missing is none of a `[data]` table.
fn texts(rows: Result<Vec<FileRow>, DataError>) -> Result<Vec<String>, DataError> {
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(|row| row.text).collect()),
        Err(DataError::MissingColumn {
            path,
            column,
            present,
            hint,
            ..
        }) => Err(DataError::NoTexts {
            path,
            column,
            present,
            hint,
        }),
        Err(error) => Err(error),
    }
}

fn read_rows(path: &Path, wanted: &Wanted) -> Result<Vec<FileRow>, DataError> {
    let unreadable = |reason| DataError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    // A pipe would be waited for without an end.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(DataError::NoFile {
            path: path.to_owned(),
        });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let known = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Some(Use::Table),
        Some("jsonl") => Some(Use::Lines),
        _ => None,
    };
    let what = match known {
        Some(wanted) => foreign(path, &bytes, wanted),
        None => foreign(path, &bytes, Use::Table).or_else(|| foreign(path, &bytes, Use::Lines)),
    };
    refuse_foreign(path, what)?;
    let Some(format) = known else {
        return Err(DataError::UnknownExtension {
            path: path.to_owned(),
        });
    };
    read_source(without_mark(path, &bytes), format, wanted)
}

fn refuse_foreign(path: &Path, what: Option<String>) -> Result<(), DataError> {
    match what {
        None => Ok(()),
        Some(what) => Err(DataError::Foreign {
            path: path.to_owned(),
            what,
        }),
    }
}

fn read_source(
    mut source: Source<'_>,
    format: Use,
    wanted: &Wanted,
) -> Result<Vec<FileRow>, DataError> {
    if format == Use::Table {
        obey_separator(&mut source);
    }
    if source.content.trim_ascii().is_empty() {
        return Err(DataError::Empty {
            path: source.owned_path(),
            header: false,
        });
    }
    match format {
        Use::Table => csv_file::read(&source, wanted),
        _ => jsonl_file::read(&source, wanted),
    }
}

fn without_mark<'a>(path: &'a Path, bytes: &'a [u8]) -> Source<'a> {
    let content = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Source {
        path,
        content,
        skipped: (bytes.len() - content.len()) as u64,
        lines_skipped: 0,
        separator: b',',
    }
}

/// Takes out the line with which Excel says what stands between the values: `sep=;`.
fn obey_separator(source: &mut Source<'_>) {
    let content = source.content;
    let Some(end) = content.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let line = content[..end]
        .strip_suffix(b"\r")
        .unwrap_or(&content[..end]);
    let bare = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line);
    let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] = *bare else {
        return;
    };
    if separator.is_ascii_punctuation() && separator != b'"' || separator == b'\t' {
        source.separator = separator;
        source.content = &content[end + 1..];
        source.skipped += (end + 1) as u64;
        source.lines_skipped = 1;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn error(name: &str, content: &[u8]) -> String {
        let (folder, path) = file(name, content);
        let error = read(&path, "text", "label", None).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn extension_decides_the_format_whatever_its_case() {
        let (_folder, path) = file("rows.CSV", b"text,label\na,1\n");
        assert_eq!(read(&path, "text", "label", None).unwrap().len(), 1);
        let (_folder, path) = file("rows.JsonL", b"{\"text\":\"a\",\"label\":1}");
        assert_eq!(read(&path, "text", "label", None).unwrap().len(), 1);
        insta::assert_snapshot!(
            error("rows.dat", b"text\n"),
            @"rows.dat: unknown kind of file: expected a name that ends in `.csv` or `.jsonl`"
        );
        insta::assert_snapshot!(
            error("rows.tsv", b"text\tlabel\n"),
            @r"rows.tsv: the file is a table of values between tabs: `(printf 'sep=\t\n'; cat rows.tsv) > rows.csv` makes `rows.csv` of it"
        );
        insta::assert_snapshot!(
            error("rows.json", b"[{\"text\": \"a\", \"label\": 1}]"),
            @r#"rows.json: the file is one JSON array, not one object per line: `python3 -c "import sys, json; [print(json.dumps(row)) for row in json.load(sys.stdin)]" < rows.json > rows.jsonl` makes `rows.jsonl` of it"#
        );
    }

    #[test]
    fn missing_file_is_named() {
        let error = read(Path::new("nowhere/rows.csv"), "text", "label", None).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("nowhere/rows.csv: cannot be read: "),
            "{error}"
        );
    }

    #[test]
    fn empty_files_are_refused() {
        insta::assert_snapshot!(error("rows.csv", b""), @"rows.csv: the file is empty");
        insta::assert_snapshot!(error("rows.csv", b"\xef\xbb\xbf\r\n"), @"rows.csv: the file is empty");
        insta::assert_snapshot!(error("rows.jsonl", b"\n \n"), @"rows.jsonl: the file is empty");
    }

    #[test]
    fn utf_16_is_recognised() {
        insta::assert_snapshot!(
            error("rows.csv", b"\xff\xfet\0e\0"),
            @"rows.csv: the file is encoded as UTF-16: `iconv -f UTF-16 -t UTF-8 rows.csv > rows-converted.csv` makes `rows-converted.csv` of it"
        );
    }

    #[test]
    fn excels_line_on_the_separator_is_obeyed() {
        for (first, separator) in [
            ("sep=;\r\n", ";"),
            ("SEP=;\n", ";"),
            ("\"sep=|\"\n", "|"),
            ("sep=\t\n", "\t"),
            ("\u{feff}sep=,\n", ","),
        ] {
            let rows = ["text;label", "\"a; \"\"b\"\"\";1", "c, d;2", "e;f;3", ""];
            let content = first.to_owned() + &rows.join("\n").replace(';', separator);
            let content = content.replace("c, d", if separator == "," { "c d" } else { "c, d" });
            let said = error("rows.csv", content.as_bytes());
            assert_eq!(
                said,
                "rows.csv: line 5 (row 2): 3 values for 2 columns: quote a text that contains a separator or a line break",
                "{first:?}"
            );
            let good = content.replace(&"e;f;3".replace(';', separator), "");
            let (_folder, path) = file("rows.csv", good.as_bytes());
            let rows = read(&path, "text", "label", None).unwrap();
            let text = "a; \"b\"".replace(';', separator);
            assert_eq!((rows[0].text.as_str(), rows[0].line), (text.as_str(), 3));
            assert_eq!((&rows[1].label, rows[1].line), (&Label::Integer(2), 4));
        }
        // No separator, and no line for one.
        assert!(error("rows.csv", b"sep=x\na\n").contains("no column `text`"));
        assert!(error("rows.csv", b"sep=;").contains("between semicolons"));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let said = read(&path, "text", "label", None).unwrap_err().to_string();
        assert!(
            said.ends_with(
                "rows.csv: not a file but a pipe or a device: write what it gives into a file"
            ),
            "{said}"
        );
    }

    #[test]
    fn texts_without_labels_are_read_row_by_row_empty_ones_too() {
        let (_folder, path) = file("rows.csv", b"\xef\xbb\xbfid,text\n1,a\n2,\n3,\"b\nc\"\n");
        assert_eq!(read_texts(&path, "text").unwrap(), ["a", "", "b\nc"]);
        let (_folder, path) = file("rows.jsonl", b"{\"text\":\"\"}\n{\"text\":null}\n");
        assert_eq!(read_texts(&path, "text").unwrap(), ["", ""]);
        assert_eq!(texts_of("input", b"id,text\n1,\n", "text").unwrap(), [""]);
        let json = b"\xef\xbb\xbf\n {\"text\":\"a\"}\n";
        assert_eq!(texts_of("input", json, "text").unwrap(), ["a"]);
    }

    #[test]
    fn texts_are_refused_for_what_training_refuses() {
        let said = |content: &[u8]| texts_of("input", content, "text").unwrap_err().to_string();
        insta::assert_snapshot!(said(b"text\n\"never closed\ngood\n"), @"input: line 2 (row 0): the quote that opens on line 2 is never closed, so nothing after it was read: close it, or double each quote inside the text");
        insta::assert_snapshot!(said(b"text,text\na,b\n"), @"input: line 1, the header: column `text` appears twice: rename one of them");
        insta::assert_snapshot!(said(b"Text,id\na,1\n"), @"input: no column `text` (did you mean `Text`?), which the run was trained on; the file has `Text`, `id`");
    }

    #[test]
    fn lines_are_texts_without_the_mark_before_them() {
        let lines = lines_of("input", b"\xef\xbb\xbfgood\r\n\nb\xc3\xa4d").unwrap();
        assert_eq!(lines, ["good", "", "b\u{e4}d"]);
        let error = lines_of("input", b"good\nb\xe4d\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("input: line 2 (row 1): byte 6 of the file is not UTF-8"),
            "{error}"
        );
        assert!(lines_of("input", b"\xff\xfea\0").is_err());
        assert!(lines_of("input", b"").is_err());
    }

    /// The reading of `content` as the file `name`: texts, labels as text, lines.
    fn reading(name: &str, content: &[u8]) -> Vec<(String, Label, u64)> {
        let (_folder, path) = file(name, content);
        let rows = read(&path, "text", "label", None).unwrap().into_iter();
        rows.map(|row| (row.text, row.label, row.line)).collect()
    }

    proptest! {
        #[test]
        fn any_text_survives_a_file_of_either_format(
            rows in prop::collection::vec(("(?s)[\\PC\"',;\r\n\t]{0,12}x[\"\n,]{0,3}", any::<i64>()), 1..8),
            windows: bool,
        ) {
            let terminator = if windows { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            writer.write_record(["label", "text"]).unwrap();
            let mut json = Vec::new();
            let mut csv_line = 2;
            let mut from_csv = Vec::new();
            let mut from_json = Vec::new();
            for (line, (text, label)) in (1..).zip(rows) {
                writer.write_record([&label.to_string(), &text]).unwrap();
                let object = serde_json::json!({ "text": text, "label": label });
                json.extend(format!("{object}\n").into_bytes());
                let breaks = text.matches('\n').count() as u64;
                from_csv.push((text.clone(), Label::Integer(label), csv_line));
                from_json.push((text, Label::Integer(label), line));
                csv_line += 1 + breaks;
            }
            prop_assert_eq!(reading("rows.csv", &writer.into_inner().unwrap()), from_csv);
            prop_assert_eq!(reading("rows.jsonl", &json), from_json);
        }

        #[test]
        fn no_content_makes_a_reader_panic(
            content in prop::collection::vec(prop::sample::select(b"text,label\n\r\"{}:1\xff\xef\xbb\xbf ".to_vec()), 0..80),
            headed: bool,
        ) {
            let start: &[u8] = if headed { b"text,label\n" } else { b"" };
            for name in ["rows.csv", "rows.jsonl"] {
                let (_folder, path) = file(name, &[start, &content].concat());
                if let Err(error) = read(&path, "text", "label", None) {
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
