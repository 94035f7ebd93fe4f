//! Labelled texts from a file with one JSON object a line.

use serde_json::{Map, Value};

use super::error::{DataError, Problems, RowFault};
use super::file_row::{FileRow, Source, Wanted, near_name};
use super::foreign::misread;
use crate::config::Label;

/// Reads the wanted rows of a file that is not empty. Blank lines are skipped.
pub(super) fn read(source: &Source, wanted: &Wanted) -> Result<Vec<FileRow>, DataError> {
    let mut problems = Problems::default();
    let mut rows = Vec::new();
    let mut keys = Keys::default();
    let mut byte = source.skipped;
    let lines = source.content.split_inclusive(|&byte| byte == b'\n');
    let numbered = (1u64..).zip(lines).map(|(line, bytes)| {
        let start = byte;
        byte += bytes.len() as u64;
        (line, start, bytes)
    });
    let filled = numbered.filter(|(_, _, bytes)| !bytes.trim_ascii().is_empty());
    for (row, (line, start, bytes)) in filled.take(wanted.limit.unwrap_or(usize::MAX)).enumerate() {
        let parsed = parse(bytes, start).and_then(|object| {
            keys.note(&object, wanted);
            take(object, wanted)
        });
        match parsed {
            Ok((text, label)) => rows.push(FileRow {
                text,
                label,
                row,
                line,
            }),
            Err(fault) => problems.push(row, Some(line), fault),
        }
    }
    keys.check(source, wanted)?;
    settle_labels(&mut rows);
    problems.hint(|| misread(source.path, source.content));
    problems.unless_any(source.path.display().to_string(), rows)
}

fn parse(line: &[u8], first_byte: u64) -> Result<Map<String, Value>, RowFault> {
    let text = std::str::from_utf8(line).map_err(|error| RowFault::Encoding {
        byte: first_byte + error.valid_up_to() as u64,
    })?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        // The parser sees one line only, so that its line number says nothing.
        let reason = error
            .to_string()
            .replace(" at line 1 column ", " at column ");
        RowFault::Json { reason }
    })?;
    match value {
        Value::Object(object) => Ok(object),
        other => Err(RowFault::Json {
            reason: format!("found {}", kind(&other)),
        }),
    }
}

fn take(
    mut object: Map<String, Value>,
    wanted: &Wanted,
) -> Result<(String, Option<Label>), RowFault> {
    let present: Vec<String> = object.keys().cloned().collect();
    let mut value = |key: &str| {
        let missing = || RowFault::NoKey {
            key: key.to_owned(),
            present: present.clone(),
        };
        object.remove(key).ok_or_else(missing)
    };
    let label = wanted.label.map(|key| Ok((key, value(key)?))).transpose()?;
    let text = match value(wanted.text)? {
        Value::String(text) if !text.trim().is_empty() || wanted.takes_empty_texts() => text,
        Value::Null if wanted.takes_empty_texts() => String::new(),
        Value::String(_) | Value::Null => {
            return Err(RowFault::EmptyText {
                column: wanted.text.to_owned(),
            });
        }
        other => {
            return Err(RowFault::WrongType {
                key: wanted.text.to_owned(),
                found: kind(&other),
                expected: "a string",
            });
        }
    };
    let label = label.map(|(key, value)| label_of(key, value)).transpose()?;
    Ok((text, label))
}

fn label_of(key: &str, value: Value) -> Result<Label, RowFault> {
    if let Some(integer) = value.as_i64() {
        return Ok(Label::Integer(integer));
    }
    match value {
        Value::String(label) if !label.trim().is_empty() => {
            Ok(Label::Text(label.trim().to_owned()))
        }
        Value::String(_) | Value::Null => Err(RowFault::NoLabel {
            column: key.to_owned(),
        }),
        Value::Bool(label) => Ok(Label::Text(label.to_string())),
        // As a CSV has it: `1.0` is the class `1.0`.
        Value::Number(label) => Ok(Label::Text(label.to_string())),
        other => Err(RowFault::WrongType {
            key: key.to_owned(),
            found: kind(&other),
            expected: "a number or a string",
        }),
    }
}

/// Turns all labels into strings if any of them is one.
fn settle_labels(rows: &mut [FileRow]) {
    if rows
        .iter()
        .all(|row| !matches!(row.label, Some(Label::Text(_))))
    {
        return;
    }
    for row in rows {
        if let Some(Label::Integer(integer)) = row.label {
            row.label = Some(Label::Text(integer.to_string()));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The keys seen in a file, to tell a column that no object has from one that a few lack.
#[derive(Default)]
struct Keys {
    objects: usize,
    with_text: usize,
    with_label: usize,
    present: Vec<String>,
}

impl Keys {
    fn note(&mut self, object: &Map<String, Value>, wanted: &Wanted) {
        const KEPT: usize = 50;
        self.objects += 1;
        self.with_text += usize::from(object.contains_key(wanted.text));
        self.with_label += usize::from(wanted.label.is_some_and(|key| object.contains_key(key)));
        for key in object.keys() {
            if self.present.len() < KEPT && !self.present.contains(key) {
                self.present.push(key.clone());
            }
        }
    }

    fn check(self, source: &Source, wanted: &Wanted) -> Result<(), DataError> {
        let missing = if self.with_text == 0 {
            Some(("text", wanted.text))
        } else {
            wanted
                .label
                .filter(|_| self.with_label == 0)
                .map(|key| ("label", key))
        };
        match missing {
            Some((role, column)) if self.objects > 0 => Err(DataError::MissingColumn {
                path: source.owned_path(),
                role,
                column: column.to_owned(),
                hint: near_name(column, &self.present),
                present: self.present,
            }),
            _ => Ok(()),
        }
    }
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
                path: Path::new("rows.jsonl"),
                content,
                skipped: 3,
                lines_skipped: 0,
                separator: b',',
            },
            &wanted,
        )
    }

    fn labels(content: &str) -> Vec<Label> {
        let rows = rows_of(content.as_bytes(), None).unwrap().into_iter();
        rows.map(|row| row.label.unwrap()).collect()
    }

    fn bad(content: &[u8]) -> String {
        match rows_of(content, None) {
            Ok(_) => "no error".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn rows_and_lines_are_counted_apart() {
        let content = b"{\"text\":\"a\\nb\",\"label\":1}\r\n\r\n  {\"id\":3,\"label\":0,\"text\":\"c\"}  \n\n";
        let rows = rows_of(content, None).unwrap();
        let places: Vec<_> = rows
            .iter()
            .map(|row| (row.text.as_str(), row.row, row.line))
            .collect();
        assert_eq!(places, [("a\nb", 0, 1), ("c", 1, 3)]);
    }

    #[test]
    fn labels_are_strings_if_any_is() {
        let text = |label: &str| Label::Text(label.to_owned());
        let rows = |values: [&str; 2]| {
            values
                .map(|value| format!("{{\"text\":\"a\",\"label\":{value}}}\n"))
                .concat()
        };
        assert_eq!(
            labels(&rows(["1", "-2"])),
            [Label::Integer(1), Label::Integer(-2)]
        );
        assert_eq!(labels(&rows(["1", "\"two\""])), [text("1"), text("two")]);
        assert_eq!(
            labels(&rows(["true", "false"])),
            [text("true"), text("false")]
        );
        assert_eq!(labels(&rows(["1.0", "0.5"])), [text("1.0"), text("0.5")]);
        assert_eq!(
            labels(&rows(["1.0", "18446744073709551615"])),
            [text("1.0"), text("18446744073709551615")]
        );
    }

    #[test]
    fn all_row_problems_are_listed() {
        insta::assert_snapshot!(bad(br#"{"text": "a", "label": 1}
{"text": "a", "label": }
["a", 1]
{"text": 5, "label": 1}
{"text": " ", "label": 1}
{"text": null, "label": 1}
"#), @r"
        rows.jsonl: 5 rows cannot be used
          line 2 (row 1): not one JSON object on one line: expected value at column 24
          line 3 (row 2): not one JSON object on one line: found a list
          line 4 (row 3): `text` is a number: expected a string
          line 5 (row 4): the text `text` is empty: fill it in or remove the row
          line 6 (row 5): the text `text` is empty: fill it in or remove the row
        ");
        insta::assert_snapshot!(bad(br#"{"text": "a", "label": 1}
{"text": "a", "label": null}
{"text": "a", "label": {"a": 0.5}}
{"text": "a", "label": [1]}
{"body": "a", "label": 1}
{"text": "a"} {"text": "b"}
"#), @r"
        rows.jsonl: 5 rows cannot be used
          line 2 (row 1): the label `label` is missing: fill it in or remove the row
          line 3 (row 2): `label` is an object: expected a number or a string
          line 4 (row 3): `label` is a list: expected a number or a string
          line 5 (row 4): no key `text`: the object has `body`, `label`
          line 6 (row 5): not one JSON object on one line: trailing characters at column 15
        ");
        let mut content = b"{\"text\": \"a\", \"label\": 1}\n".to_vec();
        content.extend(b"{\"text\": \"\xe9\", \"label\": 1}");
        insta::assert_snapshot!(bad(&content), @"rows.jsonl: line 2 (row 1): byte 39 of the file is not UTF-8; it looks like Windows-1252: `iconv -f CP1252 -t UTF-8 rows.jsonl > rows-converted.jsonl`");
    }

    #[test]
    fn limit_stops_reading() {
        let content = b"{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":0}\nbroken";
        assert_eq!(rows_of(content, Some(2)).unwrap().len(), 2);
        assert!(rows_of(content, Some(3)).is_err());
    }

    #[test]
    fn key_that_no_object_has_is_a_missing_column() {
        insta::assert_snapshot!(
            bad(b"{\"texts\":\"a\",\"label\":1}\n{\"review\":\"b\",\"label\":0}\n"),
            @"rows.jsonl: no column `text` (did you mean `texts`?): set `data.text` to one of the file's columns: `label`, `texts`, `review`"
        );
        insta::assert_snapshot!(
            bad(b"{\"text\":\"a\",\"stars\":1}\n"),
            @"rows.jsonl: no column `label`: set `data.label` to one of the file's columns: `stars`, `text`"
        );
    }
}
